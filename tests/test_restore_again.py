"""After a restore nobody who has said no since the backup is mailed: each way to say it is walked."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from subscriptions import start
from subscriptions.actions import ended, leave, on_behalf
from subscriptions.actions import suppress as suppressing
from subscriptions.actions.replay import ACTS
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.store import journal
from tests.backups import restored, save, taken_at, verified
from tests.builders import BART, CRIS, World
from tests.losses import act
from tests.preferences import Page, key
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.test_commands import good, logging_as_it_was

__all__ = ["logging_as_it_was"]
pytestmark = BY_DAY_ON_SQLITE
ATTACKER = "198.51.100.7"
Step = Callable[[World, str], object]


class Way(NamedTuple):
    """How somebody stands at the backup, what is done then, and what has to hold after the restore."""

    before: Step
    done: Step
    holds: Step


def both(*steps: Step) -> Step:
    return lambda world, who: [step(world, who) for step in steps]


def subscribes(world: World, who: str) -> None:
    world.subscribe(who, name="Voluntary Name")


def waits(world: World, who: str) -> None:
    world.sign_up(who, remote_addr=ATTACKER if who.startswith("attacked") else "203.0.113.7")
    world.deliver()


def is_unknown(world: World, who: str) -> None:
    """Nothing is there yet."""


def presses(purpose: str, **data: str) -> Step:
    def press(world: World, who: str) -> None:
        url = world.leave_link(who) if purpose == "leave" else LINKS[who]
        assert world.post(url, data=data or {"by": "page"}).status_code == 200

    return press


LINKS: dict[str, str] = {}


def remembers(before: Step) -> Step:
    def remember(world: World, who: str) -> None:
        before(world, who)
        LINKS[who] = world.not_me_link(who)

    return remember


def command(*args: str) -> Step:
    return lambda world, who: good(world, *(part.format(who) for part in args))


def bounces(world: World, who: str) -> None:
    how = leave.Withdrawal(Event.BOUNCE, Channel.BOUNCE, "550 no such mailbox for secret@example.org")
    assert ended.end([key(world, who)], 1, how, world.clock.now(), world.parts.policy, act(world)) == 1


def restricts(world: World, who: str, *, lift: bool = False) -> None:
    why = {"told": "letter", "told_on": "2026-11-24"} if lift else {"reason": "Mrs Secret says so"}
    assert on_behalf.restrict(key(world, who), {1}, why, world.clock.now(), act(world), lift=lift)


def restricts_and_lifts(world: World, who: str) -> None:
    restricts(world, who)
    restricts(world, who, lift=True)


def is_cancelled(world: World, who: str) -> None:
    assert on_behalf.cancel(key(world, who), {1}, world.clock.now(), act(world)) == 1


def never_again(world: World, who: str) -> None:
    assert Page.of(world, who).act("never-surely").status_code == 200


def objects(world: World, who: str) -> None:
    of, how = leave.Controller("Example Society", [1]), leave.Withdrawal(Event.OBJECT, Channel.LETTER, "by letter")
    assert leave.object_to(of, key(world, who), how, world.clock.now(), world.parts.policy) == 1


def lifts_what_is_said_to_all(world: World, who: str) -> None:
    assert suppressing.lift(key(world, who), controller="") == 0


def open_of(world: World, who: str) -> list[Any]:
    return [row for row in world.subscriptions() if row.address == who and row.is_open]


def has_left(world: World, who: str) -> None:
    assert [row for row in world.subscriptions() if row.address == who] and not open_of(world, who)


def is_gone(world: World, who: str) -> None:
    assert who not in {row.address for row in (*world.registrations(), *world.subscriptions())}


def is_quiet(world: World, who: str) -> None:
    before = len(world.mails(who))
    world.sign_up(who)
    assert len(world.mails(who)) == before


def is_asked(world: World, who: str) -> None:
    world.sign_up(who)
    assert world.mails(who)


def is_restricted(world: World, who: str) -> None:
    assert [row.restricted for row in open_of(world, who)] == [True]


def is_free(world: World, who: str) -> None:
    assert [row.restricted for row in open_of(world, who)] == [False]


ADD = ("suppressions", "add", "{}", "--reason", "Mrs Secret asked", "--yes", "--scope")
WAYS = {
    "leaves": Way(subscribes, presses("leave"), has_left),
    "one-click": Way(subscribes, presses("leave", **{"List-Unsubscribe": "One-Click"}), has_left),
    "letter": Way(subscribes, command("unsubscribe", "{}", "--channel", "letter"), has_left),
    "bounced": Way(subscribes, bounces, has_left),
    "never": Way(subscribes, never_again, both(has_left, is_quiet)),
    "objects": Way(subscribes, objects, both(has_left, is_quiet)),
    "suppressed": Way(subscribes, command(*ADD, "all"), both(has_left, is_quiet)),
    "unasked": Way(is_unknown, command(*ADD, "confirmations"), is_quiet),
    "objection-stays": Way(both(subscribes, objects), lifts_what_is_said_to_all, both(has_left, is_quiet)),
    "lifted": Way(command(*ADD, "confirmations"), command("suppressions", "lift", "{}", "--reason", "asked"), is_asked),
    "not-me": Way(remembers(waits), presses("not me"), both(is_gone, is_quiet)),
    "not-me-confirmed": Way(remembers(subscribes), presses("not me"), both(has_left, is_quiet)),
    "spam-button": Way(remembers(waits), presses("", **{"List-Unsubscribe": "One-Click"}), both(is_gone, is_quiet)),
    "cancelled": Way(waits, is_cancelled, is_gone),
    "attacked": Way(waits, command("abuse", "cancel", "--since", "9d", "--network", ATTACKER, "--yes"), is_gone),
    "erased": Way(subscribes, command("erase", "{}", "--yes"), is_gone),
    "erased-waiting": Way(waits, command("erase", "{}", "--yes"), is_gone),
    "restricted": Way(subscribes, restricts, is_restricted),
    "unrestricted": Way(subscribes, restricts_and_lifts, is_free),
}
PEOPLE = {f"{name}@example.org": way for name, way in WAYS.items()}


def test_whatever_people_ended_since_the_backup_is_ended_again_and_names_nobody(world: World) -> None:
    for who, way in PEOPLE.items():
        way.before(world, who)
    world.subscribe(BART)
    path = save(world)
    for who, way in PEOPLE.items():
        way.done(world, who)
    written = "".join(one.read_text() for one in world.parts.settings.journal.iterdir())
    assert "@" not in written and "ecret" not in written and "Voluntary" not in written
    for _ in range(2):  # doing it twice changes nothing
        said = restored(world, path)
        assert all(words in said for words, _ in ACTS.values()), said
        start.prepare(world.app)
        world.parts.sender.begin_anew()  # `erase` has ended that of its process
        world.clock.forward(days=2)
        wrong = [who for who, way in PEOPLE.items() if not _holds(world, who, way)]
        assert wrong == [] and [row.address for row in open_of(world, BART)] == [BART]
        assert verified(world)


def _holds(world: World, who: str, way: Way) -> bool:
    try:
        way.holds(world, who)
    except AssertionError:
        return False
    return True


def test_who_left_and_came_back_before_the_backup_stays(world: World) -> None:
    world.subscribe(CRIS)
    world.post(world.leave_link(CRIS))
    world.subscribe(CRIS)
    path = save(world)
    entries, _ = journal.read([world.parts.settings.journal], taken_at(path).replace(year=2026, month=1, day=1))
    assert [entry.act for entry in entries] == ["end"]
    assert "deletion journal: nothing" in restored(world, path)
    assert [row.address for row in open_of(world, CRIS)] == [CRIS]


@ONE_DATABASE
@pytest.mark.parametrize(("seconds", "is_known"), [(-60, True), (-180, False)])
def test_what_was_noted_just_before_the_backup_and_committed_after_it_is_done(
    world: World, seconds: int, is_known: bool
) -> None:
    """An act says so before its commit; and clocks of several hosts differ."""
    world.subscribe(BART)
    path = save(world)
    world.post(world.leave_link(BART))
    [day] = world.parts.settings.journal.iterdir()
    entry = json.loads(day.read_text()) | {"at": (taken_at(path) + timedelta(seconds=seconds)).isoformat()}
    day.write_text(json.dumps(entry))
    restored(world, path)
    assert bool(open_of(world, BART)) is not is_known


@ONE_DATABASE
def test_a_check_says_what_would_be_done_again_and_changes_nothing(world: World) -> None:
    world.subscribe(BART)
    path = save(world)
    world.post(world.leave_link(BART))
    world.subscribe(CRIS)
    said = good(world, "restore", str(path), "--check")
    assert "The backup is whole" in said and "subscriptions ended 1" in said
    assert {row.address for row in world.subscriptions()} == {BART, CRIS}


@ONE_DATABASE
def test_the_journals_of_several_hosts_are_read_together(world: World) -> None:
    world.subscribe(BART)
    world.subscribe(CRIS)
    path, here = save(world), world.parts.settings.journal
    other = here.with_name("journal of another host")
    world.post(world.leave_link(BART))
    here.rename(other)
    world.post(world.leave_link(CRIS))
    restored(world, path, "--journal", str(here), "--journal", str(other))
    assert not open_of(world, BART) and not open_of(world, CRIS)


@ONE_DATABASE
def test_an_entry_that_makes_no_sense_is_told_and_stops_nothing(world: World) -> None:
    world.subscribe(BART)
    path, folder = save(world), world.parts.settings.journal
    world.post(world.leave_link(BART))
    [day] = folder.iterdir()
    worse = ('{"at": "2099-01-01T00:00:00+00:00", "act": "end", "key": "zz", "id": 1}', '{"at": 5}', "[]",
             '{"at": "2099-01-01T00:00:00", "act": "dance"}', day.read_text(), '{"at": "2026-')  # fmt: skip
    day.write_text("\n".join(worse))
    (folder / "2026-13-45.jsonl").write_text("not ours")
    said = restored(world, path)
    assert "subscriptions ended 1" in said and "entries that could not be read 4" in said
    assert not open_of(world, BART)


def test_a_list_that_the_backup_does_not_have_ends_nothing_of_another(world: World) -> None:
    path = save(world)
    good(world, "suppressions", "add", CRIS, "--reason", "x", "--scope", "confirmations")
    [day] = world.parts.settings.journal.iterdir()
    day.write_text(day.read_text().replace('"act": "suppress"', '"act": "suppress", "list_id": 77'))
    assert "deletion journal: nothing" in restored(world, path)
