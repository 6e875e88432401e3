"""Of whom there is a proof, and of whom there is none: pending, blocked, ended, erased, over (E-06, E-13, E-14)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.actions import erase
from subscriptions.domain.address import parse
from tests.builders import ANNE, NEWS, OFFERS, Movable, World, through
from tests.losses import hold
from tests.proofs import asked, proof, subscribe
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was

__all__ = ["logging_as_it_was"]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def refused(world: World, folder: Path, slug: str = NEWS) -> str:
    result = asked(world, folder, slug=slug)
    assert (result.exit_code, result.stdout, folder.exists()) == (1, "", False)
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def forget(world: World) -> None:
    """Erase her, as the command does, and let the hour pass."""
    key = world.parts.links.key(parse(ANNE).folded)
    erase.ask(key, world.clock.now(), world.parts.policy, "command line")
    world.deliver()
    world.clock.forward(hours=1)
    erase.finish(key, world.clock.now(), world.parts.policy)


def test_where_nobody_has_consented_one_sentence_says_so(world: World, relay: Relay, tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    assert "Nothing is stored that proves a consent of this address to Newsletter" in refused(world, folder)
    world.sign_up(ANNE)
    said = refused(world, folder)
    assert "signed up for Newsletter on 23 November 2026, 12:00 UTC, and nobody has confirmed yet" in said
    world.clock.forward(hours=24)
    assert "nobody confirmed in time: there is no consent to prove." in refused(world, folder)
    world.clock.forward(days=31)
    assert "Nothing is stored that proves" in refused(world, folder)


def test_a_consent_to_another_list_proves_nothing_here(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    assert "Nothing is stored that proves a consent of this address to Offers" in refused(world, tmp_path / "x", OFFERS)


def test_a_wrong_list_or_language_is_said_and_leaves_nothing(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    assert 'There is no list "nothing"' in refused(world, tmp_path / "x", "nothing")
    result = asked(world, tmp_path / "x", "--language", "tlh")
    assert (result.exit_code, (tmp_path / "x").exists()) == (1, False) and "The languages are:" in result.stderr
    (tmp_path / "file").touch()
    assert asked(world, tmp_path / "file").exit_code == 2


def test_an_ended_consent_says_from_when_until_when_and_how_it_ended(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    world.clock.forward(days=10)
    world.post(world.leave_link(ANNE))
    found = proof(world, tmp_path)
    assert "Consent was in force from then until 3 December 2026, 12:22:05 (UTC)." in found.words
    assert "Unsubscribed by" in found.words.partition("Annex E")[2]
    assert found.record["consents"][0]["state"] == "unsubscribed"


def test_who_comes_back_has_another_consent_with_its_own_evidence(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    world.post(world.leave_link(ANNE))
    world.clock.forward(days=40)
    subscribe(world, relay, remote_addr="192.0.2.99")
    found = proof(world, tmp_path / "proof")
    page_1 = found.html.partition("</section>")[0]
    assert "192.0.2.99" in page_1 and "192.0.2.1<" not in page_1 and "1 earlier consent of this address" in page_1
    assert "192.0.2.1" in found.words and "Consent was in force from then until" in found.words
    assert found.names == ["confirmation-2.eml", "confirmation.eml", "proof.html", "proof.json"]
    assert [one["file"] for one in found.record["consents"]] == ["confirmation.eml", "confirmation-2.eml"]


def test_an_erased_person_is_found_by_the_address_that_is_asked_about(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay, name="Anne")
    sent = relay.mails[0]
    forget(world)
    found = proof(world, tmp_path)
    assert (
        "This is the address you asked about." in found.words and found.record["record"]["address_is_stored"] is False
    )
    assert world.subscriptions()[0].address is None and world.subscriptions()[0].key.hex() in found.words
    assert "Deleted on 23 November 2026, 13:22:05 (UTC), when the person was erased." in found.words
    assert "192.0.2.1" not in found.words and "The person was erased from this record." in found.words
    assert "The email cannot be made again" in found.words and "confirmation.eml" not in found.names
    assert sent.message["Message-ID"] in found.words and "Consent was in force" in found.words


def test_the_mail_to_an_erased_person_is_made_again_where_it_greeted_nobody_by_name(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    before = proof(world, tmp_path / "before").mail
    forget(world)
    for spelled in (ANNE, "Anne@Example.ORG"):
        assert proof(world, tmp_path / "after" / spelled, address=spelled).mail == before


def test_the_proof_is_whole_without_ip_addresses(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    before = proof(world, tmp_path / "before")
    world.clock.forward(days=366)
    world.run("purge")
    found = proof(world, tmp_path / "after")
    assert "IP address: Deleted: its period ended on 23 November 2027, 12:07:05 (UTC)." in found.words
    assert "192.0.2.1" not in found.words and "2001:db8::7" not in found.words
    assert [found.mail, found.record["wordings"]] == [before.mail, before.record["wordings"]]
    assert "Consent has been in force since then." in found.words


def test_a_proof_ends_with_its_period_unless_somebody_holds_it(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    world.post(world.leave_link(ANNE))
    [row] = world.subscriptions()
    assert row.proof_until is not None
    world.clock.forward(seconds=(row.proof_until - world.clock.now() - timedelta(seconds=1)).total_seconds())
    assert "Consent was in force" in proof(world, tmp_path / "last second").words
    world.clock.forward(seconds=1)
    assert "its proof is over" in refused(world, tmp_path / "over")
    assert hold(world) is None
    assert "Consent was in force" in proof(world, tmp_path / "held").words
