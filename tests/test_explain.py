"""`yestwice explain`: what happened to an address, why it got no email, and what comes next."""

import json
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from subscriptions.actions import erase, suppress
from subscriptions.cli.explain import story
from subscriptions.clock import local_time
from subscriptions.domain.address import parse
from subscriptions.settings import Limits
from tests.builders import ANNE, NEWS, OFFERS, Movable, World, at, through
from tests.support.relay import Relay

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def told(world: World, address: str = ANNE) -> str:
    return "\n".join(story(world.parts.links.key(parse(address).folded)))


@pytest.fixture
def mailed(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def test_the_command_tells_the_story_on_stdout(world: World) -> None:
    world.sign_up(ANNE)
    result = world.app.test_cli_runner().invoke(args=["explain", "Anne@Example.org"])
    assert (result.exit_code, result.stdout.splitlines()) == (0, told(world).splitlines())


def test_of_an_unknown_address_nothing_is_known(world: World) -> None:
    assert told(world) == "Nothing is stored about this address: it never signed up, or everything has been deleted."


def test_a_closed_budget_says_until_when(world: World) -> None:
    at(world, "2026-11-24T14:17")
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(minutes=3)
    world.sign_up(ANNE)
    assert "as many emails as we send (1 in 15 minutes, 3 in 24 hours, 5 in 30 days):" in told(world)
    assert "a sign-up before 24 November 2026, 14:32 UTC is answered as usual, but sends no email." in told(world)
    assert "Signed up 2 times in all." in told(world)
    world.clock.forward(minutes=12)
    assert "as many emails" not in told(world)


def test_a_mail_that_waits_for_the_budget_says_when_it_leaves(world: World) -> None:
    at(world, "2026-11-24T14:17")
    world.sign_up(ANNE, NEWS)
    world.sign_up(ANNE, OFFERS)
    assert "The confirmation email is waiting until 24 November 2026, 14:32 UTC" in told(world)
    assert "The confirmation email is about to be sent." in told(world)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"by": "page"}, "Stopped: this address gets no confirmation emails (this was not me, set on"),
        (ONE_CLICK, "gets no confirmation emails for Newsletter until 23 December 2026, 12:00 UTC"),
    ],
    ids=["button", "one-click"],
)
def test_this_was_not_me_is_told(world: World, data: dict[str, str], sentence: str) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE), data=data)
    assert sentence in told(world)


def test_a_suppression_by_hand_is_told_with_its_reason(world: World) -> None:
    key = world.parts.links.key(parse(ANNE).folded)
    suppress.suppress(key, "all", "asked by letter", world.clock.now(), world.parts.policy, "command line")
    assert "this address gets no email at all (asked by letter, set on" in told(world)


def test_the_word_of_the_relay_and_the_next_try_are_told(mailed: World, relay: Relay) -> None:
    relay.behave("rcpt", "451 4.7.1 greylisted, come back")
    mailed.sign_up(ANNE)
    mailed.deliver()
    said = 'the mail server said "RCPT TO: 451 4.7.1 greylisted, come back" (attempt 1); next attempt on 23 November'
    assert said in told(mailed)


def test_a_welcome_mail_that_waits_is_told_too(mailed: World, relay: Relay) -> None:
    mailed.sign_up(ANNE, OFFERS)
    mailed.deliver()
    mailed.post(mailed.parts.links.confirm_url(mailed.registrations()[0].ref))
    relay.behave("rcpt", "451 4.7.1 greylisted")
    mailed.deliver()
    assert "The welcome email is waiting: the mail server said" in told(mailed)


def test_a_mail_that_was_given_up_is_told(mailed: World, relay: Relay) -> None:
    relay.behave("rcpt", "550 5.1.1 no such user")
    mailed.sign_up(ANNE)
    mailed.deliver()
    assert 'the confirmation email was given up; the mail server said "RCPT TO: 550 5.1.1 no such user"' in told(mailed)


def test_what_the_relay_said_when_it_took_the_mail_is_told(mailed: World) -> None:
    mailed.sign_up(ANNE)
    mailed.deliver()
    assert 'the mail server took the confirmation email: "250' in told(mailed)
    assert "with hashes for its links and code, it is the same, byte for byte." in told(mailed)


def test_of_a_mail_to_one_who_is_erased_only_the_hashes_are_told(world: World) -> None:
    world.subscribe(ANNE)
    assert "byte for byte" in told(world)
    erase.ask(world.parts.links.key(ANNE), world.clock.now(), world.parts.policy, "command line")
    world.run("deliver")
    assert "It cannot be rebuilt: the person" in told(world)
    assert "byte for byte" not in told(world)


def test_a_mail_whose_time_is_over_is_not_promised(mailed: World, relay: Relay) -> None:
    relay.behave("rcpt", "451 4.7.1 greylisted")
    mailed.sign_up(ANNE)
    mailed.deliver()
    mailed.clock.forward(hours=24)
    assert "next try" not in told(mailed)
    assert "The confirmation email will not be sent" in told(mailed)


def test_a_pending_one_says_until_when_it_can_be_confirmed(world: World) -> None:
    world.sign_up(ANNE)
    said = "Now: not confirmed yet. It can be confirmed until 24 November 2026, 12:00 UTC; then it is blocked."
    assert said in told(world)


def test_a_blocked_one_says_when_it_is_deleted(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=24)
    assert "Now: blocked, because nobody confirmed it in time. It is deleted on 23 December 2026, 12:00 UTC." in told(
        world
    )


def test_chapters_are_told_one_by_one(world: World) -> None:
    for _ in range(2):
        world.subscribe(ANNE)
        world.post(world.leave_link(ANNE))
    assert told(world).count("Subscription to Newsletter, confirmed ") == 2
    assert told(world).count("Its proof is kept until 1 January 2030, 00:00 UTC.") == 2


def test_a_subscriber_reads_as_subscribed_with_both_acts(world: World) -> None:
    world.subscribe(ANNE, remote_addr="192.0.2.1")
    world.sign_up(ANNE)
    text = told(world)
    assert "signed up by a website’s own form or a program from 192.0.2.1" in text
    assert "confirmed by the button on the confirmation page from 203.0.113.7" in text
    assert "somebody signed this address up again by a website’s own form or a program." in text
    assert "Now: subscribed." in text


def test_an_erasure_that_waits_says_until_when(world: World) -> None:
    world.subscribe(ANNE)
    key = world.parts.links.key(parse(ANNE).folded)
    erase.ask(key, world.clock.now(), world.parts.policy, "command line")
    assert "Erasure was requested: it is done by 23 November 2026, 13:15 UTC at the latest." in told(world)
    world.run("deliver")
    assert "the person was erased from this record." in told(world)


def test_explaining_an_address_changes_nothing(world: World) -> None:
    world.sign_up(ANNE)
    assert told(world) == told(world)
    assert len(world.evidence()) == 1


def test_the_story_never_holds_the_address_or_the_name(world: World) -> None:
    world.subscribe(ANNE, name="Annabella")
    world.sign_up(ANNE)
    world.post(world.leave_link(ANNE))
    assert ANNE not in told(world)
    assert "Annabella" not in told(world)


def test_the_consent_text_is_told_word_for_word(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    world.sign_up(ANNE, wording=row.wording_id)
    text = world.parts.catalogue.wordings[row.wording_id].text
    lines = [f"    Consent text {row.wording_id}, word for word:", *(f"    | {line}" for line in text.splitlines())]
    assert "\n".join(lines) in told(world)


def test_times_of_evidence_are_exact_and_have_the_lists_zone_beside(world: World) -> None:
    at(world, "2026-11-24T14:17:42")
    world.sign_up(ANNE)
    [row] = world.registrations()
    here = local_time(world.parts.catalogue.lists[row.list_id], row.registered_at)
    beside = "" if here.endswith(" UTC") else f" ({here})"
    assert f"Signed up for Newsletter, 2026-11-24T14:17:42Z{beside}:" in told(world)
    assert f"  2026-11-24T14:17:42Z{beside}: signed up by a website’s own form" in told(world)
    row.timezone = "Europe/Berlin"  # type: ignore[attr-defined]
    assert local_time(row, row.registered_at) == "2026-11-24 15:17:42 CET"


def test_what_was_confirmed_in_the_browser_is_not_confirmed_twice(world: World) -> None:
    handle = world.sign_up(ANNE).get_json()["registration"]
    world.post(world.confirm_link(ANNE), data={"tab": handle})
    assert ": confirmed in the browser of the sign-up, whose page was still open" in told(world)
    assert "confirmed by confirmed" not in told(world)


def test_the_budget_is_told_as_it_is_configured(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app(limits=Limits(confirmations_per_address=("1/20m", "2/1h", "9/24h", "20/14d")))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.sign_up(ANNE, NEWS)
        world.sign_up(ANNE, OFFERS)
        assert "at most 1 in 20 minutes, 2 in 1 hour, 9 in 24 hours, 20 in 14 days." in told(world)
        assert "15 minutes" not in told(world)


def test_programs_are_told_the_same_as_json(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    world.subscribe(ANNE, name="Annabella", wording=row.wording_id)
    result = world.app.test_cli_runner().invoke(args=["explain", ANNE, "--json"])
    assert result.exit_code == 0 and ANNE not in result.stdout and "Annabella" not in result.stdout
    said = json.loads(result.stdout)
    [sign_up], [subscription] = said["sign_ups"], said["subscriptions"]
    assert (sign_up["list"], sign_up["registered_at"], sign_up["now"]) == (NEWS, "2026-11-23T12:00:00Z", "confirmed.")
    assert [fact["fact"] for fact in sign_up["evidence"]] == ["registered", "mailed", "confirmed"]
    assert sign_up["evidence"][0]["wording_text"] == world.parts.catalogue.wordings[row.wording_id].text
    assert (subscription["now"], said["standing"][-1], said["never_mailed"]) == (
        "subscribed.", "Signed up 1 time in all.", [],
    )  # fmt: skip
    unknown = world.app.test_cli_runner().invoke(args=["explain", "nobody@example.org", "--json"])
    assert json.loads(unknown.stdout) == {"sign_ups": [], "subscriptions": [], "standing": [], "never_mailed": []}
