"""What stands in a mail: its links, its words, and what its HTML would load; and how a page writes a time."""

import re
from datetime import datetime
from email.message import EmailMessage
from html.parser import HTMLParser

from tests.builders import text_of


class Page(HTMLParser):
    """The links and the tags of an HTML part, and what is left of it without them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name == "href"}
        self.loads += [name for name, _ in attrs if name in ("src", "srcset", "background", "poster", "data")]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def page_of(mail: EmailMessage) -> Page:
    return Page(text_of(mail, "html"))


def links_of(mail: EmailMessage) -> set[str]:
    return set(re.findall(r"https?://\S+", text_of(mail)))


def flat(mail: EmailMessage) -> str:
    """The text part without its line breaks."""
    return " ".join(text_of(mail).split())


def timed(at: str) -> str:
    """What a page says of a time: for people, and exactly for programs."""
    exactly = datetime.strptime(f"{at} +0000", "%d %B %Y, %H:%M (UTC) %z")
    return f'<time datetime="{exactly:%Y-%m-%dT%H:%M:%SZ}">{at}</time>'
