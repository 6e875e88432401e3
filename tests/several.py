"""Lists with voluntary fields, and somebody who signs up for several of them on one form."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.settings import ListSettings
from subscriptions.store.models import Evidence, Registration
from tests.builders import ANNE, NEWS, OFFERS, Movable, World

EVENTS = "events"
FIELDS = ("salutation", "given_name", "family_name", "company: Company or club")
LISTS = (
    ListSettings(slug=NEWS, name="Newsletter", wording="Yes to the newsletter.", controller="Example Society",
                 policy_url="https://example.org/privacy", fields=("name", *FIELDS)),
    ListSettings(slug=OFFERS, name="Offers", wording="Yes to the offers.", welcome=True, fields=()),
    ListSettings(slug=EVENTS, name="Events", wording="Yes to the events."),
    ListSettings(slug="hidden", name="Hidden", public=False),
)  # fmt: skip


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """A world with those lists."""
    app = make_app(lists=LISTS)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def ask(world: World, *slugs: str, address: str = ANNE, **more: Any) -> TestResponse:
    """By JSON."""
    headers = more.pop("headers", {})
    body = {"email": address, "lists": list(slugs), "wordings": {slug: wording_of(world, slug) for slug in slugs}}
    return world.post("/api/v1/subscriptions", json=body | more, headers=headers)


def ask_by_form(world: World, *slugs: str, address: str = ANNE, query: str = "", **more: str) -> TestResponse:
    """As a browser sends it: the wording of every list, ticked or not."""
    wordings = {f"wording-{slug}": wording_of(world, slug) for slug in (NEWS, OFFERS, EVENTS)}
    return world.post(f"/subscribe{query}", data={"email": address, "lists": list(slugs), **wordings, **more})


def wording_of(world: World, slug: str) -> str:
    row = world.parts.catalogue.by_slug(slug)
    assert row is not None
    return row.wording_id


def slugs_of(world: World, rows: Sequence[Registration]) -> list[str]:
    return [world.parts.catalogue.lists[row.list_id].slug for row in rows]


def facts(world: World, slug: str) -> list[str]:
    """What the evidence of the sign-up for a list tells, in order."""
    [row] = [row for row in world.registrations() if slugs_of(world, [row]) == [slug]]
    return [one.fact for one in evidence_of(world, row)]


def evidence_of(world: World, row: Registration) -> list[Evidence]:
    return [one for one in world.evidence() if one.registration_id == row.id]


def states(world: World) -> dict[str, str]:
    """Of each list the state of the newest sign-up."""
    rows = world.registrations()
    return dict(zip(slugs_of(world, rows), (row.state for row in rows), strict=True))
