"""The proof at the desk: for who may see IPs and mails, after the password, and each look at it in the audit (Q-11)."""

import io
import json
import re
from collections.abc import Callable, Iterator
from zipfile import ZipFile

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.domain.roles import Role
from tests.builders import ANNE, BART, NEWS, OFFERS, Movable, World, through
from tests.desk import PASSWORD, Person, at_the_desk
from tests.proofs import subscribe
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.relay import Relay
from tests.test_audit import rows
from tests.test_desk_people import page_of
from tests.test_proof_persons import forget

pytestmark = BY_DAY_ON_SQLITE


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def take(person: Person, world: World, how: str, whose: str = ANNE, **fields: str) -> TestResponse:
    fields = {"list": NEWS, "language": "en", "proof": PASSWORD} | fields
    return person.post(f"{page_of(world, whose)}/proof", take=how, **fields)


def test_a_persons_page_leads_to_the_proof_as_a_zip_or_to_print(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    pia = at_the_desk(world, Role.PRIVACY)
    link = f"{page_of(world, ANNE)}/proof"
    assert f'href="{link}"' in pia.get(page_of(world, ANNE)).text
    page = pia.get(link).text
    assert "Download ZIP" in page and "Print" in page
    answer = take(pia, world, "zip")
    assert (
        answer.mimetype == "application/zip" and 'filename="proof-newsletter-' in answer.headers["Content-Disposition"]
    )
    with ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["proof.html", "proof.json", "confirmation.eml"]
        record = json.loads(archive.read("proof.json"))
    assert record["record"]["pii_principal_address"] == ANNE


def test_what_is_printed_has_its_own_style_and_runs_nothing(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    answer = take(at_the_desk(world, Role.PRIVACY), world, "print", language="de")
    assert answer.mimetype == "text/html" and '<html lang="de"' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert re.search(r"style-src 'self' 'sha256-[\w+/=]{44}'", policy) and "script-src" not in policy


def test_the_proof_is_for_who_may_see_ip_addresses_and_mails(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    for role in (Role.VIEWER, Role.MANAGER):
        person = at_the_desk(world, role)
        assert [person.get(f"{page_of(world, ANNE)}/proof").status_code, take(person, world, "zip").status_code] == [
            403, 403]  # fmt: skip
    assert "/proof" not in at_the_desk(world, Role.MANAGER, "m@example.org").get(page_of(world, ANNE)).text


def test_of_lists_that_somebody_does_not_see_nothing_is_proven_to_them(world: World, relay: Relay) -> None:
    subscribe(world, relay, slug=OFFERS)
    news = world.parts.catalogue.by_slug(NEWS)
    assert news is not None
    pia = at_the_desk(world, Role.PRIVACY, lists=[news.id])
    assert pia.get(f"{page_of(world, ANNE)}/proof").status_code == 404
    subscribe(world, relay)
    assert "Offers" not in pia.get(f"{page_of(world, ANNE)}/proof").text
    assert take(pia, world, "zip", list=OFFERS).status_code == 404
    assert take(pia, world, "zip").status_code == 200


def test_the_password_is_asked_for_again_and_the_choice_stays(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    pia = at_the_desk(world, Role.PRIVACY)
    world.clock.forward(minutes=11)
    asked = take(pia, world, "zip", proof="")
    assert asked.mimetype == "text/html" and 'name="take" value="zip"' in asked.text
    assert [row.act for row in rows() if row.act == "proof"] == []
    assert take(pia, world, "zip").mimetype == "application/zip"


def test_every_proof_that_is_taken_stands_in_the_audit(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    pia = at_the_desk(world, Role.PRIVACY)
    for how in ("zip", "print", "court"):
        assert take(pia, world, how).status_code == 200
    key = world.subscriptions()[0].key
    acts = [(row.act, row.about, row.details) for row in rows() if row.act.startswith("proof")]
    assert acts == [(act, key, {"list": NEWS}) for act in ("proof", "proof", "proof court")]
    page = pia.get("/admin/audit").text
    assert "took the proof of a person’s consent to Newsletter with the email’s working links, for a court." in page


def test_links_that_work_are_handed_out_for_a_court_alone(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    pia, name = at_the_desk(world, Role.PRIVACY), "confirmation-with-working-links.eml"
    for how, is_there in (("zip", False), ("court", True)):
        with ZipFile(io.BytesIO(take(pia, world, how).data)) as archive:
            assert (name in archive.namelist()) is is_there
            assert not is_there or archive.read(name) == relay.mails[0].raw


def test_whoever_knows_the_address_of_an_erased_person_types_it(world: World, relay: Relay) -> None:
    subscribe(world, relay)
    forget(world)
    pia = at_the_desk(world, Role.PRIVACY)
    assert 'name="address"' in pia.get(f"{page_of(world, ANNE)}/proof").text
    without, given = take(pia, world, "print"), take(pia, world, "print", address=ANNE)
    assert ANNE not in without.text and "No longer stored." in without.text
    assert ANNE in given.text and "This is the address you asked about." in given.text
    for wrong in (BART, "anne@@", "x" * 9999):
        answer = take(pia, world, "print", address=wrong)
        assert answer.status_code == 422 and "This is not the address of this person." in answer.text


def test_who_never_confirmed_has_no_proof_and_bad_input_is_answered(world: World, relay: Relay) -> None:
    world.sign_up(BART)
    pia = at_the_desk(world, Role.PRIVACY)
    page = pia.get(f"{page_of(world, BART)}/proof")
    assert page.status_code == 200 and "there is no consent to prove" in page.text
    assert take(pia, world, "zip", BART).status_code == 404
    subscribe(world, relay)
    for bad in ({"list": "x"}, {"language": "tlh"}, {"language": ""}, {"list": "%00"}):
        assert take(pia, world, "zip", **bad).status_code == 404
    assert take(pia, world, "everything").status_code == 404
