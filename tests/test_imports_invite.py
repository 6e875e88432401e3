"""Who comes without proof is asked once, in turn, and not at all once too many come back or somebody says no."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.actions import undo
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.imports import Stage
from subscriptions.store import addresses
from subscriptions.store.engine import reading
from subscriptions.store.models import Invitation
from tests.builders import ANNE, BART, CRIS, NEWS, World, link_in, owed, text_of, through
from tests.conftest import ManualClock
from tests.imports import bring, the_import
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.support.relay import Relay
from tests.test_commands import good, refused
from tests.test_commands import logging_as_it_was as logging_as_it_was

pytestmark = BY_DAY_ON_SQLITE


def people(number: int) -> list[str]:
    return [f"p{n}@example{n % 7}.com" for n in range(number)]


def invite(world: World, folder: Path, addresses_: list[str], per_day: int = 200) -> None:
    bring(world, folder, "\n".join(addresses_) + "\n", "--invite", "--per-day", str(per_day))


def hours(world: World, number: int) -> Iterator[int]:
    """How many mails go out in each of the next hours, within which the job runs several times."""
    for _ in range(number):
        sent = world.deliver()
        for _ in range(2):
            world.clock.forward(minutes=30)
            world.run("imports")
            sent += world.deliver()
        yield sent


def days(world: World, number: int) -> None:
    """For a pace of one in a day."""
    for _ in range(number):
        world.clock.forward(days=1)
        world.run("imports")
        world.deliver()


def key_of(world: World, address: str) -> bytes:
    return world.parts.links.key(address)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


@pytest.fixture
def live(relay: Relay, make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_400_without_evidence_are_invited_over_two_days_each_once_and_180_confirm(world: World, tmp_path: Path) -> None:
    invite(world, tmp_path, people(400))
    assert world.subscriptions() == [] and len(world.registrations()) == 25
    began, to = world.clock.now(), set[str]()
    for sent in hours(world, 48):
        mails = world.mails()[-sent:] if sent else []
        to |= {str(mail["To"]) for mail in mails}
        for mail in mails[: 180 - len(world.subscriptions())][:12]:
            assert world.post(link_in(mail, "confirm")).status_code == 200
    days = Counter((row.registered_at - began).days for row in world.registrations())
    assert (days, len(to), the_import().stage) == ({0: 200, 1: 200}, 400, Stage.DONE)
    assert len([row for row in world.subscriptions() if row.is_open]) == 180


def test_an_invitation_says_who_asks_and_why_and_that_nothing_comes_of_doing_nothing(
    world: World, tmp_path: Path
) -> None:
    invite(world, tmp_path, [f"Anne <{ANNE}>"])
    [mail] = world.mails(ANNE)
    text = " ".join(text_of(mail).split())
    for said in (
        "Hello Anne,", "This address is on an older list of ours.", "so we ask you, once:", "List: Newsletter",
        "Provided by: Example Society", "If you do nothing, you get nothing.", "24 November 2026, 12:00",
    ):  # fmt: skip
        assert said in text
    assert "one-click" in mail["List-Unsubscribe-Post"].lower() and "not-me" in mail["List-Unsubscribe"]
    [fact, _] = world.evidence()
    assert (fact.fact, fact.channel, fact.details["row"]) == (Fact.REGISTERED, Channel.IMPORT, "1")
    assert world.post(link_in(mail, "confirm")).status_code == 200
    assert [(row.address, row.name) for row in world.subscriptions()] == [(ANNE, "Anne")]
    assert "invited to confirm, from a list that was imported" in good(world, "explain", ANNE)


def test_whoever_waits_is_no_sign_up_and_only_a_hash_is_left_once_they_are_invited(
    world: World, tmp_path: Path
) -> None:
    invite(world, tmp_path, [ANNE, BART], per_day=1)
    assert [row.address for row in world.registrations()] == [ANNE] and the_import().stage is Stage.INVITING
    assert world.count(Invitation, Invitation.address.is_(None), Invitation.key == key_of(world, ANNE)) == 1
    assert world.count(Invitation, Invitation.address == BART) == 1
    days(world, 1)
    assert world.count(Invitation, Invitation.address.is_not(None)) == 0 and the_import().stage is Stage.DONE


def test_nobody_is_asked_twice_by_any_import_within_a_year(world: World, tmp_path: Path) -> None:
    invite(world, tmp_path, [ANNE])
    world.clock.forward(days=40)
    world.run("block"), world.run("purge")
    assert world.registrations() == []
    invite(world, tmp_path, [ANNE, BART])
    assert [row.address for row in world.registrations()] == [BART] and the_import().counts == {"a": 1, "~": 1}
    world.clock.forward(days=326)
    world.run("imports")
    assert world.count(Invitation, Invitation.key == key_of(world, ANNE)) == 0


@pytest.mark.parametrize("no", ["suppressed", "erased", "signed up", "left"])
def test_who_says_no_or_yes_while_they_wait_is_not_asked(world: World, tmp_path: Path, no: str) -> None:
    invite(world, tmp_path, [ANNE, BART, CRIS], per_day=1)
    if no == "suppressed":
        good(world, "suppressions", "add", BART, "--scope", "confirmations", "--reason", "asked")
    elif no == "erased":
        assert "Erased" in good(world, "erase", BART, "--yes")
        assert world.count(Invitation, Invitation.key == key_of(world, BART)) == 0
    else:
        world.subscribe(BART)
        if no == "left":
            world.post(world.leave_link(BART))
    before = len(world.registrations())
    days(world, 3)
    new = [row.address for row in world.registrations()[before:]]
    assert new == [CRIS] and not [mail for mail in world.mails(BART) if "older list" in text_of(mail)]


def test_an_invitation_counts_as_a_mail_to_that_mailbox_and_waits_until_it_may_have_one(
    world: World, tmp_path: Path
) -> None:
    world.sign_up(ANNE, "offers")
    invite(world, tmp_path, [ANNE])
    assert [row.list_id for row in world.registrations()] == [2]
    world.clock.forward(minutes=15)
    world.run("imports")
    assert [row.list_id for row in world.registrations()] == [2, 1]
    with reading() as session:
        budget = addresses.budget(session, key_of(world, ANNE), None, world.parts.policy)
    assert budget.opens(world.clock.now()) > world.clock.now()


@ONE_DATABASE
def test_too_many_that_come_back_halt_it_until_a_person_lets_it_go_on(
    live: World, relay: Relay, tmp_path: Path
) -> None:
    invite(live, tmp_path, people(100), per_day=160)
    live.deliver()
    for n in (1, 2):  # of 20: one in ten
        gives_up(live, f"p{n}@example{n}.com")
    live.clock.forward(hours=1)
    assert (live.run("imports"), the_import().stage, len(live.registrations())) == (0, Stage.HALTED, 20)
    assert good(live, "import", "resume", str(the_import().id)) == "The invitations go on.\n"
    assert (live.run("imports"), the_import().stage) == (20, Stage.INVITING)
    assert "at another stage" in refused(live, "import", "resume", str(the_import().id))


@ONE_DATABASE
def test_nobody_waits_for_longer_than_a_month_for_an_import_that_has_halted(live: World, tmp_path: Path) -> None:
    invite(live, tmp_path, people(100), per_day=160)
    for n in (1, 2):
        gives_up(live, f"p{n}@example{n}.com")
    live.run("imports")
    live.clock.forward(days=30, seconds=-1)
    live.run("imports")
    assert live.count(Invitation, Invitation.address.is_not(None)) == 80
    live.clock.forward(seconds=1)
    live.run("imports")
    assert live.count(Invitation, Invitation.address.is_not(None)) == 0


def gives_up(world: World, address: str) -> None:
    """As a relay's 5xx for that recipient leaves it, or a mail that says so later."""
    from subscriptions.store import evidence
    from subscriptions.store.engine import transaction

    row = next(row for row in world.registrations() if row.address == address)
    with transaction() as session:
        evidence.add(session, Fact.MAIL_GIVEN_UP, world.clock.now(), Channel.RELAY, registration_id=row.id,
                     details={"mail": "invite", "reply": "550 5.1.1 no such user"})  # fmt: skip


@ONE_DATABASE
def test_while_the_relay_takes_nothing_nobody_more_is_invited(live: World, relay: Relay, tmp_path: Path) -> None:
    relay.behave("connect", "421 4.3.2 not now")
    invite(live, tmp_path, people(60), per_day=80)
    live.deliver()
    for _ in range(3):
        live.clock.forward(hours=1)
        live.run("imports")
        live.deliver()
    assert len(live.registrations()) == len(owed()) == 10
    relay.accept()
    live.clock.forward(minutes=10)
    live.deliver()
    live.run("imports")
    assert len(live.registrations()) == 20


def test_however_many_were_invited_in_the_day_all_are_taken_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(world, tmp_path, people(12), per_day=80)
    monkeypatch.setattr(undo, "BATCH", 3)
    assert good(world, "import", "undo", str(the_import().id), "--yes") == "12 removed.\n"
    assert world.registrations() == [] and world.count(Invitation, Invitation.address.is_not(None)) == 0


def test_undone_it_drops_who_waits_and_takes_back_what_nobody_has_answered(world: World, tmp_path: Path) -> None:
    invite(world, tmp_path, [ANNE, BART, CRIS], per_day=9)
    world.clock.forward(minutes=1)
    world.post(world.confirm_link(ANNE))
    assert good(world, "import", "undo", str(the_import().id), "--yes") == "2 removed.\n"
    assert [row.address for row in world.registrations()] == [ANNE] and the_import().stage is Stage.UNDONE
    assert (owed(), [row.address for row in world.subscriptions()], NEWS) == ([], [ANNE], NEWS)


@ONE_DATABASE
def test_one_mailbox_in_many_spellings_keeps_nobody_else_waiting(world: World, tmp_path: Path) -> None:
    invite(world, tmp_path, [*(f"anne+{n}@example.org" for n in range(60)), BART])
    for _ in range(4):
        world.clock.forward(minutes=1)
        world.run("imports")
    assert [row.address for row in world.registrations()].count(BART) == 1
