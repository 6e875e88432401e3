"""Mails of each kind to Anne, as they arrive at a relay, and how they are read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from html.parser import HTMLParser

from subscriptions.actions import erase
from subscriptions.domain.address import parse
from tests.builders import ANNE, LISTS, World, link_in, text_of
from tests.support.relay import Mail, Relay

KINDS = ["confirm", "welcome", "already_subscribed", "erased"]
POLICY = "https://example.org/privacy"
FULL = tuple(
    replace(one, welcome=True, controller="Example Society", postal_address="1 Example Street\n12345 Exampletown",
            privacy_contact="privacy@example.org", policy_url=POLICY) for one in LISTS
)  # fmt: skip


@dataclass(frozen=True)
class Parcel:
    mail: Mail
    written_at: datetime


def arrive(world: World, relay: Relay, kind: str) -> bytes:
    """The bytes of a mail of that kind to Anne."""
    world.sign_up(ANNE, name="Anne Example")
    steps: list[Callable[[], object]] = [world.deliver, lambda: confirm(world, relay), lambda: ask_again(world)]
    for step in steps[: 1 + KINDS.index(kind)]:
        step()
    if kind == "erased":
        erase.ask(world.parts.links.key(parse(ANNE).folded), world.clock.now(), world.parts.policy, "the operator")
        world.deliver()
    return relay.mails[-1].raw


def confirm(world: World, relay: Relay) -> None:
    world.post(link_in(relay.mails[0].message, "confirm"))
    world.deliver()


def ask_again(world: World) -> None:
    world.clock.forward(minutes=15)
    world.sign_up(ANNE)
    world.deliver()


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
