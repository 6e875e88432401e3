"""What people and officers are told of rights: whose authority, who gets something, in which language, and by whom."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.domain.roles import Role
from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World, text_of
from tests.desk import at_the_desk
from tests.preferences import Page
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_commands import good, logging_as_it_was
from tests.test_desk_people import page_of
from tests.test_desk_requests import settled
from tests.test_my_data import taken
from tests.test_requests import PRIVACY, stored

__all__ = ["logging_as_it_was"]
pytestmark = BY_DAY_ON_SQLITE
AUTHORITY = "Data Protection Commissioner, 2 Example Street"
TOLD = f"The supervisory authority responsible for Example Society: {AUTHORITY}"


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """A German list whose authority is known; another controller has the other lists."""
    app = make_app(lists=(replace(LISTS[0], authority=AUTHORITY, locale="de"), *LISTS[1:]))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def test_the_authority_of_the_controller_is_named_wherever_a_complaint_is(world: World) -> None:
    world.subscribe(ANNE, locale="en")
    page = Page.of(world, ANNE)
    page.told("write", kind="complaint", words="Hello", list=NEWS)
    assert TOLD in page.act("show").text
    otto = at_the_desk(world, Role.PRIVACY)
    assert TOLD in otto.get(f"{page_of(world, ANNE)}/answers").text
    settled(otto, stored(world), "refuse", "It is the third.")
    mail = world.mails(ANNE)[-1]
    for part in ("plain", "html"):
        assert TOLD in " ".join(text_of(mail, part).split())


def test_the_officer_is_written_to_in_the_language_of_the_list(world: World) -> None:
    world.subscribe(ANNE, locale="en")
    Page.of(world, ANNE).told("write", kind="complaint", words="Hello", list=NEWS)
    world.deliver()
    assert [mail["Content-Language"] for mail in world.mails(PRIVACY)] == ["de"]
    assert world.mails(ANNE)[-1]["Content-Language"] == "en"


def test_nobody_is_said_to_get_something_whose_lists_a_person_has_nothing_to_do_with(world: World) -> None:
    world.subscribe(ANNE, locale="en")
    page = Page.of(world, ANNE)
    [recipient] = taken(page)["recipients"]
    assert "Example Society" in recipient and recipient in page.act("stored").text.replace("&lt;", "<").replace(
        "&gt;", ">"
    )
    world.subscribe(ANNE, OFFERS, locale="en")
    assert len(taken(Page.of(world, ANNE))["recipients"]) == 2


def test_who_placed_a_hold_by_a_command_is_said_in_words(world: World) -> None:
    good(world, "hold", "add", ANNE, "--reason", "case 7", "--review", "2027-03-01")
    page = at_the_desk(world, Role.PRIVACY).get("/admin/holds").text
    assert "(auf dem Server)" in page and "durch command" not in page
