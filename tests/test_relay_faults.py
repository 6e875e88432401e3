"""What each fault of a relay means for a mail or for the whole queue (architecture, decision 3)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask

from subscriptions.store import jobs
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, Movable, World, owed, through
from tests.support.cases import BY_DAY_ON_SQLITE, crossed
from tests.support.faults import Stage
from tests.support.relay import DROP, HANG, Relay

pytestmark = BY_DAY_ON_SQLITE

LATER = [
    ("mail", HANG), ("mail", DROP),
    ("rcpt", HANG), ("rcpt", DROP), ("rcpt", "451 4.3.0 busy"), ("rcpt", "421 4.3.0 full"),
    ("data", HANG), ("data", DROP), ("data", "451 4.3.0 busy"), ("data", "421 4.3.0 full"), ("body", DROP),
    ("end", HANG), ("end", DROP), ("end", "451 4.3.0 busy"), ("end", "421 4.3.0 full"),
]  # fmt: skip
GIVEN_UP = [("rcpt", "550 5.1.1 no such user"), ("data", "554 5.7.1 no"), ("end", "550 5.7.1 looks like spam")]
PAUSED = [
    *((stage, act) for stage in ("connect", "ehlo", "starttls", "auth") for act in (HANG, DROP)),
    ("connect", "421 4.3.2 not now"), ("connect", "554 5.7.1 not you"),
    ("ehlo", "421 4.3.2 not now"), ("ehlo", "550 5.7.1 not you"),
    ("starttls", "454 4.7.0 no TLS today"), ("starttls", "502 5.5.1 what"),
    ("auth", "454 4.7.0 later"), ("auth", "535 5.7.8 wrong password"),
    ("mail", "550 5.7.1 sender refused"),
]  # fmt: skip


WITH_AND_WITHOUT_PIPELINING = pytest.mark.parametrize(
    "relay", [True, False], indirect=True, ids=["group", "one by one"]
)


@pytest.fixture
def relay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    pipelining: bool = getattr(request, "param", True)
    with Relay(security="starttls", login=("anne", "s3cret"), pipelining=pipelining) as relay:
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        yield relay


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(
        relay, make_app, clock, connections=1, security="starttls", username="anne", password="s3cret"
    ) as world:
        yield world


def facts(world: World) -> list[str]:
    return [row.fact for row in world.evidence()]


def pause() -> tuple[bool, str | None]:
    """Whether the queue pauses, and why."""
    with reading() as session:
        job = jobs.find(session, "deliver")
        assert job is not None
        return job.pause_until is not None, job.error


@crossed(relay=[True, False], fault=LATER, indirect=["relay"])  # with and without pipelining
def test_this_mail_leaves_later_and_others_at_once(world: World, relay: Relay, fault: tuple[Stage, str]) -> None:
    relay.behave(*fault, times=1)
    world.sign_up(ANNE)
    assert world.deliver() == 0
    assert [(one.tries, one.taken_by) for one in owed()] == [(1, None)]
    assert not pause()[0]
    world.sign_up(BART)
    assert world.deliver() == 1
    world.clock.forward(seconds=66)
    assert world.deliver() == 1
    assert [mail.recipients[0] for mail in relay.mails] == [BART, ANNE]


@WITH_AND_WITHOUT_PIPELINING
@pytest.mark.parametrize(("stage", "act"), GIVEN_UP)
def test_this_mail_is_given_up_with_evidence_and_the_next_leaves(
    world: World, relay: Relay, stage: Stage, act: str
) -> None:
    relay.behave(stage, act, times=1)
    world.sign_up(ANNE)
    world.sign_up(BART)
    assert world.deliver() == 1
    assert not owed()
    assert sorted(facts(world)) == ["mail given up", "mailed", "registered", "registered"]
    assert [mail.recipients for mail in relay.mails] == [(BART,)]


@pytest.mark.parametrize(("stage", "act"), PAUSED)
def test_the_queue_pauses_counts_nothing_and_resumes_by_itself(
    world: World, relay: Relay, stage: Stage, act: str
) -> None:
    relay.behave(stage, act)
    world.sign_up(ANNE)
    world.sign_up(BART)
    assert world.deliver() == 0
    assert [(one.tries, one.taken_by) for one in owed()] == [(0, None), (0, None)]
    assert pause()[0]
    relay.accept()
    world.clock.forward(seconds=6)
    assert world.deliver() == 2
    assert pause() == (False, None)


@WITH_AND_WITHOUT_PIPELINING
@pytest.mark.parametrize("act", ["421 4.3.2 not now", "451 4.3.0 not now", "550 5.7.1 sender refused"])
def test_a_sender_that_is_refused_pauses_the_queue(world: World, relay: Relay, act: str) -> None:
    relay.behave("mail", act)
    world.sign_up(ANNE)
    assert world.deliver() == 0
    assert [one.tries for one in owed()] == [0]
    assert pause() == (True, f"the relay takes no emails: MAIL FROM: {act}")


def test_the_relay_is_left_alone_while_the_queue_pauses(world: World, relay: Relay) -> None:
    relay.behave("connect", "554 5.7.1 not you")
    world.sign_up(ANNE)
    for _ in range(3):
        world.deliver()
    assert relay.connections == 1


def test_a_pause_doubles_up_to_five_minutes(world: World, relay: Relay) -> None:
    relay.behave("connect", "554 5.7.1 not you")
    world.sign_up(ANNE)
    for seconds in (5, 10, 20, 40, 80, 160, 300, 300):
        world.deliver()
        assert _pause_until() - world.clock.now() == timedelta(seconds=seconds)
        world.clock.forward(seconds=seconds)


def _pause_until() -> datetime:
    with reading() as session:
        job = jobs.find(session, "deliver")
        assert job is not None and job.pause_until is not None
        return job.pause_until


def test_readiness_says_that_the_queue_pauses_and_that_it_runs_again(world: World, relay: Relay) -> None:
    relay.behave("auth", "535 5.7.8 wrong password")
    world.sign_up(ANNE)
    world.deliver()
    assert any("535" in problem for problem in readiness(world))
    relay.accept()
    world.clock.forward(seconds=6)
    world.deliver()
    assert readiness(world) == []


def readiness(world: World) -> list[str]:
    """What /readyz finds of the queue, the scheduled jobs left out: nobody runs them here."""
    found = world.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"}).json
    assert found is not None
    return [problem for problem in found["problems"] if "it last succeeded" not in problem]


def test_a_pause_with_nothing_left_to_send_does_not_stay_for_ever(world: World, relay: Relay) -> None:
    relay.behave("connect", "554 5.7.1 not you")
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(hours=25)
    for _ in range(2):
        world.deliver()
    assert not owed()
    assert pause() == (False, None)


def test_the_first_wait_is_about_a_minute_then_doubles_to_a_quarter_of_an_hour(world: World, relay: Relay) -> None:
    relay.behave("rcpt", "451 4.3.0 busy")
    world.sign_up(ANNE)
    for minutes in (1, 2, 4, 8, 15, 15):
        world.deliver()
        wait = owed()[0].due_at - world.clock.now()
        assert timedelta(minutes=minutes) * 0.9 <= wait <= timedelta(minutes=minutes) * 1.1
        world.clock.forward(seconds=wait.total_seconds())


def test_a_reply_lost_after_the_final_dot_repeats_the_mail_with_its_message_id(world: World, relay: Relay) -> None:
    relay.behave("end", DROP, times=1, keep=True)
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(seconds=66)
    world.deliver()
    ids = [mail.message["Message-ID"] for mail in relay.mails]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_relay_that_refuses_and_hangs_up_has_refused_all_the_same(world: World, relay: Relay) -> None:
    relay.behave("rcpt", "550 5.1.1 no such user", times=1)
    relay.behave("data", "421 4.3.0 bye", times=1)
    world.sign_up(ANNE)
    world.deliver()
    world.sign_up(BART)
    world.deliver()
    assert not owed()
    assert sorted(facts(world)) == ["mail given up", "mailed", "registered", "registered"]


@pytest.mark.parametrize("act", ["451 4.2.1 {} has too much", "550 5.1.1 <{}>: nobody"])
@pytest.mark.parametrize("spelt", [str.lower, str.upper])
def test_what_is_kept_of_a_reply_leaves_the_address_out(
    world: World, relay: Relay, act: str, spelt: Callable[[str], str]
) -> None:
    relay.behave("rcpt", act.format(spelt("Anne@example.org")), times=1)
    world.sign_up("Anne@example.org")
    world.deliver()
    kept = [str(one.note) for one in owed()] + [str(row.details) for row in world.evidence()]
    assert "<address>" in "".join(kept)
    assert "@example.org" not in "".join(kept).lower()


def test_a_long_reply_is_cut_and_no_half_address_stays(world: World, relay: Relay) -> None:
    relay.behave("rcpt", f"550 5.1.1 {'x' * 470} {ANNE} is nobody", times=1)
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(hours=1)
    world.deliver()
    reply = world.evidence()[-1].details["reply"]
    assert len(reply) == 500
    assert "anne" not in reply
