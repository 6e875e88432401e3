"""The canary behind its own mailbox: no log line and no error says who it was, and no token is logged."""

import io
import logging
from collections.abc import Iterator

import pytest

from subscriptions import logs
from tests.builders import World
from tests.preferences import Page, ask
from tests.test_canary import CANARY, HEADERS, NAME, PEER, PERSON, sign_up

ELSEWHERE = "canary.kv47@example.net"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Every log line of the process, down to debug."""
    root, stream = logging.getLogger(), io.StringIO()
    kept, level = root.handlers[:], root.level
    root.handlers = []
    logs.setup(stream, logging.DEBUG)
    yield stream
    root.handlers = kept
    root.setLevel(level)


def test_nothing_that_is_logged_behind_the_mailbox_says_who_it_was(world: World, logged: io.StringIO) -> None:
    sign_up(world)
    world.clock.forward(minutes=15)
    page = Page.of(world, CANARY)
    acts = [
        page.act("correct", name=NAME),
        page.act("move", email=ELSEWHERE),
        page.act("never"),
        page.act("never-surely"),
        page.act("lift", scope="all"),
        world.get(page.link, headers=HEADERS, **PEER),
        world.post(f"{page.link}/again", headers=HEADERS, **PEER),
        world.post(f"{page.link}x", headers=HEADERS, **PEER),
        world.post("/preferences", data={"email": f"{CANARY}@"}, headers=HEADERS, **PEER),
    ]
    assert [one.status_code for one in acts] == [200, 422, 200, 200, 200, 410, 200, 404, 422]
    said = logged.getvalue()
    assert [word for word in PERSON if word in said.lower()] == []
    assert [one for one in (page.session, page.link.rpartition("/")[2]) if one in said] == []
    assert CANARY not in acts[5].text + acts[7].text


def test_no_address_stands_in_any_address_of_the_web(world: World) -> None:
    sign_up(world)
    world.clock.forward(minutes=15)
    page = Page.of(world, CANARY)
    assert "kv47" not in page.link + ask(world, CANARY).location
    assert "kv47" not in "".join(part for part in page.opened.text.split('"') if part.startswith("/"))
