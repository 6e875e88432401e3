"""The lists: which there are, made, kept in the archive, taken over from the file; the versions of their wordings."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from subscriptions import languages
from subscriptions.actions import Refused
from subscriptions.actions import lists as acts
from subscriptions.mail import phrases
from subscriptions.parts import current_parts
from subscriptions.settings.tables import read_list
from subscriptions.store import lists as rows
from subscriptions.store import subscriptions
from subscriptions.store.engine import reading
from subscriptions.store.models import Owner, Wording
from subscriptions.web.admin import Answer, guard, list_form, pages
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import now

_ACTS = {"archive": acts.archive, "restore": acts.restore, "take-over": acts.take_over}


@pages.get("/lists")
def all_lists() -> str:
    return _lists()


def _lists(**said: Any) -> str:
    catalogue = current_parts().catalogue
    seen = [language.said(row) for row in catalogue.lists.values() if guard.who().sees(row.id)]
    tags = {tag: languages.own_name(tag) for tag in current_parts().languages.tags}
    headers.allow(script_src="'self'")  # the time zone of the browser
    return render_template("desk/lists.html", rows=[row for row in seen if row.position is not None], owner=Owner,
                           archive=[row for row in seen if row.position is None], lacks=rows.lacks, tags=tags,
                           is_live=catalogue.is_live, **said)  # fmt: skip


@pages.post("/lists")
def create_list() -> Answer:
    """A draft, whose texts are written next."""
    typed = {name: request.form.get(name, "").strip() for name in ("name", "slug", "language", "timezone")}
    raw = {"name": typed["name"], "slug": typed["slug"] or slug_of(typed["name"]), "timezone": typed["timezone"]}
    raw["wording"] = phrases.wording(
        current_parts().languages.best(None, (), typed["language"]), typed["name"], "", "", ""
    )
    made, problems = read_list(raw | {"locale": typed["language"]}, current_parts().settings.root)
    if problems:
        return _lists(wrong=[*map(list_form.wrong, problems)], typed=typed), 422
    try:
        acts.create(asdict(made), now(), guard.act("lists create", list=made.slug))
    except Refused as error:
        return _lists(problem=gettext(str(error)), typed=typed), 422
    current_parts().follow()
    return redirect(url_for("desk.edit_list", slug=made.slug, done="made"), 303)


def slug_of(name: str) -> str:
    """What an address can be made of a name: `Der große Brief` is `der-grosse-brief`."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain)[:64].strip("-")


@pages.post('/lists/<slug>/<any("archive", "restore", "take-over"):step>')
def keep_list(slug: str, step: str) -> Answer:
    row = guard.any_list(slug)
    try:
        _ACTS[step](row.slug, guard.act(f"lists {step}", list=row.slug))
    except Refused as error:
        return _lists(problem=gettext(str(error))), 422
    current_parts().follow()
    if step == "take-over":
        return redirect(url_for("desk.edit_list", slug=row.slug, done=step), 303)
    return redirect(url_for("desk.all_lists"), 303)


# The versions of a wording


@pages.get("/lists/<slug>/wordings")
def wordings(slug: str) -> str:
    """Every text that people have agreed to, the newest first, with what is new in it and who keeps it."""
    row, catalogue = guard.any_list(slug), current_parts().catalogue
    with reading() as session:
        people = subscriptions.by_wording(session, row.id)
    current = rows.current(row)
    before: dict[str, Wording] = {}
    versions = []
    for one in rows.versions(catalogue, row):
        changes = difference(before[one.language].text, one.text) if one.language in before else None
        versions.append({"wording": one, "people": people.get(one.id, 0), "is_current": one.id in current,
                         "changes": changes})  # fmt: skip
        before[one.language] = one
    earlier = sum(number for id_, number in people.items() if id_ not in current)
    return render_template("desk/wordings.html", row=row, versions=versions[::-1], earlier=earlier)


_COMPARED = 400 * 400  # words of two texts, each with each: of more it would take minutes


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, int, int, int, int]]:
    """As `SequenceMatcher` names them; of long texts, all between the same beginning and the same end."""
    if len(old) * len(new) <= _COMPARED:
        return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    begins = _alike(old, new)
    ends = _alike(old[begins:][::-1], new[begins:][::-1])
    i, k = len(old) - ends, len(new) - ends
    middle = ("equal", 0, begins, 0, begins), ("replace", begins, i, begins, k)
    return *middle, ("equal", i, len(old), k, len(new))


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """How many at the beginning of both are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False)))


def difference(before: str, after: str) -> Markup:
    """The words of both, those that went in <del> and those that came in <ins>."""
    old, new = (re.findall(r"\s+|\S+", text) for text in (before, after))
    out = Markup()
    for what, i, j, k, m in _changes(old, new):
        went, came = "".join(old[i:j]), "".join(new[k:m])
        if what == "equal":
            out += Markup("{}").format(came)
            continue
        out += Markup("<del>{}</del>").format(went) if went.strip() else ""
        out += Markup("<ins>{}</ins>").format(came) if came.strip() else came
    return out
