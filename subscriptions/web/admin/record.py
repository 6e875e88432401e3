"""What an operator has to write down, ready to copy: the text for the privacy policy, and the record of processing."""

from collections.abc import Sequence

from flask import redirect, render_template, request, url_for

from subscriptions import languages
from subscriptions.actions import record as actions
from subscriptions.parts import current_parts
from subscriptions.record import hash_of, policy_text, processing
from subscriptions.store import accounts
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.web.admin import Answer, guard, pages
from subscriptions.web.http import headers, language


@pages.get("/record")
def record() -> str:
    parts, rows = current_parts(), _kept()
    tag = parts.languages.known(request.args.get("language", "")) or language.current()
    row = next((one for one in rows if one.slug == request.args.get("list")), next(iter(rows), None))
    text = policy_text(parts, row, tag) if row else ""
    before = actions.copied().get((row.id, tag)) if row else None
    with reading() as session:
        number = accounts.open_number(session)
    sections = processing.record(parts, rows, number, tag)
    headers.allow(script_src="'self'")
    tags = {known: languages.own_name(known) for known in parts.languages.tags}
    return render_template("desk/record.html", rows=rows, row=row, tag=tag, tags=tags, text=text, sections=sections,
                           title=processing.title(parts, tag),
                           as_text=processing.as_text(sections), is_copied=before is not None,
                           is_other=before not in (None, hash_of(text)))  # fmt: skip


@pages.post("/record")
def note_record() -> Answer:
    """That somebody has copied the text, as it is now."""
    row, parts = guard.any_list(request.form.get("list", "")), current_parts()
    tag = parts.languages.known(request.form.get("language", "")) or language.current()
    digest = hash_of(policy_text(parts, row, tag))
    actions.note_copied(row.id, tag, digest, guard.act("record copied", list=row.slug, language=tag))
    return redirect(url_for("desk.record", list=row.slug, language=tag), 303)


def _kept() -> list[List]:
    return [row for row in current_parts().catalogue.kept if guard.who().sees(row.id)]


def others(rows: Sequence[List]) -> list[tuple[List, str]]:
    """Of which lists, and in which language, the text would be another now than the one that was copied."""
    known, by_id = actions.copied(), {row.id: row for row in rows}
    return [(by_id[id_], tag) for (id_, tag), digest in known.items() if id_ in by_id
            and digest != hash_of(policy_text(current_parts(), by_id[id_], tag))]  # fmt: skip
