"""The head leaves the house: every week to who keeps it, and with the weekly numbers; the desk says what is sealed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.actions import numbers
from subscriptions.domain import seal
from subscriptions.domain.figures import HowOften
from subscriptions.settings import BadSettings, Evidence
from subscriptions.settings.file import load
from subscriptions.store import accounts, seals
from subscriptions.store.engine import reading
from subscriptions.witness import proof
from subscriptions.witness.rows import Wrong
from tests.builders import BART, World, at, text_of
from tests.desk import OLA, at_the_desk
from tests.test_changes import act
from tests.test_commands import good, logging_as_it_was
from tests.test_seals_told import verified

__all__ = ["logging_as_it_was"]
KEEPER, OTHER = "keeper@example.net", "solicitor@example.net"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:  # type: ignore[misc]
    app = make_app(evidence=Evidence(head_to=(KEEPER, OTHER)))
    with app.app_context():
        yield app


def newest() -> seal.Seal:
    with reading() as session:
        found = seals.newest(session)
    assert found is not None
    return found


def test_the_head_is_mailed_at_once_and_then_on_mondays_and_can_be_compared(world: World, tmp_path: Path) -> None:
    world.run("numbers")
    assert world.mails(KEEPER) == []
    world.subscribe(BART)
    world.run("seal")
    world.run("numbers")
    world.run("numbers")
    (first,), (_,) = world.mails(KEEPER), world.mails(OTHER)
    assert seal.read_head(text_of(first)) == newest() and newest().hash.hex() in text_of(first, "html")
    file = tmp_path / "head.txt"
    file.write_text(text_of(first))
    assert "fits as well" in good(world, "evidence", "verify", "--against", str(file))
    at(world, "2026-11-29 12:00")
    world.run("numbers")
    assert len(world.mails(KEEPER)) == 1
    at(world, "2026-11-30 07:00")
    world.post(world.leave_link(BART))
    world.run("seal")
    world.run("numbers")
    assert seal.read_head(text_of(world.mails(KEEPER)[-1])) == newest()


def test_the_weekly_numbers_carry_the_head_and_the_daily_ones_do_not(world: World) -> None:
    at_the_desk(world, email=OLA)
    with reading() as session:
        account = accounts.by_email(session, OLA)
    assert account is not None
    world.run("numbers")
    for how_often, carries in ((HowOften.WEEKLY, True), (HowOften.DAILY, False)):
        numbers.choose(account.id, how_often, world.clock.now(), act(world), "de")
        world.subscribe(f"{how_often}@example.org")
        world.run("seal")
        world.clock.forward(days=8)
        world.run("numbers")
        text = text_of(world.mails(OLA)[-1])
        assert (newest().hash.hex() in text) is carries
        assert not carries or seal.read_head(text) == newest()


def test_who_is_no_address_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[evidence]\nhead_to = ["nobody"]\n')
    with pytest.raises(BadSettings, match=r'head_to in \[evidence\] contains "nobody"'):
        load({"SUBSCRIPTIONS_CONFIG": str(file)}, tmp_path)


def test_the_desk_says_how_much_is_sealed_and_when_last(world: World) -> None:
    person = at_the_desk(world)
    assert "Evidence: nothing is sealed yet." in person.get("/admin/health").text
    world.subscribe(BART)
    world.run("seal")
    assert f"Evidence: {newest().last} events are sealed, last on" in person.get("/admin/health").text


def test_after_going_live_the_chain_begins_anew(world: World) -> None:
    world.subscribe(BART)
    world.run("seal")
    good(world, "go-live", "--yes")
    world.run("seal")
    assert verified(world)["head"] is None and verified(world)["wrong"] is None


def test_a_proof_leads_to_the_first_and_the_last_head_that_was_mailed_and_to_one_that_is_named(world: World) -> None:
    world.subscribe(BART)
    for n in range(26):
        world.run("seal")
        world.run("numbers")
        world.clock.forward(days=1)
        world.sign_up(f"person{n}@example.org")
    with reading() as session:
        noted, event = seals.noted(session), world.evidence()[0].id
        assert noted is not None and len(noted.blocks) == 4
        first, last, other = (seals.find(session, block) for block in (noted.blocks[0], noted.blocks[-1], 13))
        document = {"sealed": seals.inclusion(session, [event])}
        named = {"sealed": seals.inclusion(session, [event], [13])}
    for head in (first, last, newest()):
        assert proof.verify(document, None, head)[0] == 1
    with pytest.raises(Wrong, match="made without this head"):
        proof.verify(document, None, other)
    assert proof.verify(named, world.parts.seal_key.public, other)[1] == 0
