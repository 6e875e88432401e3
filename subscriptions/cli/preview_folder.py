"""Previews as files: each mail as it leaves, its page and its text, and an index to open in a browser."""

import shutil
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from flask import current_app

from subscriptions.look.tokens import FILE
from subscriptions.mail.preview import Preview

STYLES = ("tokens.css", "style.css")


def write_folder(folder: Path, previews: list[Preview]) -> int:
    """How many mails were written."""
    for mail in previews:
        _write_mail(folder / mail.row.slug, f"{mail.kind}.{mail.tag}", mail.octets)
    for name in STYLES:
        shutil.copyfile(FILE.with_name(name), folder / name)
    template = current_app.jinja_env.get_template("pages/preview_folder.html")
    (folder / "index.html").write_text(template.render(lists=_matrix(previews)), "utf-8")
    return len(previews)


def _write_mail(folder: Path, name: str, octets: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    message: Any = message_from_bytes(octets, policy=policy.default)
    (folder / f"{name}.eml").write_bytes(octets)
    for kind, ending in (("plain", "txt"), ("html", "html")):
        text = str(message.get_body((kind,)).get_content()).replace("\r\n", "\n")
        (folder / f"{name}.{ending}").write_text(text, "utf-8", newline="\n")


def _matrix(previews: list[Preview]) -> list[dict[str, Any]]:
    """Lists, their mails, and the languages of each."""
    lists: dict[str, dict[str, Any]] = {}
    for mail in previews:
        entry = lists.setdefault(mail.row.slug, {"name": mail.row.name, "rows": {}})
        file = f"{mail.row.slug}/{mail.kind}.{mail.tag}"
        entry["rows"].setdefault(mail.kind, []).append({"tag": mail.tag, "file": file})
    return list(lists.values())
