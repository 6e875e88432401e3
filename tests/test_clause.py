"""The founding clause of product.md, sentence by sentence, as a visitor and an operator meet it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import door
from subscriptions.inbound.house import house_of
from subscriptions.inbound.message import read
from subscriptions.settings import Inbound
from subscriptions.store import evidence as store
from subscriptions.store.engine import reading
from tests import clause
from tests.builders import ANNE, BART, NEWS, Movable, Office, World, at, rows_of_every_table, text_of
from tests.support.cases import each
from tests.support.letters_home import LEAVE, OURS, letter, signed, trusted

ASK, BLOCK, PROVE, VOLUNTARY, REVOKE = clause.CLAUSE


@pytest.mark.clause(ASK)
def test_after_a_registration_one_mail_goes_to_that_address_and_asks_to_confirm(world: World) -> None:
    world.sign_up_by_form(ANNE)
    (mail,) = world.mails()
    assert mail["To"] == ANNE
    assert "Continue to confirm:" in text_of(mail)


@pytest.mark.clause(ASK)
def test_nobody_is_subscribed_who_has_not_pressed_the_button_in_the_mail(world: World) -> None:
    world.sign_up_by_form(ANNE)
    link = world.confirm_link(ANNE)
    world.get(link)
    assert Office(world).exported(NEWS) == []
    world.post(link)
    assert Office(world).exported(NEWS) == [ANNE]


@pytest.mark.clause(BLOCK)
@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 410)])
def test_the_button_works_within_24_hours_and_not_after(world: World, seconds: int, status: int) -> None:
    world.sign_up_by_form(ANNE)
    link = world.confirm_link(ANNE)
    world.clock.forward(hours=24, seconds=seconds)
    assert world.post(link).status_code == status


@pytest.mark.clause(BLOCK)
def test_after_24_hours_the_information_is_blocked_whether_or_not_a_job_has_run(world: World) -> None:
    world.sign_up_by_form(ANNE)
    world.clock.forward(hours=24)
    assert Office(world).counts(NEWS)["blocked"] == 1
    assert Office(world).exported(NEWS) == Office(world).listed(NEWS) == []
    assert world.mails(ANNE) == []


@pytest.mark.clause(BLOCK)
def test_after_one_month_no_row_of_any_table_is_left_of_it(world: World) -> None:
    before = rows_of_every_table()
    world.sign_up_by_form(ANNE, name="Anne")
    world.deliver()
    world.clock.forward(days=30)
    for job in ("block", "purge", "tidy"):
        world.run(job)
    after = rows_of_every_table()
    assert {name for name in after if after[name] > before[name]} <= {"counters", "letters", "meta", "removals"}


@pytest.mark.clause(BLOCK)
def test_after_a_shorter_month_a_keyed_hash_is_left_until_30_days_have_passed_since_the_last_mail(world: World) -> None:
    at(world, "2027-01-31T12:00")
    before = rows_of_every_table()
    world.sign_up_by_form(ANNE, name="Anne")
    world.deliver()
    for days, left in ((28, {"addresses"}), (2, set())):
        world.clock.forward(days=days)
        for job in ("block", "purge", "tidy"):
            world.run(job)
        after = rows_of_every_table()
        grown = {name for name in after if after[name] > before[name]}
        assert grown - {"counters", "letters", "meta", "removals"} == left


@pytest.mark.clause(PROVE)
def test_ip_and_time_of_the_registration_and_of_the_confirmation_are_four_values(world: World) -> None:
    world.sign_up(ANNE, remote_addr="192.0.2.1")
    link = world.confirm_link(ANNE)
    world.clock.forward(hours=2)
    world.post(link, environ_base={"REMOTE_ADDR": "2001:db8::1"})
    first, last = (one for one in world.evidence() if one.ip)
    assert (first.fact, first.ip, last.fact, last.ip) == ("registered", "192.0.2.1", "confirmed", "2001:db8::1")
    assert last.at - first.at == timedelta(hours=2)


@pytest.mark.clause(PROVE)
def test_the_proof_names_the_mail_as_sent_and_outlives_the_ip_addresses(world: World) -> None:
    world.subscribe(ANNE)
    world.clock.forward(days=400)
    world.run("purge")
    with reading() as session:
        proof = store.of_subscription(session, world.subscriptions()[0].id)
    assert [one.fact for one in proof] == ["registered", "mailed", "confirmed"]
    assert proof[1].details["reply"].startswith("250")
    assert not any(one.ip for one in proof)


@pytest.mark.clause(VOLUNTARY)
def test_the_address_alone_is_enough_and_nothing_else_is(world: World) -> None:
    assert world.sign_up_by_form(ANNE).status_code == 303
    assert world.post(f"/subscribe/{NEWS}", data={"name": "Anne"}).status_code == 422
    assert world.client.post("/api/v1/subscriptions", json={"email": BART}, base_url=world.base_url).status_code == 202


@pytest.mark.clause(VOLUNTARY)
def test_the_name_is_marked_as_voluntary_and_may_stay_empty(world: World) -> None:
    page = world.get(f"/subscribe/{NEWS}").get_data(as_text=True)
    labels = re.findall(r"<label[^>]*>(.*?)</label>", page, re.S)
    assert any("name" in label.lower() and "optional" in label for label in labels)
    assert re.findall(r'<input[^>]*name="(\w+)"[^>]*\brequired\b', page) == ["email"]


@pytest.mark.clause(VOLUNTARY)
def test_the_name_serves_to_address_the_person(world: World) -> None:
    world.sign_up_by_form(ANNE, name="Anne Example")
    (mail,) = world.mails(ANNE)
    assert text_of(mail).count("Anne Example") == 1
    assert "Hello Anne Example," in text_of(mail)


@pytest.mark.clause(REVOKE)
@pytest.mark.parametrize("years", [0, 10])
def test_the_link_of_the_export_revokes_at_any_time(world: World, years: int) -> None:
    world.subscribe(BART)
    link = world.leave_link(BART)
    world.clock.forward(days=366 * years)
    assert world.post(link).status_code == 200
    assert Office(world).exported(NEWS) == []


@pytest.mark.clause(REVOKE)
def test_a_revocation_by_e_mail_is_taken_and_recorded_as_such(world: World) -> None:
    world.subscribe(BART)
    result = world.app.test_cli_runner().invoke(args=["unsubscribe", BART, "--channel", "email"])
    assert (result.exit_code, Office(world).exported(NEWS)) == (0, [])
    assert [one.channel for one in world.evidence() if one.fact == "unsubscribed"] == ["email"]


@pytest.mark.clause(REVOKE)
@pytest.mark.parametrize("by_token", [True, False])
def test_an_e_mail_revokes_by_itself_with_the_token_or_from_the_address(
    make_app: Callable[..., Flask], clock: Movable, by_token: bool
) -> None:
    app = make_app(inbound=Inbound(address=LEAVE, authserv_ids=(OURS,)))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.subscribe(BART)
        subject = f"unsubscribe {world.leave_link(BART).rpartition('/')[2]}"
        with_token = letter(clock.now(), "", From="another@example.net", Subject=subject)
        reply = trusted(signed(letter(clock.now(), "please unsubscribe me", From=BART)))
        assert door.take(read(with_token if by_token else reply), house_of(world.parts)) is Outcome.DONE
        assert Office(world).exported(NEWS) == []
        assert [one.channel for one in world.evidence() if one.fact == "unsubscribed"] == ["email"]


# The table and the ticks


def test_every_sentence_has_a_test() -> None:
    assert all(clause.tests_of((clause.HOME / clause.TESTS).read_text("utf-8")).values())


@each(("file", "name"), [place for places in clause.CLAUSE.values() for place in places])
def test_the_code_that_the_table_names_is_there(file: str, name: str) -> None:
    source = (clause.HOME / file).read_text("utf-8")
    assert re.search(rf"^ *(def|class) {name}\b|^{name}\b", source, re.M)


def test_the_readme_has_the_table_as_it_is_now() -> None:
    readme = (clause.HOME / "README.md").read_text("utf-8")
    assert clause.in_readme(readme) == clause.table(), "python -m tests.clause --write"


def test_one_test_that_failed_and_one_that_is_missing_are_crosses() -> None:
    lines = clause.ticked(iter([(ASK, True), (BLOCK, True), (BLOCK, False), (PROVE, False), (PROVE, True)]))
    assert [line[0] for line in lines] == ["✓", "✗", "✗", "✗", "✗"]
