"""What a mail must hold to, read from its own bytes: no advertising, nothing remote, every fact in both parts.

A court took a logo in a confirmation mail for advertising that nobody had agreed to. So only the welcome mail,
which was asked for and confirmed, may show one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import urlsplit

from subscriptions.domain.mail_kinds import MailKind

OCTETS_AT_MOST = 30_000  # our own limit: mails to somebody who may not have asked are to be short (RFC 3834 2)
SUBJECT_AT_MOST = 78
_ANSWERS = re.compile(r"^\s*(re|fwd?|aw|wg|antw|tr|rv|sv)\s*:", re.I)  # as programs of many languages begin answers
_LOADS = {"src", "srcset", "background", "poster", "data", "action", "formaction", "ping", "cite"}
_FOREIGN = {"script", "iframe", "object", "embed", "form", "input", "video", "audio", "svg", "link", "base", "picture"}
_IN_STYLES = re.compile(r"url\(|@import|@font-face|expression\(|image-set\(", re.I)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a mail was written from."""

    origin: str  # ours: scheme and host
    policies: frozenset[str]  # the one kind of link that may lead away
    facts: Mapping[str, str]  # what must stand in both parts, by a name for the operator


@dataclass
class _Page(HTMLParser):
    html: str
    lang: str = ""
    links: list[str] = field(default_factory=list)
    pictures: list[dict[str, str]] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.lang = known.get("lang", "") if tag == "html" else self.lang
        self.links += [known["href"]] if "href" in known else []
        self.loads += [known[name] for name in sorted(_LOADS & known.keys())]
        self.pictures += [known] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def problems(mail: MailKind, octets: bytes, expected: Expected) -> Iterator[str]:
    """One sentence for each thing that a mail of this kind must not be, or must say."""
    message = message_from_bytes(octets, policy=policy.default)
    text, page = part_of(message, "plain"), _Page(part_of(message, "html"))
    yield from _head(message, octets)
    if not page.lang or page.lang != message["Content-Language"]:
        yield f'its page says the language is "{page.lang}", its head "{message["Content-Language"]}"'
    yield from _links(text, page, expected)
    yield from _resources(mail, page, expected)
    yield from _facts(text, page, expected)


def part_of(message: EmailMessage, kind: str) -> str:
    """The text of its part of that kind, `plain` or `html`; lines end with LF."""
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def _head(message: EmailMessage, octets: bytes) -> Iterator[str]:
    subject = str(message["Subject"])
    if len(subject) > SUBJECT_AT_MOST:
        yield f"the subject has {len(subject)} characters, at most {SUBJECT_AT_MOST}: give the list a shorter name"
    if _ANSWERS.match(subject):
        yield f'the subject "{subject}" looks like an answer or a forwarded mail'
    if len(octets) > OCTETS_AT_MOST:
        yield f"it has {len(octets)} octets, at most {OCTETS_AT_MOST}: shorten the wording or the legal notice"
    kinds = [part.get_content_type() for part in message.iter_parts()] if message.is_multipart() else []
    if kinds != ["text/plain", "text/html"]:
        yield "it is not a text and the same in HTML, and nothing more"


def _links(text: str, page: _Page, expected: Expected) -> Iterator[str]:
    lines = set(text.split("\n"))
    in_text = set(re.findall(r"https?://[^\s<>]+", text))
    for link in sorted(in_text | set(page.links)):
        if link not in expected.policies and _origin(link) != expected.origin:
            yield f"it links to {link}, which is neither ours nor the privacy policy"
    for link in sorted(set(page.links) - in_text):
        yield f"its text lacks a link of its page: {link}"
    for link in sorted(in_text - set(page.links)):
        yield f"its page lacks a link of its text: {link}"
    yield from (f"in its text a link does not stand on a line of its own: {link}" for link in sorted(in_text - lines))


def _origin(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}"


def _resources(mail: MailKind, page: _Page, expected: Expected) -> Iterator[str]:
    for tag in sorted(page.tags & _FOREIGN):
        yield f"it holds <{tag}>, which mails do not need"
    if _IN_STYLES.search(page.html):
        yield "its style loads something"
    ours = {picture.get("src", "") for picture in page.pictures} if mail.row.may_show_picture else set()
    for load in page.loads:
        if load not in ours or _origin(load) != expected.origin:
            yield f"it loads {load}: only a welcome mail may show a picture, and only ours"
    for picture in page.pictures:
        if not picture.get("alt") or not all(picture.get(side, "").isdigit() for side in ("width", "height")):
            yield "it shows a picture without a text for it or without its size"


def _facts(text: str, page: _Page, expected: Expected) -> Iterator[str]:
    for where, words in (("text", text.split()), ("page", page.words)):
        said = "".join(words)  # lines are broken in other places
        for name, fact in expected.facts.items():
            if "".join(fact.split()) not in said:
                yield f"its {where} does not say {name}: {fact}"
