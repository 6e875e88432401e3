"""After an attack: what `flask abuse` shows and cancels, and what it leaves alone (B-13)."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from subscriptions.actions import cancel as cancelling
from subscriptions.actions.cancel import Window
from subscriptions.cli import acts
from subscriptions.parts import current_parts
from subscriptions.settings import Abuse, Limits
from subscriptions.store import attack, counters
from subscriptions.store.engine import Contention, Unavailable, reading
from subscriptions.store.models import Audit, Evidence, Owed, Suppression
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World
from tests.conftest import NOON, ManualClock
from tests.support.cases import ONE_DATABASE, each


def run(world: World, *args: str) -> Result:
    return world.app.test_cli_runner().invoke(args=["abuse", *args])


def cancel(world: World, *args: str) -> Result:
    return run(world, "cancel", "--since", "1h", "--yes", *args)


def waiting(world: World) -> list[str | None]:
    return [one.address for one in world.registrations() if one.state != "confirmed"]


def audited(world: World) -> list[tuple[str, int, int]]:
    with reading() as session:
        rows = session.query(Audit).order_by(Audit.id).all()
    return [(one.act, one.details["registrations"], one.details["addresses"]) for one in rows]


@pytest.fixture
def attacked(world: World) -> World:
    """Anne is bombed over two lists, Cris once; before all that Bart subscribed."""
    world.subscribe(BART)
    for address, slug in ((ANNE, NEWS), (ANNE, OFFERS), (CRIS, NEWS)):
        assert world.sign_up(address, slug, remote_addr="198.51.100.9").status_code == 202
    world.clock.forward(seconds=1)
    return world


def test_what_waits_is_erased_with_its_mails_and_evidence_and_its_addresses_are_protected(attacked: World) -> None:
    before = attacked.count(Evidence)
    told = cancel(attacked)
    assert told.exit_code == 0 and "3 sign-ups of 2 addresses cancelled" in told.output
    assert (waiting(attacked), attacked.count(Owed), attacked.count(Evidence)) == ([], 0, before - 3)
    with reading() as session:
        found = [(one.scope, one.list_id, one.until) for one in session.query(Suppression)]
    assert len(found) == 2 and {one[:2] for one in found} == {("confirmations", None)}
    assert counts()["cancelled"] == 3


def counts() -> dict[str, int]:
    with reading() as session:
        return counters.totals(session)


def test_the_victims_are_asked_no_more_for_30_days_and_then_again(attacked: World) -> None:
    cancel(attacked)
    attacked.clock.forward(days=29, hours=23)
    attacked.sign_up(ANNE)
    assert waiting(attacked) == [] and attacked.mails(ANNE) == []
    attacked.clock.forward(hours=1)
    attacked.sign_up(ANNE)
    assert len(attacked.mails(ANNE)) == 1


def test_an_operator_lets_a_victim_in_at_once(attacked: World) -> None:
    cancel(attacked)
    lifted = attacked.app.test_cli_runner().invoke(args=["suppressions", "lift", ANNE, "--reason", "she wrote to us"])
    assert lifted.exit_code == 0
    attacked.clock.forward(minutes=15)
    attacked.sign_up(ANNE)
    assert waiting(attacked) == [ANNE]


def test_who_has_confirmed_keeps_the_subscription(attacked: World) -> None:
    attacked.post(attacked.confirm_link(CRIS))
    cancel(attacked, "--since", "1d")
    assert [(one.address, one.state) for one in attacked.subscriptions()] == [(BART, "confirmed"), (CRIS, "confirmed")]
    with reading() as session:
        assert session.query(Suppression).count() == 1


def test_who_confirms_while_it_runs_keeps_the_subscription(attacked: World) -> None:
    batches = cancelling._found(Window(NOON, attacked.clock.forward(minutes=1)))
    batch = next(batches)
    attacked.post(attacked.confirm_link(CRIS))
    done = cancelling._cancel(batch, Window(NOON, attacked.clock.now()), attacked.clock.now())
    assert (done.registrations, done.addresses) == (2, 1)
    assert [one.address for one in attacked.subscriptions()] == [BART, CRIS]


@pytest.mark.parametrize(
    ("args", "left"),
    [(["--network", "198.51.100.0/24"], [BART]), (["--network", "203.0.113.7"], [ANNE, ANNE, CRIS]),
     (["--network", "203.0.113.0/24", "--network", "198.51.100.0/28"], []),
     (["--network", "2001:db8::/32"], [ANNE, ANNE, CRIS, BART]), (["--list", OFFERS], [ANNE, CRIS, BART]),
     (["--until", "30m"], [ANNE, ANNE, CRIS, BART])],
)  # fmt: skip
def test_networks_a_list_and_the_time_narrow_it(world: World, args: list[str], left: list[str]) -> None:
    for address, slug in ((ANNE, NEWS), (ANNE, OFFERS), (CRIS, NEWS)):
        world.sign_up(address, slug, remote_addr="198.51.100.9")
    world.sign_up(BART)
    world.clock.forward(seconds=1)
    assert cancel(world, *args).exit_code == 0
    assert waiting(world) == left


def test_the_beginning_is_included_and_the_end_is_not(world: World) -> None:
    for _ in range(3):
        world.sign_up(f"at{world.clock.now():%M}@example.org")
        world.clock.forward(minutes=1)
    done = run(world, "cancel", "--since", "2026-11-23T12:00:00Z", "--until", "2026-11-23T13:02:00+01:00", "--yes")
    assert done.exit_code == 0 and waiting(world) == ["at02@example.org"]


def test_a_second_run_finds_nothing_and_changes_nothing(attacked: World) -> None:
    cancel(attacked)
    before = audited(attacked), attacked.count(Suppression)
    assert "nothing was changed" in cancel(attacked).output
    assert (audited(attacked), attacked.count(Suppression)) == before


def test_the_audit_says_who_did_what_in_numbers_and_names_nobody(
    attacked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "account", lambda: "operator")
    cancel(attacked, "--network", "198.51.100.0/24")
    assert audited(attacked) == [("abuse cancel begun", 3, 2), ("abuse cancel done", 3, 2)]
    with reading() as session:
        rows = [(one.actor, one.details) for one in session.query(Audit)]
    assert {actor for actor, _ in rows} == {"operator"} and rows[0][1]["networks"] == ["198.51.100.0/24"]
    assert rows[0][1]["since"].endswith("Z") and rows[0][1]["until"].endswith("Z")
    assert "example" not in str(rows)


def test_what_is_interrupted_says_how_far_it_came_and_can_be_run_again(
    attacked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "BATCH", 1)
    window = Window(NOON, attacked.clock.forward(minutes=1))
    steps = cancelling.cancel(window, attacked.clock.now(), "test")
    next(steps)
    steps.close()
    assert audited(attacked) == [("abuse cancel begun", 3, 2), ("abuse cancel done", 1, 1)]
    assert sum(one.registrations for one in cancelling.cancel(window, attacked.clock.now(), "test")) == 2
    assert attacked.count(Suppression) == 2


@pytest.mark.parametrize("error", [Contention("busy"), Unavailable("gone")])
def test_where_the_database_is_busy_amid_it_the_command_says_how_many_are_cancelled(
    attacked: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(cancelling, "BATCH", 2)
    remove, batches = attack.remove, []

    def refuse(*args: Any) -> list[bytes]:
        batches.append(args)
        if len(batches) > 1:
            raise error
        return remove(*args)

    monkeypatch.setattr(attack, "remove", refuse)
    told = cancel(attacked)
    assert told.exit_code == 1 and len(waiting(attacked)) == 1
    assert "2 sign-ups of 1 address cancelled so far" in told.stderr and "nothing was changed" not in told.stderr


def test_without_a_terminal_it_asks_nobody_and_changes_nothing(attacked: World) -> None:
    told = run(attacked, "cancel", "--since", "1h")
    assert told.exit_code == 2 and "Add --yes" in told.stderr and "3 sign-ups of 2 addresses" in told.stderr
    assert len(waiting(attacked)) == 3


@ONE_DATABASE
@each(
    ("args", "said"),
    [(["--since", "yesterday"], "is not a time"), (["--since", "0h"], "is not a time"),
     (["--since", "1h", "--until", "2h"], "must be later than"),
     (["--since", "1h", "--network", "10.0.0.0/40"], "is not a network"),
     (["--since", "1h", "--network", "10.0.0.1/8"], "is not a network"), ([], "--since")],
)  # fmt: skip
def test_bad_usage_is_told_in_a_sentence(world: World, args: list[str], said: str) -> None:
    told = run(world, "cancel", "--yes", *args)
    assert told.exit_code == 2 and said in told.stderr


def test_an_unknown_list_is_told_with_those_there_are(world: World) -> None:
    told = cancel(world, "--list", "nope")
    assert told.exit_code == 1 and NEWS in told.stderr


def test_show_has_words_for_a_quiet_hour(world: World) -> None:
    assert run(world, "show").output == "The breaker is off.\n\nNo sign-ups in the last hour.\n"


def test_show_says_why_it_is_on_and_draws_the_hour(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=Abuse("off", list_signups_per_minute=20, domain_signups_per_minute=10))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for n in range(22):
            world.sign_up(f"person{n}@big.example", remote_addr=f"203.0.113.{n}")
            if n == 1:
                current_parts(app).watch.exchange(clock.now())
                clock.forward(minutes=2)
        current_parts(app).watch.exchange(clock.now())
        text = run(world, "show").output
    assert "The breaker is on" in text and "on until 2026-11-23T12:17:00Z" in text
    assert "20 sign-ups in a minute for addresses at big.example; at most 10 are usual" in text
    assert "  12:00      2  ####\n  12:01      0\n  12:02     20  " + "#" * 40 in text
    assert "newsletter (at most 20 in a minute)" in text and "big.example (at most 20 in a minute)" in text


def test_show_names_what_operators_have_done(attacked: World) -> None:
    cancel(attacked)
    text = run(attacked, "show").output
    assert "cancel done (" in text and "registrations 3, addresses 2" in text and ANNE not in text


def test_show_says_where_nothing_is_watched(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(limits=Limits(signups_per_network=""))
    with app.app_context():
        assert run(World(app, app.test_client(), clock), "show").output.startswith("The breaker is switched off")


def test_a_large_attack_goes_in_batches_that_hold_few_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "BATCH", 4)
    for n in range(10):
        world.sign_up(f"person{n}@example.org", remote_addr=f"203.0.113.{n}")
    window = Window(NOON, world.clock.forward(minutes=1))
    steps = [one.registrations for one in cancelling.cancel(window, world.clock.now(), "test")]
    assert steps == [4, 4, 2]
