"""What is kept to prove a consent: complete, append-only, for each subscription its own (GDPR 7(1), EDPB 05/2020)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from subscriptions.domain.evidence import DETAILS, Fact, Incomplete, complete
from subscriptions.store import evidence as store
from subscriptions.store.engine import reading
from subscriptions.store.models import Evidence, db
from tests.builders import ANNE, World, at
from tests.support.cases import each

HERE, THERE, ELSEWHERE = ({"REMOTE_ADDR": ip} for ip in ("192.0.2.1", "2001:db8::7", "198.51.100.9"))


def facts(world: World) -> list[str]:
    return [one.fact for one in world.evidence()]


def the(world: World, fact: Fact) -> Evidence:
    (found,) = [one for one in world.evidence() if one.fact == fact]
    return found


def a_scripted_life(world: World) -> None:
    """Everything that can happen to one person without a relay, from here and there."""
    world.sign_up(ANNE, remote_addr="192.0.2.1")
    link = world.confirm_link(ANNE)
    world.clock.forward(minutes=7)
    world.post(link, environ_base=THERE)
    world.clock.forward(days=1)
    world.sign_up(ANNE, remote_addr="198.51.100.9")
    world.deliver()
    world.clock.forward(days=1)
    world.post(world.leave_link(ANNE), environ_base=ELSEWHERE)


def test_four_values_prove_a_consent_two_times_and_two_ips(world: World) -> None:
    a_scripted_life(world)
    registered, confirmed = the(world, Fact.REGISTERED), the(world, Fact.CONFIRMED)
    assert (registered.ip, confirmed.ip) == ("192.0.2.1", "2001:db8::7")
    assert confirmed.at - registered.at == timedelta(minutes=7)
    assert {registered.at.tzinfo, confirmed.at.tzinfo} == {UTC}


def test_a_life_leaves_every_event_in_its_order_with_time_and_channel(world: World) -> None:
    a_scripted_life(world)
    assert facts(world) == ["registered", "mailed", "confirmed", "asked again", "mailed", "unsubscribed"]
    assert [one.channel for one in world.evidence()] == ["api", "relay", "button", "api", "relay", "button"]
    assert [one.at for one in world.evidence()] == sorted(one.at for one in world.evidence())


def test_every_fact_carries_the_details_that_it_must_carry(world: World) -> None:
    a_scripted_life(world)
    for one in world.evidence():
        assert DETAILS[Fact(one.fact)] <= one.details.keys(), one.fact


def test_an_ip_is_kept_only_where_it_is_promised(world: World) -> None:
    a_scripted_life(world)
    assert {one.fact for one in world.evidence() if one.ip} == {"registered", "confirmed"}
    assert not any(ip["REMOTE_ADDR"] in str(one.details) for one in world.evidence() for ip in (HERE, ELSEWHERE))


def test_the_mail_is_kept_as_hashes_and_no_link_of_it_can_be_used(world: World) -> None:
    world.sign_up(ANNE)
    (mail,) = world.mails(ANNE)
    details = the(world, Fact.MAILED).details
    assert details["message_id"] == mail["Message-ID"]
    assert re.fullmatch("[0-9a-f]{64}", details["sha256"])
    assert details["reply"].startswith("250")
    assert set(details["hashes"]) == {"confirm_token", "not_me_token", "code"}
    assert "http" not in str(details)


def test_no_user_agent_and_no_referrer_is_stored(world: World) -> None:
    headers = {"User-Agent": "TellTale/1.0", "Referer": "https://tell.example.org/", "Accept-Language": "tlh"}
    world.sign_up(ANNE, headers=headers)
    world.post(world.confirm_link(ANNE), headers=headers)
    stored = str([(one.details, one.actor, one.channel) for one in world.evidence()])
    assert not any(value in stored for value in headers.values())


UPDATES = ["fact = 'confirmed'", "channel = 'phone'", "actor = 'me'", "details = '{}'", "ip = '192.0.2.99'", "id = 99"]


@each("change", [*UPDATES, "at = '2020-01-01 00:00:00'", "registration_id = NULL"])
def test_the_database_itself_refuses_a_change_of_evidence(world: World, change: str) -> None:
    world.sign_up(ANNE)
    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE evidence SET {change}"))  # noqa: S608


def test_a_second_press_from_elsewhere_leaves_the_first_confirmation_as_it_is(world: World) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    world.post(link, environ_base=HERE)
    first = the(world, Fact.CONFIRMED)
    world.clock.forward(hours=5)
    assert world.post(link, environ_base=THERE).status_code == 200
    again = the(world, Fact.CONFIRMED)
    assert (again.at, again.ip) == (first.at, first.ip)


def test_two_registrations_of_one_address_have_two_clocks_and_two_evidences(world: World) -> None:
    world.sign_up(ANNE, name="One", remote_addr="192.0.2.1")
    first = world.confirm_link(ANNE)
    world.clock.forward(minutes=15)
    world.sign_up(ANNE, name="Two", remote_addr="198.51.100.9")
    second = world.confirm_link(ANNE)
    assert [world.post(link).status_code for link in (second, first)] == [200, 200]
    assert [one.name for one in world.subscriptions()] == ["Two"]
    assert [one.ip for one in world.evidence() if one.fact == "registered"] == ["192.0.2.1", "198.51.100.9"]
    assert facts(world).count("confirmed") == 2


def test_coming_back_opens_a_subscription_with_a_proof_of_its_own(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))
    world.clock.forward(days=40)
    world.subscribe(ANNE)
    first, second = world.subscriptions()
    with reading() as session:
        proofs = [[one.id for one in store.of_subscription(session, id_)] for id_ in (first.id, second.id)]
        told = [[one.fact for one in store.of_subscription(session, id_)] for id_ in (first.id, second.id)]
    assert not set(proofs[0]) & set(proofs[1])
    assert told == [["registered", "mailed", "confirmed", "unsubscribed"], ["registered", "mailed", "confirmed"]]


def test_a_stranger_who_types_the_address_touches_no_subscription(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))
    with reading() as session:
        before = [(one.id, one.at, one.ip, one.details) for one in store.of_subscription(session, 1)]
    world.sign_up(ANNE, name="Mallory", remote_addr="198.51.100.9")
    world.clock.forward(days=31)
    world.run("purge")
    with reading() as session:
        assert [(one.id, one.at, one.ip, one.details) for one in store.of_subscription(session, 1)] == before


# How long


@pytest.mark.parametrize("seconds", [-1, 0])
def test_ips_are_kept_12_months_after_the_confirmation(world: World, seconds: int) -> None:
    at(world, "2027-02-28T09:00")
    world.subscribe(ANNE)
    at(world, "2028-02-28T09:00")
    world.clock.forward(seconds=seconds)
    world.run("purge")
    assert [bool(one.ip) for one in world.evidence()] == ([True, False, True] if seconds else [False, False, False])


def test_without_its_ips_the_evidence_is_whole(world: World) -> None:
    world.subscribe(ANNE)
    before = [(one.fact, one.at, one.channel, one.ip_source, one.details) for one in world.evidence()]
    world.clock.forward(days=366)
    world.run("purge")
    assert [(one.fact, one.at, one.channel, one.ip_source, one.details) for one in world.evidence()] == before


def test_the_proof_lasts_as_long_as_the_subscription(world: World) -> None:
    world.subscribe(ANNE)
    world.clock.forward(days=365 * 20)
    world.run("purge")
    assert "confirmed" in facts(world)


@pytest.mark.parametrize(("moment", "left"), [("2030-12-31T23:59:59", 1), ("2031-01-01T00:00:00", 0)])
def test_the_proof_ends_with_the_third_calendar_year_after_the_end(world: World, moment: str, left: int) -> None:
    world.subscribe(ANNE)
    at(world, "2027-01-02T08:00")
    world.post(world.leave_link(ANNE))
    at(world, moment)
    world.run("purge")
    assert len(world.subscriptions()) == left
    assert bool(world.evidence()) == bool(left)


def test_each_subscription_has_its_own_end_of_proof(world: World) -> None:
    for year in (2027, 2028):
        at(world, f"{year}-06-01T00:00")
        world.subscribe(ANNE)
        world.post(world.leave_link(ANNE))
    assert [one.proof_until for one in world.subscriptions()] == [
        datetime(2031, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC),
    ]  # fmt: skip
    at(world, "2031-01-01T00:00")
    world.run("purge")
    assert [one.confirmed_at.year for one in world.subscriptions()] == [2028]
    assert facts(world) == ["registered", "mailed", "confirmed", "unsubscribed"]


def test_evidence_that_lacks_a_detail_of_its_event_is_refused_and_says_which() -> None:
    whole = {"wording": "ab12", "wording_sha256": "cd34", "vouched": True, "locale": "en", "flags": []}
    assert complete(Fact.REGISTERED, whole) is whole
    with pytest.raises(Incomplete, match=r"^registered lacks locale, vouched, wording_sha256$"):
        complete(Fact.REGISTERED, {"wording": "ab12"})
