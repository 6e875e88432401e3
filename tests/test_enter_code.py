"""The code of the mail, typed where the sign-up was made: it confirms, and three wrong ones are enough."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.settings import Lifecycle, Limits, Server
from subscriptions.store.models import Counted, CountedKey
from subscriptions.web.api import subscriptions as api
from tests.builders import ANNE, BART, NEWS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.typed import WRONG, code_in, send_code, type_code, visit

pytestmark = BY_DAY_ON_SQLITE

SPENT = "can no longer enter a code here"
WAYS: dict[str, Callable[[World, str, str], TestResponse]] = {"page": type_code, "json": send_code}
BOTH = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
Way = Callable[[World, str, str], TestResponse]


def code(world: World, address: str = ANNE) -> str:
    return code_in(world.mails(address)[-1])


@BOTH
def test_the_code_of_the_mail_confirms_as_often_as_it_is_sent(world: World, way: Way) -> None:
    handle = visit(world)
    assert [way(world, handle, code(world)).status_code for _ in range(5)] == [200] * 5
    [subscription] = world.subscriptions()
    assert (subscription.state, subscription.address) == ("confirmed", ANNE)
    assert [one.fact for one in world.evidence()].count("confirmed") == 1


def test_the_page_of_a_right_code_is_that_of_the_button(world: World) -> None:
    handle = visit(world)
    answer = type_code(world, handle, code(world).lower().replace("-", " "))
    assert "You are subscribed" in answer.text and "/unsubscribe/" in answer.text and ANNE in answer.text


def test_json_names_the_list_of_the_sign_up(world: World) -> None:
    handle = visit(world, slug=OFFERS)
    assert send_code(world, handle, code(world)).get_json() == {"status": "confirmed", "list": OFFERS}


@pytest.mark.parametrize(
    ("way", "channel", "method"),
    [(type_code, "form", "code typed on the page of the sign-up"), (send_code, "api", "code sent by the client")],
)
def test_the_evidence_says_that_it_was_a_code_and_whence(world: World, way: Way, channel: str, method: str) -> None:
    handle = visit(world)
    way(world, handle, code(world))
    [confirmed] = [one for one in world.evidence() if one.fact == "confirmed"]
    assert (confirmed.channel, confirmed.ip) == (channel, "203.0.113.7")
    assert confirmed.details["method"].startswith(method)


@pytest.mark.parametrize("slug", [NEWS, OFFERS])
def test_a_welcome_mail_is_owed_as_after_the_button(world: World, slug: str) -> None:
    handle = visit(world, slug=slug)
    type_code(world, handle, code(world))
    assert len(world.mails(ANNE)) == 1 + (slug == OFFERS)


LINK_WORKS = {  # while there are tries, and then
    type_code: ("You can also use the link in the email.", "The link in the email still works: please open it."),
    send_code: (api._WRONG.partition("{}. ")[2], api._OVER),
}


@BOTH
def test_three_wrong_codes_are_enough_and_then_a_right_one_does_nothing(world: World, way: Way) -> None:
    handle = visit(world)
    said = [way(world, handle, WRONG) for _ in range(3)] + [way(world, handle, code(world))]
    assert [one.status_code for one in said] == [422] * 4
    assert world.subscriptions() == []
    works, over = LINK_WORKS[way]
    assert [[text in one.text for text in (works, over)] for one in said] == [[True, False]] * 2 + [[False, True]] * 2
    assert world.post(world.confirm_link()).status_code == 200


def test_the_page_says_how_many_tries_are_left_and_then_takes_no_more(world: World) -> None:
    handle = visit(world)
    said = [type_code(world, handle, WRONG).text for _ in range(4)]
    assert "2 more tries" in said[0] and "1 more try" in said[1]
    assert SPENT in said[2] and SPENT in said[3]
    assert ['name="code"' in one for one in said] == [True, True, False, False]


def test_json_counts_the_tries_that_are_left(world: World) -> None:
    handle = visit(world)
    said = [send_code(world, handle, WRONG).get_json() for _ in range(4)]
    assert [one["tries_left"] for one in said] == [2, 1, 0, 0]
    assert "tries_left" not in send_code(world, handle, "K7QM").get_json()


def test_a_right_code_before_the_third_wrong_one_confirms(world: World) -> None:
    handle = visit(world)
    said = [type_code(world, handle, typed).status_code for typed in (WRONG, WRONG, code(world), WRONG)]
    assert said == [422, 422, 200, 422]


@BOTH
@pytest.mark.parametrize("typed", ["", "K7QM", "K7QM-2XW0", "K7QM-2XWDD", "x" * 5000, "\x00"])
def test_what_can_be_no_code_costs_no_try(world: World, way: Way, typed: str) -> None:
    handle = visit(world)
    assert {way(world, handle, typed).status_code for _ in range(5)} == {422}
    assert way(world, handle, code(world)).status_code == 200


def test_a_code_of_another_sign_up_is_wrong(world: World) -> None:
    anne, bart = visit(world, ANNE), visit(world, BART)
    assert type_code(world, anne, code(world, BART)).status_code == 422
    assert type_code(world, bart, code(world, ANNE)).status_code == 422
    assert world.subscriptions() == []


@BOTH
@pytest.mark.parametrize("handle", ["", "x", "A" * 22, "A" * 40, "é" * 40])
def test_a_handle_that_is_not_ours_is_answered_like_one_whose_tries_are_used_up(
    world: World, way: Way, handle: str
) -> None:
    ours = visit(world)
    answers = [way(world, one, WRONG) for one in [ours] * 4 + [handle]]
    assert [one.status_code for one in answers] == [422] * 5
    assert ("no longer enter" in answers[-1].text) and ("no longer enter" in answers[-2].text)
    assert tries(world) == 2


def tries(world: World) -> int:
    """How many keys have tries counted."""
    return world.count(CountedKey, CountedKey.kind == Counted.TRIES)


DAY = timedelta(hours=24)


@BOTH
@pytest.mark.parametrize(("age", "status"), [(DAY - timedelta(seconds=1), 200), (DAY, 422), (DAY * 29, 422)])
def test_a_right_code_is_as_late_as_the_link(world: World, way: Way, age: timedelta, status: int) -> None:
    handle, right = visit(world), code(world)
    world.clock.forward(seconds=age.total_seconds())
    assert way(world, handle, WRONG).status_code == 422
    answer = way(world, handle, right)
    assert (answer.status_code, len(world.subscriptions())) == (status, int(status == 200))
    assert ("link in our newest email" in answer.text) is (status == 422)


def test_a_right_code_of_a_sign_up_that_is_gone_says_so(world: World) -> None:
    handle, right = visit(world), code(world)
    world.post(world.not_me_link(ANNE))
    assert type_code(world, handle, WRONG).status_code == 422
    assert type_code(world, handle, right).status_code == 410


def burn(world: World, wrong: int, address: str = ANNE) -> None:
    """Wrong codes, three a visit, on sign-ups of their own that the budget allows."""
    for n in range(wrong):
        if n % 3 == 0:
            world.clock.forward(minutes=15)
            handle = visit(world, address, (NEWS, OFFERS)[n // 3 % 2])
        assert type_code(world, handle, WRONG).status_code == 422
    world.deliver()  # several that wait leave together, in no order


@pytest.mark.parametrize(("wrong", "status"), [(17, 200), (18, 422)])
def test_eighteen_wrong_codes_a_day_are_enough_for_an_address(
    make_app: Callable[..., Flask], world: World, wrong: int, status: int
) -> None:
    app = make_app(limits=Limits(confirmations_per_address=()))
    with app.app_context():
        free = World(app, app.test_client(), world.clock)
        burn(free, wrong)
        free.clock.forward(minutes=15)
        handle = visit(free)
        answer = type_code(free, handle, code(free))
        assert answer.status_code == status
        assert status == 200 or ("2 more tries" in answer.text and free.post(free.confirm_link()).status_code == 200)
        free.clock.forward(hours=21)
        fresh = visit(free, BART)
        assert type_code(free, fresh, code(free, BART)).status_code == 200


def test_the_tries_of_an_address_are_back_the_next_day(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(limits=Limits(confirmations_per_address=()))
    with app.app_context():
        free = World(app, app.test_client(), world.clock)
        burn(free, 18)
        free.clock.forward(hours=24)
        handle = visit(free)
        assert type_code(free, handle, code(free)).status_code == 200


def test_nobody_uses_up_the_tries_of_an_address_with_one_visit(world: World) -> None:
    handle = visit(world)
    for _ in range(30):
        type_code(world, handle, WRONG)
    world.clock.forward(minutes=15)
    other = visit(world)
    assert type_code(world, other, code(world)).status_code == 200


@pytest.mark.parametrize(("hours", "kept"), [(23.9, 2), (24, 0)])
def test_tries_are_forgotten_when_their_day_is_over(world: World, hours: float, kept: int) -> None:
    type_code(world, visit(world), WRONG)
    assert tries(world) == 2
    world.clock.forward(hours=hours)
    world.run("tidy")
    assert tries(world) == kept


def test_three_tries_are_all_while_a_sign_up_can_be_confirmed(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(lifecycle=Lifecycle(confirm_within_hours=72))
    with app.app_context():
        slow = World(app, app.test_client(), world.clock)
        handle = visit(slow)
        for _ in range(3):
            type_code(slow, handle, WRONG)
        slow.clock.forward(hours=71, minutes=59)
        slow.run("tidy")
        assert SPENT in type_code(slow, handle, code(slow)).text


def test_codes_and_handles_go_on_working_after_a_rotation_of_the_keys(
    make_app: Callable[..., Flask], world: World
) -> None:
    handle, right = visit(world), code(world)
    server = world.parts.settings.server
    keys = ("a new secret key", *server.secret_keys)
    app = make_app(server=Server(data_dir=server.data_dir, pepper=server.pepper, secret_keys=keys))
    with app.app_context():
        rotated = World(app, app.test_client(), world.clock)
        assert type_code(rotated, handle, WRONG).status_code == 422
        assert type_code(rotated, handle, right).status_code == 200


def test_no_code_and_no_handle_lies_in_the_database(world: World) -> None:
    from tests.test_contracts import everything

    handle = visit(world)
    right = code(world)
    type_code(world, handle, WRONG)
    type_code(world, handle, right)
    kept = {name: rows for name, rows in everything().items() if name != "mailbox"}
    assert handle not in repr(kept)
    assert right not in repr(kept) and right.replace("-", "") not in repr(kept)
