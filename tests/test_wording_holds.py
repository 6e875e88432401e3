"""One wording holds from the sign-up on, whichever way it came: mail, page, evidence and subscription name that one."""

from collections.abc import Callable

from werkzeug.test import TestResponse

from subscriptions.store.models import Wording
from tests.builders import ANNE, NEWS, OFFERS, World, bearer, text_of
from tests.preferences import Page
from tests.typed import code_in, send_code, visit

Way = Callable[[World, str], TestResponse | None]
NEW = "anne@example.net"


def wording(world: World, slug: str) -> Wording:
    row = world.parts.catalogue.by_slug(slug)
    assert row is not None
    return world.parts.catalogue.wordings[row.wording_id]


def several(world: World, address: str) -> TestResponse:
    body = {"email": address, "lists": [OFFERS, NEWS], "wordings": {OFFERS: wording(world, OFFERS).id}}
    return world.post("/api/v1/subscriptions", json=body)


# whether the wording was vouched for, by list; and how somebody signs up
WAYS: dict[str, tuple[dict[str, bool], Way]] = {
    "JSON": ({NEWS: False}, lambda world, address: world.sign_up(address)),
    "JSON that vouches": ({NEWS: True}, lambda world, address: world.sign_up(address, wording=wording(world, NEWS).id)),
    "a program": ({NEWS: False}, lambda world, address: world.sign_up(address, headers=bearer("subscribe"))),
    "a form": ({NEWS: False}, lambda world, address: world.sign_up_by_form(address)),
    "a form without": ({NEWS: False}, lambda world, address: world.sign_up_by_form(address, wording="")),
    "several": ({NEWS: False, OFFERS: True}, several),
}


def test_whichever_way_somebody_signs_up_one_wording_is_kept_mailed_shown_and_confirmed(world: World) -> None:
    for number, (vouched, way) in enumerate(WAYS.values()):
        way(world, f"visitor-{number}@example.org")
        holds(world, f"visitor-{number}@example.org", vouched)


def holds(world: World, address: str, vouched: dict[str, bool]) -> None:
    """What names the wording before the button is pressed, and after."""
    texts = {slug: wording(world, slug) for slug in vouched}
    named = {one.id: one.sha256 for one in texts.values()}
    rows = [one for one in world.registrations() if one.address == address]
    mail = world.mails(address)[-1]
    page = world.get(world.confirm_link(address)).text
    assert world.post(world.confirm_link(address)).status_code == 200
    proofs = {fact: [one.details for one in world.evidence() if one.fact == fact and one.registration_id == row.id]
              for row in rows for fact in ("registered", "mailed", "confirmed")}  # fmt: skip
    assert [(row.wording_id, row.vouched) for row in rows] == [(texts[slug].id, vouched[slug]) for slug in vouched]
    for one in texts.values():
        assert one.text in " ".join(text_of(mail).split()) and one.text in page
        assert f'data-wording="{one.id}" data-sha256="{one.sha256}"' in page
    assert [proof["wordings"] for proof in proofs["mailed"]] == [named]
    for row in rows:
        told = {one.fact: one.details for one in world.evidence() if one.registration_id == row.id}
        agreed = {"wording": row.wording_id, "wording_sha256": named[row.wording_id or ""]}
        assert told["registered"].items() >= (agreed | {"vouched": row.vouched}).items()
        assert told["confirmed"].items() >= agreed.items()
    assert {one.wording_id for one in world.subscriptions() if one.address == address} == {*named}


def test_a_code_and_a_change_of_address_agree_to_the_same(world: World) -> None:
    handle = visit(world)
    send_code(world, handle, code_in(world.mails(ANNE)[-1]))
    assert world.evidence()[-1].details["wording"] == wording(world, NEWS).id
    world.clock.forward(minutes=15)
    Page.of(world, ANNE).told("move", email=NEW)
    holds(world, NEW, {NEWS: False})


def test_who_is_subscribed_already_keeps_the_wording_that_they_agreed_to_first(world: World) -> None:
    world.sign_up()
    world.clock.forward(minutes=15)
    world.sign_up(wording=wording(world, NEWS).id)
    links = {world.parts.links.confirm_url(row.ref) for row in world.registrations()}
    assert [world.post(link).status_code for link in links] == [200, 200]
    world.clock.forward(minutes=15)
    world.sign_up()
    kept = [one for one in world.evidence() if one.fact in ("confirmed", "asked again")]
    told = [(one.fact, one.details.get("wording")) for one in kept]
    agreed = "confirmed", wording(world, NEWS).id
    assert told == [agreed, agreed, ("asked again", None)]
    assert [one.wording_id for one in world.subscriptions()] == [wording(world, NEWS).id]


def test_a_fresh_mail_for_who_was_too_late_asks_for_todays_wording_which_no_form_vouched_for(world: World) -> None:
    world.sign_up(wording=wording(world, NEWS).id)
    link = world.confirm_link()
    world.clock.forward(hours=24)
    assert world.post(f"{link}/again").status_code == 303
    assert [row.vouched for row in world.registrations()] == [True, False]
    assert {row.wording_id for row in world.registrations()} == {wording(world, NEWS).id}
