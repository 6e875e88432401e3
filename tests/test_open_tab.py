"""The page of a sign-up that is still open vouches for its confirm page (what the server has to say to it)."""

import re

import pytest

from tests.builders import ANNE, BART, NEWS, World
from tests.typed import ask_again, page, visit

METHOD = "confirmed in the browser of the sign-up, whose page was still open"


def mark(html: str) -> str:
    (found,) = re.findall(r'data-mark="([0-9a-f]+)"', html)
    return str(found)


def marks(html: str) -> list[str]:
    (found,) = re.findall(r'data-marks="([0-9a-f ]+)"', html)
    return str(found).split()


def methods(world: World) -> list[object]:
    return [one.details["method"] for one in world.evidence() if one.fact == "confirmed"]


def test_the_open_page_of_the_sign_up_confirms_and_the_evidence_says_so(world: World) -> None:
    handle = visit(world)
    answer = world.post(world.confirm_link(), data={"tab": handle})
    assert answer.status_code == 200 and "You are subscribed" in answer.text
    assert methods(world) == [METHOD]


def test_the_page_vouches_for_the_link_of_another_mail_that_it_asked_for(world: World) -> None:
    handle = visit(world)
    world.clock.forward(minutes=15)
    ask_again(world, handle)
    world.post(world.confirm_link(), data={"tab": handle})
    assert methods(world) == [METHOD]


@pytest.mark.parametrize("tab", ["of another", "x", "A" * 40, "A" * 22, "\x00"])
def test_any_other_page_confirms_nothing_and_the_button_is_left(world: World, tab: str) -> None:
    visit(world)
    link = world.confirm_link()
    tab = visit(world, BART) if tab == "of another" else tab
    answer = world.post(link, data={"tab": tab})
    assert answer.status_code == 200 and "Yes, subscribe me" in answer.text
    assert "data-tab" not in answer.text and "<script" not in answer.text
    assert world.subscriptions() == []
    assert world.post(link).status_code == 200
    assert methods(world) == ["button on the confirmation page"]


def test_the_button_is_no_open_page(world: World) -> None:
    visit(world)
    world.post(world.confirm_link(), data={"tab": ""})
    assert methods(world) == ["button on the confirmation page"]


def test_the_two_pages_of_a_sign_up_know_each_other_by_a_mark_and_no_others_do(world: World) -> None:
    handle, other = visit(world), visit(world, BART)
    link = world.confirm_link()
    asks = mark(world.get(link).text)
    assert marks(page(world, handle).text)[0] == asks
    assert asks not in marks(page(world, other).text)
    assert mark(world.post(link).text) == asks
    assert handle not in world.get(link).text


def test_a_mark_is_no_reference_and_no_handle(world: World) -> None:
    handle = visit(world)
    [row] = world.registrations()
    told = marks(page(world, handle).text)
    assert len(set(told)) == 8 and row.ref.hex() not in told
    for one in told:
        assert world.post(world.confirm_link(), data={"tab": one}).status_code == 200
    assert world.subscriptions() == []


@pytest.mark.parametrize("hours", [24, 24 * 20])
def test_an_open_page_makes_no_link_live_longer(world: World, hours: int) -> None:
    handle = visit(world)
    link = world.confirm_link()
    world.clock.forward(hours=hours)
    answer = world.post(link, data={"tab": handle})
    assert answer.status_code == 410 and world.subscriptions() == []


def test_pages_that_talk_to_each_other_may_run_our_script_and_nothing_else(world: World) -> None:
    handle = visit(world)
    link = world.confirm_link()
    for answer in (page(world, handle), world.get(link), world.post(link), world.get(link)):
        assert answer.headers["Content-Security-Policy"].endswith("; script-src 'self'")
        assert answer.text.count("<script") == answer.text.count('<script src="/static/open-tab.js?v=') == 1
    assert "script-src" not in world.get(f"/subscribe/{NEWS}").headers["Content-Security-Policy"]
    assert "script-src" not in world.get(world.leave_link(ANNE)).headers["Content-Security-Policy"]


@pytest.mark.parametrize("came_from", ["cross-site", "same-site", "none", None])
def test_a_page_that_another_site_or_a_mail_has_opened_is_no_page_of_a_sign_up(
    world: World, came_from: str | None
) -> None:
    """Who signs a stranger up could put it into the stranger's browser: to look at the link would confirm it."""
    handle = visit(world)
    answer = world.get(
        f"/subscribe/{NEWS}/check-inbox?r={handle}", headers={"Sec-Fetch-Site": came_from} if came_from else {}
    )
    assert answer.status_code == 200 and 'name="code"' in answer.text
    assert "data-tab" not in answer.text and "<script" not in answer.text
