"""The preferences page as its owner uses it, over HTTP."""

import re
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from subscriptions.domain.address import parse
from tests.builders import World, link_in

_SESSION = re.compile(r'name="session" value="([^"]+)"')
_TOLD = re.compile(r'role="status".*?<p>(.*?)</p>', re.S)


def ask(world: World, address: str) -> TestResponse:
    return world.post("/preferences", data={"email": address})


def key(world: World, address: str) -> bytes:
    return world.parts.links.key(parse(address).folded)


def link(world: World, address: str) -> str:
    """The link of the newest mail that has one."""
    mails = [mail for mail in world.mails(address) if "subscriptions and data" in mail["Subject"]]
    return link_in(mails[-1], "my-data")


def session_of(answer: TestResponse) -> str:
    found = _SESSION.search(answer.text)
    assert found is not None, answer.text
    return found[1]


@dataclass
class Page:
    """The page of one address, open."""

    world: World
    link: str
    opened: TestResponse
    session: str

    @classmethod
    def of(cls, world: World, address: str) -> "Page":
        """Asked for, mailed and opened."""
        assert ask(world, address).status_code == 303
        url = link(world, address)
        opened = world.post(url)
        assert opened.status_code == 200, opened.text
        return cls(world, url, opened, session_of(opened))

    def act(self, act: str, /, **fields: Any) -> TestResponse:
        return self.world.post(f"/preferences/my/{act}", data={"session": self.session, **fields})

    def told(self, act: str, /, **fields: Any) -> str:
        """What the page says after an act."""
        answer = self.act(act, **fields)
        found = _TOLD.search(answer.text)
        assert answer.status_code == 200 and found, answer.text
        return found[1]

    def join(self, slug: str) -> str:
        row = self.world.parts.catalogue.by_slug(slug)
        assert row is not None
        return self.told("join", list=slug, wording=row.wording_id)
