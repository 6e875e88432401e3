"""`yestwice proof`: one command gives a document that stands by itself, a record and the mail (E-01 to E-10)."""

import hashlib
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.domain.evidence import Channel
from subscriptions.settings import Server
from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World, link_in, through
from tests.proofs import asked, proof, subscribe
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was

__all__ = ["logging_as_it_was"]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def test_one_command_writes_a_document_a_record_and_the_mail_for_one_pair_of_eyes(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    result = asked(world, tmp_path / "proof")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"proof.html, proof.json, confirmation.eml: in {tmp_path / 'proof'}\n"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "proof").iterdir()}
    assert modes == dict.fromkeys(["confirmation.eml", "proof.html", "proof.json"], 0o600)


def test_the_document_needs_nothing_from_outside_and_runs_nothing(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    page = proof(world, tmp_path).html
    assert not re.search(r"<(script|link|img|iframe|object|form)\b|url\(|@import|\ssrc=|\son\w+=", page)


def test_page_1_says_who_what_when_and_from_where(world: World, relay: Relay, tmp_path: Path) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    subscribe(world, relay, wording=row.wording_id)
    page_1 = proof(world, tmp_path).html.partition("</section>")[0]
    wording = world.parts.catalogue.wordings[row.wording_id].text
    for told in (
        ANNE, ">Newsletter<", "Example Society, 1 Example Street", wording, "192.0.2.1", "2001:db8::7",
        "signed up on 23 November 2026, 12:00:00 (UTC)", "mailbox confirmed on 23 November 2026, 12:07:05 (UTC)",
        "Consent has been in force since then.", "250 2.0.0 taken", "The form states that this text stood beside",
    ):  # fmt: skip
        assert told in page_1, told


def test_times_stand_to_the_second_in_the_zone_of_the_list_and_in_utc(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    lists = (replace(LISTS[0], timezone="Asia/Tokyo"), *LISTS[1:])
    with through(relay, make_app, clock, lists=lists) as world:
        subscribe(world, relay)
        found = proof(world, tmp_path)
    assert "23 November 2026, 21:07:05 (JST) = 2026-11-23 12:07:05 UTC" in found.words
    rows = found.record["consents"][0]["evidence"]
    assert {"2026-11-23T12:00:00.000000Z", "2026-11-23T12:07:05.000000Z"} <= {one["at"] for one in rows}
    assert "2026-11-23 21:07:05 JST" in {one["local"] for one in rows}


def test_the_mail_is_the_one_that_was_sent_with_hashes_for_what_opens_something(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    found, sent = proof(world, tmp_path), relay.mails[0]
    mailed = next(one for one in found.record["consents"][0]["evidence"] if one["fact"] == "mailed")["details"]
    digest = hashlib.sha256(found.mail).hexdigest()
    assert digest == mailed["redacted_sha256"] and digest in found.html
    assert hashlib.sha256(sent.raw).hexdigest() == mailed["sha256"]
    assert message_from_bytes(found.mail)["Message-ID"] == sent.message["Message-ID"]
    for link in ("confirm", "not-me"):
        token = link_in(sent.message, link).rpartition("/")[2]
        everything, hashed = found.html + str(found.record) + found.mail.decode(), hashlib.sha256(token.encode())
        assert token not in everything and hashed.hexdigest() in found.mail.decode()
        assert f"‹{hashed.hexdigest()[:16]}…›" in found.html


def test_what_the_html_part_says_is_told_as_text(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    part = proof(world, tmp_path).html.partition("What its HTML part shows")[2].partition("</pre>")[0]
    assert "This was not me [http" in part and "&lt;" not in part and "Please confirm your subscription" in part


def test_the_mail_with_working_links_is_written_only_where_it_is_asked_for_and_the_audit_says_so(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    assert "confirmation-with-working-links.eml" not in proof(world, tmp_path / "a").names
    found = proof(world, tmp_path / "b", "--court")
    assert (found.folder / "confirmation-with-working-links.eml").read_bytes() == relay.mails[0].raw
    result = world.app.test_cli_runner().invoke(args=["audit", "show", ANNE, "--json"])
    assert [act in result.stdout for act in ('"act": "proof"', '"act": "proof court"')] == [True, True]


def test_where_the_mail_for_a_court_cannot_be_made_again_nothing_is_written(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    server = Server(data_dir=str(tmp_path), pepper="a pepper of the tests", secret_keys=("the first key",))
    with through(relay, partial(make_app, server=server), clock) as world:
        subscribe(world, relay)
    with through(relay, partial(make_app, server=replace(server, secret_keys=("another key",))), clock) as world:
        folder = tmp_path / "none"
        result = asked(world, folder, "--court")
        assert (result.exit_code, result.stdout, folder.exists()) == (1, "", False)
        assert "The email with working links cannot be made again" in result.stderr
        assert proof(world, folder).names == ["confirmation.eml", "proof.html", "proof.json"]


def test_a_second_press_and_a_later_sign_up_change_nothing_of_what_was_first(
    world: World, relay: Relay, tmp_path: Path
) -> None:
    subscribe(world, relay)
    link = link_in(relay.mails[0].message, "confirm")
    world.post(link, environ_base={"REMOTE_ADDR": "198.51.100.9"})
    world.sign_up(ANNE, remote_addr="198.51.100.10")
    found = proof(world, tmp_path)
    assert "192.0.2.1" in found.words and "2001:db8::7" in found.words and "198.51.100" not in found.words
    assert "mailbox confirmed on 23 November 2026, 12:07:05 (UTC)" in found.words


def test_every_list_and_controller_has_a_proof_of_its_own(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    lists = (LISTS[0], replace(LISTS[1], controller="Other Society", postal_address="2 Other Street"), LISTS[2])
    with through(relay, make_app, clock, lists=lists) as world:
        subscribe(world, relay)
        subscribe(world, relay, slug=OFFERS)
        news, offers = proof(world, tmp_path / "news"), proof(world, tmp_path / "offers", slug=OFFERS)
    assert "Other Society" not in news.words and "Offers" not in news.words
    assert "Other Society, 2 Other Street" in offers.words and "Example Society" not in offers.words
    assert [one.record["party_identification"][0]["party_name"] for one in (news, offers)] == [
        "Example Society", "Other Society"]  # fmt: skip


def test_no_word_of_the_program_stands_in_the_german_document(world: World, relay: Relay, tmp_path: Path) -> None:
    subscribe(world, relay)
    found = proof(world, tmp_path, "--language", "de").words
    assert "Weg: über den Button." in found
    assert all(f"Weg: {name}." not in found for name in Channel) and "Sprache Englisch" in found
