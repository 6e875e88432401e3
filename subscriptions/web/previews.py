"""Every mail of every list in every language, before anybody gets it; only in the try-out mode."""

from collections import defaultdict
from typing import Any

from flask import Blueprint, Response, abort, render_template, url_for
from flask_babel import gettext

from subscriptions.domain.lifecycle import Mail
from subscriptions.mail.preview import Preview, Previews
from subscriptions.parts import parts
from subscriptions.store.models import List
from subscriptions.web import as_mailed, language

pages = Blueprint("previews", __name__, url_prefix="/mailbox/templates")
ONE = "/<slug>/<kind>/<tag>"


@pages.get("/")
def index() -> str:
    found = list(_previews().all_of(list(Mail), parts().catalogue.configured, parts().languages.tags))
    wrong = [{"url": _url(one), "kind": one.mail.value, "tag": one.tag, "problem": problem}
             for one in found for problem in one.problems]  # fmt: skip
    return render_template("pages/mail_templates.html", lists=_by_list(found), wrong=wrong)


def _by_list(found: list[Preview]) -> list[dict[str, Any]]:
    mails: dict[int, dict[Mail, list[Preview]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        mails[one.row.id][one.mail].append(one)
    return [
        {"name": row.name, "slug": row.slug, "mails": [_line(mail, of) for mail, of in mails[row.id].items()]}
        for row in parts().catalogue.configured
    ]


def _line(mail: Mail, of: list[Preview]) -> dict[str, Any]:
    """A mail by its subject, as the reader of the page would get it, and its languages."""
    read = next((one for one in of if one.tag == language.current()), of[0])
    subject = as_mailed.parsed(read.octets)["Subject"]
    return {"kind": mail.value, "subject": subject, "tags": [{"tag": one.tag, "url": _url(one)} for one in of]}


def _url(one: Preview) -> str:
    return url_for("previews.show", slug=one.row.slug, kind=one.mail.value, tag=one.tag)


@pages.get(ONE)
def show(slug: str, kind: str, tag: str) -> Response:
    one = _one(slug, kind, tag)
    return as_mailed.shown(
        one.octets,
        when=language.words(parts().clock.now()),
        body_url=url_for("previews.body", slug=slug, kind=kind, tag=tag),
        source_url=url_for("previews.source", slug=slug, kind=kind, tag=tag),
        one_click=None,
        example=True,
        problems=one.problems,
        back={"url": url_for("previews.index"), "label": gettext("Back to all mails")},
    )


@pages.get(f"{ONE}/body")
def body(slug: str, kind: str, tag: str) -> Response:
    return as_mailed.framed(_one(slug, kind, tag).octets)


@pages.get(f"{ONE}/source")
def source(slug: str, kind: str, tag: str) -> Response:
    return as_mailed.source(_one(slug, kind, tag).octets)


def _one(slug: str, kind: str, tag: str) -> Preview:
    row: List | None = parts().catalogue.by_slug(slug)
    if row is None or kind not in set(Mail) or tag not in parts().languages.tags:
        abort(404)
    return _previews().one(Mail(kind), row, tag)


def _previews() -> Previews:
    joined = parts()
    return Previews(joined.sender.composer, joined.settings, joined.catalogue, joined.clock.now())
