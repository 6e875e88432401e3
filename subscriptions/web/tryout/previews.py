"""Every mail of every list in every language, before anybody gets it; only in the try-out mode."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, abort, render_template, url_for
from flask_babel import gettext

from subscriptions.mail.preview import Preview, Previews, all_kinds
from subscriptions.parts import current_parts
from subscriptions.web.http import language
from subscriptions.web.http.mail_page import parsed
from subscriptions.web.tryout.mail_view import Shown, add_views

pages = Blueprint("previews", __name__, url_prefix="/mailbox/templates")


@pages.get("/")
def index() -> str:
    found = list(_previews().all_of(all_kinds(), current_parts().catalogue.configured, current_parts().languages.tags))
    wrong = [{"url": _url(mail), "kind": mail.kind, "tag": mail.tag, "problem": problem}
             for mail in found for problem in mail.problems]  # fmt: skip
    return render_template("pages/mail_templates.html", sections=list(_sections(found)), wrong=wrong)


def _sections(found: list[Preview]) -> Iterator[dict[str, Any]]:
    for row in current_parts().catalogue.configured:
        theirs = [mail for mail in found if mail.row is row and not mail.mail.row.to_operator]
        yield {"id": f"list-{row.slug}", "name": language.named(row), "mails": _lines(theirs)}
    ours = [mail for mail in found if mail.mail.row.to_operator]
    yield {"id": "operator", "name": gettext("To whoever runs this service"), "mails": _lines(ours)}


def _lines(found: list[Preview]) -> list[dict[str, Any]]:
    kinds: dict[str, list[Preview]] = {}
    for mail in found:
        kinds.setdefault(mail.kind, []).append(mail)
    return [{"kind": kind, "subject": _subject(of), "tags": [{"tag": mail.tag, "url": _url(mail)} for mail in of]}
            for kind, of in kinds.items()]  # fmt: skip


def _subject(of: list[Preview]) -> str:
    read = next((mail for mail in of if mail.tag == language.current()), of[0])
    return str(parsed(read.octets)["Subject"])


def _url(mail: Preview) -> str:
    return url_for("previews.show", slug=mail.row.slug, kind=mail.kind, tag=mail.tag)


def _find(slug: str, kind: str, tag: str) -> Shown:
    parts, previews = current_parts(), _previews()
    row = parts.catalogue.by_slug(slug)
    is_known = kind in all_kinds() and tag in parts.languages.tags and previews.is_there(kind, tag)
    if row is None or not is_known:
        abort(404)
    preview = previews.one(kind, row, tag)
    back = gettext("Back to all emails")
    return Shown(preview.octets, parts.clock.now(), "previews.index", back, preview.problems)


add_views(pages, "/<slug>/<kind>/<tag>", _find)


def _previews() -> Previews:
    parts = current_parts()
    return Previews(parts.sender.composer, parts.settings, parts.catalogue, parts.clock.now())
