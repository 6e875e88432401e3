"""What we store of somebody: every field as it stands, what happened, who gets it, how long; on a page or to take."""

import csv
import io
import json
from typing import Any

from flask import Response, render_template

from subscriptions import story
from subscriptions.actions import preferences
from subscriptions.actions.preferences import Profile
from subscriptions.clock import text
from subscriptions.domain.policy import DOWNLOADS
from subscriptions.export.layouts import FORMULA
from subscriptions.languages import marked
from subscriptions.links import Session
from subscriptions.mail.lint import part_of
from subscriptions.parts import current_parts
from subscriptions.store import person
from subscriptions.store.engine import reading
from subscriptions.store.lists import parties
from subscriptions.store.models import List
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.mail_page import parsed
from subscriptions.web.http.telling import Part, Told, parts_of, periods, recipients, sentence, unsure_ips_hidden
from subscriptions.web.pages.preferences.view import Said, about, known

FORMAT = "yestwice-my-data-1"
_OFTEN = marked(
    "You have downloaded your data %(num)d times in 24 hours. You can download it again from %(time)s. "
    "This limit keeps our service working for everybody; it never applies to leaving a list or objecting."
)


def whose(session: Session, mine: Profile) -> person.Whose:
    links = current_parts().links
    marks = [links.try_key(what + (session.mailbox or session.key)) for what in (b"moves", b"requests", b"downloads")]
    return person.Whose(session.key, session.mailbox or session.key, mine.address, marks)


def page(session: Session, token: str) -> Response:
    """Everything, field by field."""
    mine = known(session)
    footer = about(mine)
    with reading() as at:
        told = story.tell(at, session.key, session.mailbox, now())
        rows = person.everything(at, whose(session, mine))
    return Response(render_template(
        "pages/my_data_stored.html", parts=[_own(part) for part in parts_of(told)], rows=rows, footer=footer,
        held=[*map(sentence, told.held)], policies=current_parts().catalogue.policies, session=token,
        recipients=list(recipients(_lists_of(mine))), periods=list(periods()), not_shown=person.NOT_SHOWN,
        until=language.words(session.until), words=language.words,
    ))  # fmt: skip


def _lists_of(mine: Profile) -> list[List]:
    """Those that something of theirs is stored for: who else is responsible for a list here gets nothing of it."""
    theirs = {*mine.subscriptions, *mine.waiting, *mine.blocked}
    return language.told_of([row for row in current_parts().catalogue.lists.values() if row.id in theirs])


def _own(part: Part) -> Part:
    events = unsure_ips_hidden(part).events
    return part._replace(events=[one._replace(mail=_in_text(one)) for one in events])


def _in_text(one: Told) -> str | None:
    """The mail without its HTML, which says the same: the copy has it whole."""
    if one.event.mail is None:
        return None
    mail = parsed(one.event.mail)
    head = "\n".join(f"{name}: {mail[name]}" for name in ("From", "To", "Date", "Subject"))
    return f"{head}\n\n{part_of(mail, 'plain')}"


# To take


def download(session: Session, kind: str) -> Response | Said:
    mine, parts = known(session), current_parts()
    footer = about(mine)
    mark = parts.links.try_key(b"downloads" + (session.mailbox or session.key))
    again_at = preferences.count_download(mark, now())
    if again_at:
        return Said(lambda: language.in_markup(_OFTEN, num=DOWNLOADS.count, time=language.words(again_at)))
    with reading() as at:
        rows = person.everything(at, whose(session, mine))
        told = story.tell(at, session.key, session.mailbox, now())
    mails = [event.mail.decode("utf-8", "replace") for record in (*told.sign_ups, *told.subscriptions)
             for event in record.events if event.mail]  # fmt: skip
    body = _csv(rows) if kind == "csv" else _json(mine, rows, footer, mails)
    octets = body.encode("utf-8", "backslashreplace")  # half a character stays one, as JSON escapes it
    response = Response(octets, mimetype="text/csv" if kind == "csv" else "application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="my-data.{kind}"'
    return response


def _json(mine: Profile, rows: person.Rows, footer: list[List], mails: list[str]) -> str:
    texts, named = current_parts().catalogue.wordings, {row.get("wording_id") for row in rows["registrations"]}
    facts: list[dict[str, Any]] = rows["evidence"]
    named |= {row["details"].get("wording") for row in facts}
    lists = {row.id: {"slug": row.slug, "name": row.name} for row in current_parts().catalogue.lists.values()}
    told = {
        "format": FORMAT, "made_at": text(now()), "address": mine.address,
        "controllers": [{"name": party.row.controller, "address": party.row.postal_address,
                         "contact": party.row.privacy_contact, "lists": [row.slug for row in party.lists]}
                        for party in parties(footer)],
        "recipients": [*recipients(_lists_of(mine))], "kept": [*periods()], "stored": rows,
        "lists": lists, "texts_agreed_to": {id_: texts[id_].text for id_ in named if id_ and id_ in texts},
        "emails": mails,
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, indent=1)


def _csv(rows: person.Rows) -> str:
    """A line for each field; what a spreadsheet would take for a formula is not one."""
    out = io.StringIO()
    lines = csv.writer(out, quoting=csv.QUOTE_ALL)
    lines.writerow(("table", "row", "field", "value"))
    for table, found in rows.items():
        for number, row in enumerate(found, 1):
            for name, value in row.items():
                shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
                shown = "" if value is None else shown
                lines.writerow((table, number, name, f"'{shown}" if FORMULA.match(shown) else shown))
    return out.getvalue()
