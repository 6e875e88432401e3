"""A mail that cannot be written is put off by itself, with a note; the others of the same take go on."""

from typing import Any

import pytest
import sqlalchemy as sa

from subscriptions.cli.explain import story
from subscriptions.mail.batch import Batch
from subscriptions.mail.compose import Composer
from subscriptions.store.engine import Unavailable, transaction
from tests.builders import ANNE, BART, CRIS, World, owed

PEOPLE = [*(f"reader{number}@example.org" for number in range(6)), ANNE, BART, CRIS]


def break_it(world: World, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bart's mail: it has a kind that this version does not know, its row is broken, or its template fails."""
    row = next(one for one in world.registrations() if one.address == BART)
    if how == "template":
        write = Composer.values

        def values(self: Composer, mail: Any, due: Any, *rest: Any) -> dict[str, str]:
            return {} if due.address == BART else write(self, mail, due, *rest)

        monkeypatch.setattr(Composer, "values", values)
        return
    broken = {
        "kind": "UPDATE outbox SET mail = 'of a later version' WHERE registration_id = :id",
        "row": "UPDATE registrations SET state = 'odd' WHERE id = :id",
    }
    with transaction() as session:
        session.execute(sa.text(broken[how]), {"id": row.id})


@pytest.mark.parametrize(("how", "error"), [("kind", "ValueError"), ("row", "ValueError"), ("template", "KeyError")])
def test_the_others_leave_and_it_is_tried_again_later(
    world: World, how: str, error: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for person in PEOPLE:
        world.sign_up(person)
    break_it(world, how, monkeypatch)
    assert world.deliver() == len(PEOPLE) - 1
    assert [(left.tries, left.taken_by, left.note) for left in owed()] == [(1, None, f"it cannot be written: {error}")]
    assert world.deliver() == 0
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == ["a mail cannot be written"]
    monkeypatch.undo()
    world.clock.forward(minutes=20)
    assert world.deliver() == (1 if how == "template" else 0)


def test_a_kind_that_only_a_later_version_knows_is_read_told_and_dropped_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for person in PEOPLE:
        world.sign_up(person)
    break_it(world, "kind", monkeypatch)
    reads: list[int] = []
    read = Batch.read
    monkeypatch.setattr(Batch, "read", lambda self, ids: reads.append(len(ids)) or read(self, ids))
    assert world.deliver() == len(PEOPLE) - 1
    assert sum(reads) == len(PEOPLE)  # each once: it fails the reading of no other
    shown = world.app.test_cli_runner().invoke(args=["explain", BART])
    assert (shown.exit_code, shown.exception) == (0, None)
    assert "The email is waiting: it cannot be written (ValueError) (attempt 1); next attempt on" in shown.stdout
    caplog.clear()
    world.clock.forward(hours=24)
    assert (world.deliver(), owed()) == (0, [])
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_database_that_is_away_is_no_fault_of_a_mail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("the database is away")

    world.sign_up(ANNE)
    monkeypatch.setattr(Composer, "compose", away)
    with pytest.raises(Unavailable):
        world.deliver()
    assert [(one.tries, one.note) for one in owed()] == [(0, None)]


def test_one_that_waits_so_is_told_as_ours_and_not_as_said_by_the_relay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sign_up(BART)
    break_it(world, "template", monkeypatch)
    world.deliver()
    said = "\n".join(story(world.parts.links.key(BART)))
    assert "The confirmation email is waiting: it cannot be written (KeyError) (attempt 1); next attempt on" in said
