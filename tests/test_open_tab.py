"""The page of a sign-up that is still open vouches for its confirm page (what the server has to say to it)."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from subscriptions import web
from tests.builders import ANNE, BART, NEWS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.typed import BY_OUR_PAGE, ask_again, page, visit

pytestmark = BY_DAY_ON_SQLITE

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


OTHER_WAYS = [
    *({"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"} for site in ("cross-site", "same-site", "none")),
    {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Site": "same-origin"},
    {},
]


def address(handle: str, more: str = "&new=1") -> str:
    return f"/subscribe/{NEWS}/check-inbox?r={handle}{more}"


def vouches(answer: TestResponse) -> bool:
    return "data-tab" in answer.text or "<script" in answer.text


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_a_page_that_another_site_or_a_mail_has_opened_vouches_for_nothing_and_leaves_its_address(
    world: World, way: dict[str, str]
) -> None:
    """Who signs a stranger up could put it into the stranger's browser: to look at the link would confirm it."""
    handle = visit(world)
    answer = world.get(address(handle, "&new=1&lang=fr&again=1&also=offers&x=y"), headers=way)
    assert answer.status_code == 303 and not vouches(answer)
    left = parse_qs(urlsplit(answer.location).query)
    assert left == {"r": [handle], "lang": ["fr"], "again": ["1"], "also": ["offers"]}
    left_for = world.get(answer.location, headers=BY_OUR_PAGE)
    assert left_for.status_code == 200 and 'name="code"' in left_for.text and not vouches(left_for)


@pytest.mark.parametrize("more", ["", "&again=1", "&lang=de", "&also=offers"])
def test_an_address_without_the_stamp_vouches_for_nothing_whoever_leads_there(world: World, more: str) -> None:
    answer = world.get(address(visit(world), more), headers=BY_OUR_PAGE)
    assert answer.status_code == 200 and 'name="code"' in answer.text and not vouches(answer)


def sign_up(world: World, path: str, headers: dict[str, str]) -> TestResponse:
    return world.post(path, data={"email": ANNE, "lists": [NEWS, OFFERS]}, headers=headers)


@pytest.mark.parametrize("path", [f"/subscribe/{NEWS}", "/subscribe"])
def test_a_sign_up_leads_to_the_page_that_vouches(world: World, path: str) -> None:
    answer = sign_up(world, path, BY_OUR_PAGE)
    assert "&new=1" in answer.location and answer.headers["Referrer-Policy"] == "same-origin"
    assert vouches(world.get(answer.location, headers=BY_OUR_PAGE))


@pytest.mark.parametrize("path", [f"/subscribe/{NEWS}", "/subscribe"])
@pytest.mark.parametrize("way", OTHER_WAYS)
def test_a_form_that_another_site_sends_leads_to_a_page_that_vouches_for_nothing(
    world: World, path: str, way: dict[str, str]
) -> None:
    answer = sign_up(world, path, way)
    assert "new" not in parse_qs(urlsplit(answer.location).query)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not vouches(world.get(answer.location, headers=BY_OUR_PAGE))


def test_in_a_frame_nothing_vouches_even_where_it_is_shown_alone(world: World) -> None:
    frame = f"/embed/{NEWS}/frame"
    assert world.get(frame).headers["Referrer-Policy"] == "no-referrer"
    answer = sign_up(world, frame, BY_OUR_PAGE)
    assert "new" not in parse_qs(urlsplit(answer.location).query)
    for more in ("", "&new=1"):
        shown = world.get(answer.location + more, headers=BY_OUR_PAGE, follow_redirects=True)
        assert shown.status_code == 200 and "data-tab" not in shown.text and "open-tab.js" not in shown.text


def test_every_page_with_a_form_that_signs_up_says_to_ourselves_where_it_was_sent(world: World) -> None:
    """Firefox says of a redirect after a form without a referrer that nobody led there."""
    for path in (f"/subscribe/{NEWS}", "/subscribe"):
        bad = {"email": "anne@"}
        step = {"email": ANNE, "lists": NEWS, "website": "x"}
        answers = [world.get(path), world.post(path, data=bad), world.post(path, data=step)]
        assert [one.status_code for one in answers] == [200, 422, 422]
        assert "One more step" in answers[-1].text
        assert {one.headers["Referrer-Policy"] for one in answers} == {"same-origin"}


def test_who_asks_for_a_fresh_mail_by_the_button_of_an_old_one_gets_a_page_that_vouches(world: World) -> None:
    visit(world)
    link = world.confirm_link()
    world.clock.forward(hours=24)
    answer = world.post(f"{link}/again", headers=BY_OUR_PAGE)
    shown = world.get(answer.location, headers=BY_OUR_PAGE)
    assert mark(world.get(world.confirm_link()).text) in marks(shown.text)


@pytest.mark.parametrize("script", sorted(Path(web.__path__[0]).glob("static/*.js")), ids=lambda path: path.name)
def test_no_script_loads_a_page_again_or_goes_back_to_one(script: Path) -> None:
    """Browsers say of it that the page itself, which is ours, has led there."""
    text = script.read_text("utf-8").replace("location.ancestorOrigins", "")
    assert not re.search(r"\b(location|history|navigation)\b", text)
