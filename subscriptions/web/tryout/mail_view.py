"""A mail as a mail program shows it: its head, its text, and its page in a frame that can do nothing."""

import base64
import hashlib
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, url_for

from subscriptions.parts import current_parts
from subscriptions.web.http import headers, language


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail, when it came, and where its page leads back to; `problems`: of an example, which was sent to nobody."""

    octets: bytes
    at: datetime
    back_to: str
    back: str
    problems: Sequence[str] | None = None


def parsed(octets: bytes) -> EmailMessage:
    return message_from_bytes(octets, policy=policy.default)


def add_views(pages: Blueprint, rule: str, find: Callable[..., Shown]) -> None:
    """The page of a mail, its HTML part and its source; `find`: the mail of a rule's values, or 404."""

    def show(**of: Any) -> Response:
        return _page(find(**of), body_url=url_for(".body", **of), source_url=url_for(".source", **of))

    def body(**of: Any) -> Response:
        return _framed(parsed(find(**of).octets))

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


def _framed(mail: EmailMessage) -> Response:
    """The HTML part: its own styles by their hashes, a picture of ours, nothing else.

    The page around it may measure it, since no script runs in it (the frame's sandbox, and this policy).
    """
    part = mail.get_body(("html",))
    page = part.get_content().replace("\r\n", "\n") if part else ""  # browsers hash a style after this
    response = Response(page.replace("<head>", '<head><base target="_top">', 1), mimetype="text/html")
    response.headers["Content-Language"] = mail.get("Content-Language", language.current())
    ours = current_parts().settings.server.base_url
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-hashes' {_hashes(page)}; img-src {ours}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return response


def _hashes(page: str) -> str:
    styles = re.findall(r"<style[^>]*>(.*?)</style>", page, re.S) + re.findall(r'\sstyle="([^"]*)"', page)
    digests = {hashlib.sha256(html.unescape(style).encode()).digest() for style in styles}
    return " ".join(sorted(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests))
