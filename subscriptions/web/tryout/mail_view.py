"""A mail as a mail program shows it: its head, its text, and its page in a frame that can do nothing."""

import base64
import hashlib
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from flask import Response, render_template

from subscriptions.parts import current_parts
from subscriptions.web.http import language

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def parsed(octets: bytes) -> EmailMessage:
    return message_from_bytes(octets, policy=policy.default)


def shown(octets: bytes, **more: Any) -> Response:
    """The page of a mail; `more`: when it came, where its page and its source are, the way back."""
    mail = parsed(octets)
    text = mail.get_body(("plain",))
    about = {name.lower(): mail[name] for name in ("From", "To", "Subject")} | {
        "text": text.get_content() if text else "",
        "headers": list(mail.items()),
        "one_click": urlsplit(str(mail.get("List-Unsubscribe", "")).strip("<>")).path or None,
    }
    response = Response(render_template("pages/mail.html", mail=about | more))
    response.headers["Content-Security-Policy"] = _CSP
    return response


def framed(octets: bytes) -> Response:
    """The HTML part: its own styles by their hashes, a picture of ours, nothing else.

    The page around it may measure it, since no script runs in it (the frame's sandbox, and this policy).
    """
    mail = parsed(octets)
    part = mail.get_body(("html",))
    html = part.get_content() if part else ""
    html = html.replace("\r\n", "\n")  # browsers hash a style after this
    html = html.replace("<head>", '<head><base target="_top">', 1)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Language"] = mail.get("Content-Language", language.current())
    ours = current_parts().settings.server.base_url
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-hashes' {_hashes(html)}; img-src {ours}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return response


def _hashes(html: str) -> str:
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.S) + re.findall(r'\sstyle="([^"]*)"', html)
    return " ".join(sorted({f"'sha256-{_sha256(style)}'" for style in styles}))


def _sha256(style: str) -> str:
    plain = style.replace("&#39;", "'").replace("&quot;", '"').replace("&amp;", "&")
    return base64.b64encode(hashlib.sha256(plain.encode()).digest()).decode()


def source(octets: bytes) -> Response:
    return Response(octets, mimetype="text/plain")
