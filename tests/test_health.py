"""Whether it lives, whether it is ready, and what it counts: the truth, to those who may know it (O-01 … O-04)."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from subscriptions.clock import Clock
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import JOBS, NAMED
from subscriptions.settings import ListSettings, Mail
from subscriptions.store.engine import transaction
from subscriptions.web.http.headers import ARRIVED
from tests.builders import ANNE, BART, NEWS, World, bearer, take_database_away, through
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.relay import Relay

pytestmark = BY_DAY_ON_SQLITE

OUTSIDE = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
FORWARDING = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


def run_all(world: World) -> None:
    """Every job once, as the scheduler runs it."""
    for job in JOBS:
        assert lease.run(job, world.parts, asked=True) is not None


def readyz(world: World, **more: Any) -> TestResponse:
    return world.get("/readyz", **more)


def problems(world: World) -> list[str]:
    answer = readyz(world)
    found: list[str] = answer.get_json()["problems"]
    assert answer.status_code == (503 if found else 200)
    return found


def metrics(world: World) -> dict[str, float]:
    """Each sample with its labels; the parser refuses what is no Prometheus text."""
    answer = world.get("/metrics")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        one.name + "".join(f" {label}" for label in one.labels.values()): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_it_is_ready_when_every_job_has_run(world: World) -> None:
    run_all(world)
    assert (readyz(world).get_json()["status"], problems(world)) == ("ready", [])


def test_jobs_that_have_never_run_turn_it_red_when_they_have_had_their_time(world: World) -> None:
    assert problems(world) == []  # none is due yet
    world.clock.forward(hours=4)
    assert problems(world) == [f"{name} is late: it has never succeeded" for name in sorted(NAMED)]


def test_after_a_restart_jobs_have_their_time_again_and_then_it_says_since_when_they_have_not_run(world: World) -> None:
    run_all(world)
    world.clock.forward(days=2)
    world.parts.began = world.clock.now()  # as in a process that starts now
    assert problems(world) == []
    world.clock.forward(hours=4)
    assert problems(world)[0] == "block is late: it last succeeded at 2026-11-23T12:00:00Z"


@pytest.mark.parametrize("name", NAMED)
def test_a_late_job_turns_it_red_and_is_named(world: World, name: str) -> None:
    run_all(world)
    world.clock.forward(seconds=NAMED[name].late_after.total_seconds())
    for other in JOBS:
        if other.name != name:
            lease.run(other, world.parts, asked=True)
    assert problems(world) == []
    world.clock.forward(seconds=1)
    assert [one for one in problems(world) if one.startswith(f"{name} is late")]


def test_a_job_that_runs_again_turns_it_green(world: World) -> None:
    run_all(world)
    world.clock.forward(days=2)
    assert problems(world)
    run_all(world)
    assert problems(world) == []


def test_one_look_serves_all_who_were_waiting_for_it_and_each_sees_what_it_may(world: World) -> None:
    run_all(world)
    waiting = {"environ_overrides": {ARRIVED: Clock.ticks()}}
    assert readyz(world, **waiting).status_code == 200
    world.clock.forward(days=2)
    assert readyz(world, **waiting).get_json()["problems"] == []  # as it was looked up for the first
    outside = {"environ_overrides": waiting["environ_overrides"] | OUTSIDE["environ_base"]}
    assert readyz(world, **outside).get_json() == {"status": "ready"}
    assert readyz(world, environ_overrides={ARRIVED: Clock.ticks()}).status_code == 503  # who came later


def test_an_old_schema_turns_it_red_and_says_what_to_do(world: World) -> None:
    run_all(world)
    with transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    assert "yestwice migrate" in problems(world)[0]


def test_a_missing_table_turns_it_red(world: World) -> None:
    with transaction() as session:
        session.execute(sa.text("DROP TABLE jobs"))
    assert readyz(world).status_code == 503


def test_without_its_database_it_lives_and_is_not_ready(world: World) -> None:
    run_all(world)
    take_database_away()
    assert world.get("/healthz").status_code == 200
    assert problems(world) == ["the database does not answer"]
    assert readyz(world, **OUTSIDE, headers={"Authorization": "Bearer x"}).status_code == 503


def test_a_relay_that_refuses_turns_it_red_until_it_takes_mail_again(
    world: World, make_app: Callable[..., Flask]
) -> None:
    with Relay() as relay, through(relay, make_app, world.clock) as sending:
        run_all(sending)
        relay.behave("mail", "451 4.3.0 not now")
        sending.sign_up(ANNE)
        sending.deliver()
        assert [one for one in problems(sending) if "takes no emails" in one]
        relay.accept()
        sending.clock.forward(minutes=1)
        sending.deliver()
        assert (len(relay.mails), problems(sending)) == (1, [])


def test_a_missing_legal_notice_is_a_warning_and_no_reason_to_stop(
    make_app: Callable[..., Flask], world: World
) -> None:
    app = make_app(mail=Mail(transport="smtp"), lists=(ListSettings(),))
    run_all(world)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200 and "controller" in str(answer.get_json()["warnings"])


def test_outsiders_see_the_status_and_nothing_else(world: World) -> None:
    world.clock.forward(hours=4)
    assert readyz(world, **OUTSIDE).get_json() == {"status": "not ready"}
    run_all(world)
    assert readyz(world, **OUTSIDE).get_json() == {"status": "ready"}
    assert world.get("/healthz", **OUTSIDE).get_json() == {"status": "live"}


@pytest.mark.parametrize("name", FORWARDING)
def test_what_came_through_a_proxy_on_this_machine_is_from_outside(world: World, name: str) -> None:
    assert readyz(world, headers={name: "127.0.0.1"}).get_json().keys() == {"status"}
    assert world.get("/metrics", headers={name: "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_from_loopback_the_details_are_there(world: World, peer: str) -> None:
    there = {"environ_base": {"REMOTE_ADDR": peer}}
    assert readyz(world, **there).get_json().keys() >= {"problems", "warnings", "jobs", "outbox", "breaker"}
    assert world.get("/metrics", **there).status_code == 200


@pytest.mark.parametrize(
    ("scope", "sees"), [("read", True), ("export", False), ("subscribe", False), ("manage", False)]
)
def test_a_read_token_opens_the_details_from_anywhere(world: World, scope: str, sees: bool) -> None:
    header = {"headers": bearer(scope)}
    assert ("jobs" in readyz(world, **OUTSIDE, **header).get_json()) is sees
    assert world.get("/metrics", **OUTSIDE, **header).status_code == (200 if sees else 403)


def test_a_wrong_token_at_readyz_hides_the_details_and_not_the_status(world: World) -> None:
    world.clock.forward(hours=4)
    answer = readyz(world, **OUTSIDE, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.get_json()) == (503, {"status": "not ready"})


def test_the_outbox_is_told_by_number_and_age(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(minutes=2)
    assert readyz(world).get_json()["outbox"] == {"waiting": 1, "oldest_seconds": 120.0, "set_aside": 0}
    assert metrics(world)["yestwice_outbox_oldest_seconds"] == 120
    world.deliver()
    assert metrics(world)["yestwice_outbox_mails"] == 0


def test_what_happens_is_counted(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))
    world.sign_up(BART)
    world.clock.forward(hours=24)
    world.run("block")
    world.sign_up("cris@example.org")
    found = metrics(world)
    counted = {
        name: found[f"yestwice_{name}_total"] for name in ("sign_ups", "confirmations", "withdrawals", "blocked")
    }
    assert counted == {"sign_ups": 3, "confirmations": 1, "withdrawals": 1, "blocked": 1}
    states = {
        state: found[f"yestwice_list {NEWS} {state}"] for state in ("pending", "blocked", "confirmed", "unsubscribed")
    }
    assert states == {"pending": 1, "blocked": 1, "confirmed": 0, "unsubscribed": 1}


def test_the_last_success_of_each_job_is_a_time(world: World) -> None:
    run_all(world)
    found = metrics(world)
    times = {found[f"yestwice_job_last_success_timestamp_seconds {name}"] for name in NAMED}
    assert times == {world.clock.now().timestamp()}


def test_metrics_hold_no_person(world: World) -> None:
    world.subscribe("canary@example.org", name="Canary", remote_addr="203.0.113.77")
    text = world.get("/metrics").text + readyz(world).text
    assert "canary" not in text.lower() and "@" not in text and "203.0.113" not in text
