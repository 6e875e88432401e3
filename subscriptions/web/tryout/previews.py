"""Every mail of every list in every language, before anybody gets it; only in the try-out mode."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, abort, render_template, url_for
from flask_babel import gettext

from subscriptions.mail.preview import Preview, Previews, all_kinds
from subscriptions.parts import current_parts
from subscriptions.web.http import language
from subscriptions.web.tryout import mail_view

pages = Blueprint("previews", __name__, url_prefix="/mailbox/templates")
ONE = "/<slug>/<kind>/<tag>"


@pages.get("/")
def index() -> str:
    found = list(_previews().all_of(all_kinds(), current_parts().catalogue.configured, current_parts().languages.tags))
    wrong = [{"url": _url(one), "kind": one.kind, "tag": one.tag, "problem": problem}
             for one in found for problem in one.problems]  # fmt: skip
    return render_template("pages/mail_templates.html", sections=list(_sections(found)), wrong=wrong)


def _sections(found: list[Preview]) -> Iterator[dict[str, Any]]:
    """The mails of each list, then those to the operator."""
    for row in current_parts().catalogue.configured:
        theirs = [one for one in found if one.row is row and not one.mail.row.to_operator]
        yield {"id": f"list-{row.slug}", "name": row.name, "mails": _lines(theirs)}
    ours = [one for one in found if one.mail.row.to_operator]
    yield {"id": "operator", "name": gettext("To whoever runs this service"), "mails": _lines(ours)}


def _lines(found: list[Preview]) -> list[dict[str, Any]]:
    """Mails by their subjects, as the reader of the page would get them, and their languages."""
    kinds: dict[str, list[Preview]] = {}
    for one in found:
        kinds.setdefault(one.kind, []).append(one)
    return [{"kind": kind, "subject": _subject(of), "tags": [{"tag": one.tag, "url": _url(one)} for one in of]}
            for kind, of in kinds.items()]  # fmt: skip


def _subject(of: list[Preview]) -> str:
    read = next((one for one in of if one.tag == language.current()), of[0])
    return str(mail_view.parsed(read.octets)["Subject"])


def _url(one: Preview) -> str:
    return url_for("previews.show", slug=one.row.slug, kind=one.kind, tag=one.tag)


@pages.get(ONE)
def show(slug: str, kind: str, tag: str) -> Response:
    one = _one(slug, kind, tag)
    return mail_view.shown(
        one.octets,
        when=language.words(current_parts().clock.now()),
        body_url=url_for("previews.body", slug=slug, kind=kind, tag=tag),
        source_url=url_for("previews.source", slug=slug, kind=kind, tag=tag),
        one_click=None,
        example=True,
        problems=one.problems,
        back={"url": url_for("previews.index"), "label": gettext("Back to all mails")},
    )


@pages.get(f"{ONE}/body")
def body(slug: str, kind: str, tag: str) -> Response:
    return mail_view.framed(_one(slug, kind, tag).octets)


@pages.get(f"{ONE}/source")
def source(slug: str, kind: str, tag: str) -> Response:
    return mail_view.source(_one(slug, kind, tag).octets)


def _one(slug: str, kind: str, tag: str) -> Preview:
    row, previews = current_parts().catalogue.by_slug(slug), _previews()
    if (
        row is None
        or kind not in all_kinds()
        or tag not in current_parts().languages.tags
        or not previews.is_there(kind, tag)
    ):
        abort(404)
    return previews.one(kind, row, tag)


def _previews() -> Previews:
    parts = current_parts()
    return Previews(parts.sender.composer, parts.settings, parts.catalogue, parts.clock.now())
