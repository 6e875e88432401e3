"""Proofs of what 0.2.0 has left: no wording, one hash for a mail, an erasure of then; and of a long life, in bounds."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.actions import leave
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain.address import parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.proof import OLDEST_PAGE
from tests.builders import ANNE, NEWS, Movable, World, link_in, parse_mail, through
from tests.proofs import asked, proof, subscribe
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was
from tests.upgraded import Upgraded

__all__ = ["logging_as_it_was"]


@pytest.fixture
def old(upgraded: Upgraded, clock: Movable) -> Iterator[World]:
    app = upgraded()
    with app.app_context():
        yield World(app, app.test_client(), clock)


def test_a_consent_of_0_2_0_is_proven_as_far_as_its_evidence_goes(old: World, tmp_path: Path) -> None:
    found = proof(old, tmp_path, address="old.sub@example.org")
    page_1 = found.html.partition("</section>")[0]
    assert "Consent has been in force since then." in page_1 and "198.18.7.1" in page_1 and "198.18.8.1" in page_1
    assert "The evidence does not name the consent text." in page_1 and "250 2.0.0 taken" in page_1
    assert "Until version 0.4 it did so only where the form stated" in found.words
    assert "A version before 0.4" in found.words and "What follows applies to version 0.3." in found.words
    assert found.record["consents"][0]["wording"] is None and found.record["wordings"] == []


def test_a_mail_of_0_2_0_is_made_again_and_checked_by_its_one_hash(old: World, tmp_path: Path) -> None:
    found = proof(old, tmp_path, "--court", address="old.sub@example.org")
    details = next(one for one in found.record["consents"][0]["evidence"] if one["fact"] == "mailed")["details"]
    sent = (found.folder / "confirmation-with-working-links.eml").read_bytes()
    assert hashlib.sha256(sent).hexdigest() == details["sha256"] and b"old.sub@example.org" in found.mail
    assert "Before version 0.4 only the hash of the exact bytes was kept" in found.words
    token, shown = (link_in(parse_mail(octets), "not-me").rpartition("/")[2] for octets in (sent, found.mail))
    assert shown == hashlib.sha256(token.encode()).hexdigest()


def test_everybody_whom_0_2_0_has_subscribed_has_a_proof(old: World, tmp_path: Path) -> None:
    lists, said = {row.id: row.slug for row in old.parts.catalogue.lists.values()}, dict[str, str]()
    rows = [row for row in old.subscriptions() if row.address]
    for row in rows:
        result = asked(old, tmp_path / str(row.id), address=row.address, slug=lists[row.list_id])
        if result.exit_code:
            said[row.address] = result.stderr
    assert said == {} and len(rows) > 40


def test_who_is_signed_up_a_hundred_times_has_a_document_in_bounds(
    make_app: Callable[..., Flask], relay: Relay, clock: Movable, tmp_path: Path
) -> None:
    how = Withdrawal(Event.UNSUBSCRIBE, Channel.LETTER, "revoked by letter", "command line")
    with through(relay, make_app, clock) as world:
        key = world.parts.links.key(parse(ANNE).folded)
        for _ in range(OLDEST_PAGE + 3):
            subscribe(world, relay)
            leave.leave(key, None, how, world.clock.now(), world.parts.policy)
            world.clock.forward(days=31)
        found = proof(world, tmp_path / "proof")
    assert len(found.record["consents"]) == OLDEST_PAGE + 3
    assert found.html.count("What its HTML part shows") == OLDEST_PAGE
    assert "3 older consents are only in proof.json." in found.words
    assert f"{OLDEST_PAGE + 2} earlier consents of this address" in found.words
    assert len([name for name in found.names if name.endswith(".eml")]) == OLDEST_PAGE
    assert NEWS in found.html
