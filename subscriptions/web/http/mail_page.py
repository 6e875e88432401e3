"""The HTML part of a mail, as an answer that can do nothing."""

import base64
import hashlib
import html
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from flask import Response

from subscriptions.look import tokens
from subscriptions.parts import current_parts
from subscriptions.web.http import language


def parsed(octets: bytes) -> EmailMessage:
    return message_from_bytes(octets, policy=policy.default)


def mail_page(mail: EmailMessage, scheme: str = "") -> Response:
    """The HTML part: its own styles by their hashes, a picture of ours, nothing else.

    The page around it may measure it, since no script runs in it (the frame's sandbox, and this policy).
    `scheme`: light or dark, whatever the reader's device says.
    """
    part = mail.get_body(("html",))
    page = part.get_content().replace("\r\n", "\n") if part else ""  # browsers hash a style after this
    page = tokens.fixed(page, scheme)
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
