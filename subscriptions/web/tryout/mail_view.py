"""A mail as a mail program shows it: its head, its text, and its page in a frame that can do nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, url_for

from subscriptions.web.http import headers, language
from subscriptions.web.http.mail_page import mail_page, parsed


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail, when it came, and where its page leads back to; `problems`: of an example, which was sent to nobody."""

    octets: bytes
    at: datetime
    back_to: str
    back: str
    problems: Sequence[str] | None = None


def add_views(pages: Blueprint, rule: str, find: Callable[..., Shown]) -> None:
    """The page of a mail, its HTML part and its source; `find`: the mail of a rule's values, or 404."""

    def show(**of: Any) -> Response:
        return _page(find(**of), body_url=url_for(".body", **of), source_url=url_for(".source", **of))

    def body(**of: Any) -> Response:
        return mail_page(parsed(find(**of).octets))

    def source(**of: Any) -> Response:
        return Response(find(**of).octets, mimetype="text/plain")

    for tail, view in (("", show), ("/body", body), ("/source", source)):
        pages.add_url_rule(rule + tail, view.__name__, view)


def _page(shown: Shown, **urls: str) -> Response:
    mail, is_example = parsed(shown.octets), shown.problems is not None
    text, one_click = mail.get_body(("plain",)), urlsplit(str(mail.get("List-Unsubscribe", "")).strip("<>")).path
    about = {name.lower(): mail[name] for name in ("From", "To", "Subject")} | {
        "text": text.get_content() if text else "",
        "headers": list(mail.items()),
        "one_click": None if is_example else one_click,
        "example": is_example,
        "problems": shown.problems,
        "when": language.words(shown.at),
        "back": {"url": url_for(shown.back_to), "label": shown.back},
    }
    headers.allow(script_src="'self'", frame_src="'self'")
    return Response(render_template("pages/mail.html", mail=about | urls))
