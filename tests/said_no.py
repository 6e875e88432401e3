"""Each way to say no: how somebody stands before, what is done, and what has to hold from then on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from subscriptions.actions import ended, leave, on_behalf
from subscriptions.actions import suppress as suppressing
from subscriptions.domain.evidence import Cause, Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.store import imports, registrations
from subscriptions.store.engine import reading, transaction
from tests.builders import NEWS, OFFERS, World
from tests.imports import lines, proved
from tests.losses import act
from tests.preferences import Page, key
from tests.test_commands import good

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


def comes_by_file(world: World, who: str) -> None:
    file = _file(world, who, lines([proved(who)]))
    good(world, "import", str(file), "--list", NEWS, "--with-evidence")


def waits_to_be_invited(world: World, who: str) -> None:
    """Since another mail has gone there a moment ago."""
    world.sign_up(who, OFFERS)
    good(world, "import", str(_file(world, who, f"{who}\n")), "--list", NEWS, "--invite")


def _file(world: World, who: str, text: str) -> Path:
    path = world.parts.settings.data_dir / who
    path.write_text(text)
    return path


def is_undone(world: World, who: str) -> None:
    with reading() as session:
        [id_] = [one.id for one in imports.all_of(session, [1]) if one.name == who.replace("@", " ")]
    assert good(world, "import", "undo", str(id_), "--yes") == "1 removed.\n"


def is_invited(world: World, who: str) -> None:
    world.clock.forward(minutes=15)
    world.run("imports")
    assert [row.list_id for row in world.registrations() if row.address == who] == [2, 1]


def is_erased_while_waiting(world: World, who: str) -> None:
    with transaction() as session:  # the sign-up that made it wait
        registrations.remove_unconfirmed(session, key(world, who), Cause.UNCONFIRMED, world.clock.now())
    assert "not invited" in good(world, "erase", who, "--yes")


def is_not_invited(world: World, who: str) -> None:
    world.run("imports")
    world.deliver()
    assert not world.mails(who)


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
    "imported": Way(comes_by_file, is_undone, is_gone),
    "uninvited": Way(waits_to_be_invited, is_undone, is_not_invited),
    "erased-uninvited": Way(waits_to_be_invited, is_erased_while_waiting, is_not_invited),
    "invited": Way(waits_to_be_invited, is_invited, is_not_invited),
    "restricted": Way(subscribes, restricts, is_restricted),
    "unrestricted": Way(subscribes, restricts_and_lifts, is_free),
}
PEOPLE = {f"{name}@example.org": way for name, way in WAYS.items()}
