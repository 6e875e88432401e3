"""A mail as it was sent, for people to read: its head, its text, and what its HTML part says; hashes made short."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from html.parser import HTMLParser

_HASH = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")
_BLOCKS = frozenset("address article blockquote div h1 h2 h3 hr li ol p section table td th tr ul".split())
_UNSEEN = frozenset("head script style title".split())
_EMPTY_LINES = re.compile(r"(\s*\n){3,}")


@dataclass(frozen=True, slots=True)
class ShownMail:
    head: Sequence[tuple[str, str]]
    text: str
    page: str  # of the HTML part, what it shows


def shown(octets: bytes) -> ShownMail:
    mail = message_from_bytes(octets, policy=policy.default)
    text, page = (str(part.get_content()) if (part := mail.get_body((kind,))) else "" for kind in ("plain", "html"))
    return ShownMail([(name, _short(str(value))) for name, value in mail.items()], _short(text.strip()),
                     _short(_Reader(page).text))  # fmt: skip


def _short(text: str) -> str:
    """Each token and code is the hash of it there: its beginning is enough to compare."""
    return _HASH.sub(r"‹\1…›", text)


class _Reader(HTMLParser):
    """What a page says, and in brackets where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._said: list[str] = []
        self._unseen = 0
        self._to: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        lines = "\n".join(" ".join(line.split()) for line in "".join(self._said).split("\n"))
        return _EMPTY_LINES.sub("\n\n", lines).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS or tag == "br":
            self._said.append("\n")
        if tag == "a":
            self._to.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN
        if tag in _BLOCKS:
            self._said.append("\n")
        if tag == "a" and self._to and (to := self._to.pop()) and not "".join(self._said).endswith(to):
            self._said.append(f" [{to}]")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._said.append(" ".join(data.split("\n")))
