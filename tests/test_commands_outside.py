"""Commands as an operator types them: real processes, real terminals, a real relay; revocations that came by letter."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.settings import Mail
from tests.builders import ANNE, BART, NEWS, OFFERS, Movable, Office, World
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.support.forked import ran
from tests.support.relay import Relay
from tests.support.server import flask
from tests.test_commands import good, logging_as_it_was, refused, run

pytestmark = BY_DAY_ON_SQLITE

__all__ = ["logging_as_it_was"]
HOME = Path(__file__).parent.parent


def environment(world: World, **more: str) -> dict[str, str]:
    settings = world.parts.settings
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SUBSCRIPTIONS_")},
        "SUBSCRIPTIONS_DATABASE__URL": settings.database.url,
        "SUBSCRIPTIONS_SERVER__DATA_DIR": str(settings.data_dir),
        "SUBSCRIPTIONS_SERVER__PEPPER": settings.server.pepper,
        "SUBSCRIPTIONS_SERVER__SECRET_KEYS": f'["{settings.server.secret_keys[0]}"]',
        **more,
    }


@pytest.fixture(scope="session")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


def outside(
    world: World, streams: Path, *args: str, stderr: str | None = None, **more: str
) -> "subprocess.CompletedProcess[str]":
    return ran(flask(*args), environment(world, **more), streams, stderr)


@ONE_DATABASE
def test_stdout_carries_the_result_alone(world: World) -> None:
    world.subscribe(BART)
    command = flask("export", NEWS, "--format", "jsonl")
    result = subprocess.run(command, capture_output=True, cwd=HOME, env=environment(world), timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.count(b"\n") == 1


def test_no_bar_is_drawn_where_nobody_looks(world: World, streams: Path, tmp_path: Path) -> None:
    result = outside(world, streams, "export", NEWS, "-o", str(tmp_path / "list.csv"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_bar_is_drawn_on_a_terminal_and_the_file_is_free_of_it(world: World, streams: Path, tmp_path: Path) -> None:
    world.subscribe(BART)
    ours, theirs = os.openpty()
    to = str(tmp_path / "list.csv")
    result = outside(world, streams, "export", NEWS, "-o", to, stderr=os.ttyname(theirs), TERM="xterm")
    drawn = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    assert (result.returncode, result.stdout) == (0, "")
    assert "Exporting newsletter" in drawn
    assert "Exporting" not in (tmp_path / "list.csv").read_text()


def test_another_pepper_is_one_sentence_and_status_1(world: World, streams: Path) -> None:
    result = outside(world, streams, "lists", "show", SUBSCRIPTIONS_SERVER__PEPPER="quite another pepper")
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.strip().splitlines()) == 1
    assert "quite another" not in result.stderr


def test_a_database_that_does_not_answer_is_one_sentence_and_status_1(world: World, streams: Path) -> None:
    url = "postgresql+psycopg://postgres@127.0.0.1:1/none"
    result = outside(world, streams, "lists", "show", SUBSCRIPTIONS_DATABASE__URL=url)
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("channel", ["email", "letter", "phone"])
def test_a_revocation_that_came_another_way_ends_every_list_with_its_evidence(world: World, channel: str) -> None:
    world.subscribe(ANNE, NEWS)
    world.subscribe(ANNE, OFFERS)
    assert good(world, "unsubscribe", ANNE, "--channel", channel) == "2 subscriptions ended.\n"
    left = [one for one in world.evidence() if one.fact == "unsubscribed"]
    assert [(one.channel, one.actor) for one in left] == [(channel, "command line")] * 2


def test_a_revocation_of_one_list_leaves_the_other(world: World) -> None:
    world.subscribe(ANNE, NEWS)
    world.subscribe(ANNE, OFFERS)
    assert good(world, "unsubscribe", ANNE, "--channel", "email", "--list", NEWS) == "1 subscription ended.\n"
    assert Office(world).exported(OFFERS) == [ANNE]


def test_a_revocation_is_dated_by_the_day_it_was_received(world: World) -> None:
    world.subscribe(ANNE)
    world.clock.forward(days=20)
    good(world, "unsubscribe", ANNE, "--channel", "letter", "--received", "2026-12-01T09:15:00+01:00")
    (chapter,) = world.subscriptions()
    assert chapter.ended_at == datetime(2026, 12, 1, 8, 15, tzinfo=UTC)
    last = world.evidence()[-1]
    assert last.details["received"].startswith("2026-12-01T08:15:00")
    assert last.at == world.clock.now()


def test_the_proof_of_one_who_left_at_new_year_counts_from_the_day_it_was_received(world: World) -> None:
    world.subscribe(ANNE)
    world.clock.forward(days=50)
    good(world, "unsubscribe", ANNE, "--channel", "letter", "--received", "2026-12-31T12:00:00Z")
    assert world.subscriptions()[0].proof_until == datetime(2030, 1, 1, tzinfo=UTC)


def test_no_chapter_ends_before_it_began(world: World) -> None:
    world.subscribe(ANNE)
    good(world, "unsubscribe", ANNE, "--channel", "letter", "--received", "2026-11-01T00:00:00Z")
    (chapter,) = world.subscriptions()
    assert chapter.ended_at is not None
    assert chapter.ended_at >= chapter.confirmed_at


def test_a_revocation_of_nothing_is_a_success_and_changes_nothing(world: World) -> None:
    result = run(world, "unsubscribe", ANNE, "--channel", "email")
    assert (result.exit_code, result.stdout) == (0, "This address has no open subscription: nothing was changed.\n")
    assert world.evidence() == []


def through(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> World:
    app = make_app(mail=Mail("smtp", relay.host, relay.port, timeout_seconds=2))
    return World(app, app.test_client(), clock)


def test_a_test_mail_says_what_the_relay_said(make_app: Callable[..., Flask], clock: Movable) -> None:
    with Relay() as relay:
        text = good(through(relay, make_app, clock), "mail", "test", ANNE)
        assert text.startswith("The relay accepted it: 250")
        assert [mail.recipients for mail in relay.wait_for(1)] == [(ANNE,)]


@pytest.mark.parametrize("stage", ["rcpt", "mail", "end", "connect"])
def test_a_refused_test_mail_is_one_sentence_with_the_words_of_the_relay(
    make_app: Callable[..., Flask], clock: Movable, stage: str
) -> None:
    with Relay() as relay:
        relay.behave(stage, "554 5.7.1 not from you")  # type: ignore[arg-type]
        assert "554 5.7.1 not from you" in refused(through(relay, make_app, clock), "mail", "test", ANNE)


def test_a_test_mail_without_a_relay_is_one_sentence(make_app: Callable[..., Flask], clock: Movable) -> None:
    assert "did not accept it" in refused(through(Relay(), make_app, clock), "mail", "test", ANNE)
