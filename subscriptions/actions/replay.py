"""Replay: after a restore, what people and operators had ended since the backup is ended again; without an email."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from subscriptions.actions import erase, leave
from subscriptions.actions.undo import undo_again
from subscriptions.domain.evidence import Cause, Channel, Fact
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.lifecycle import Registration as SignedUp
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import Policy
from subscriptions.store import (
    addresses,
    audit,
    evidence,
    imports,
    journal,
    lists,
    meta,
    outbox,
    registrations,
    subscriptions,
    suppressions,
)
from subscriptions.store.audit import Act
from subscriptions.store.engine import transaction
from subscriptions.store.journal import Entry
from subscriptions.store.models import Subscription

UNREADABLE = "unreadable"
WHY, ACTOR = "again, from the deletion journal after a restore", "restore"
Done = Callable[[Session, Entry, datetime, Policy], object]  # whether it had to be done


def _subscription(session: Session, entry: Entry) -> Subscription | None:
    """The very one, if the backup has it open; one that was opened since is another."""
    row = subscriptions.find(session, int(entry.said["id"]))
    return row if row and row.key == entry.octets("key") and row.is_open else None


def _end(session: Session, entry: Entry, now: datetime, policy: Policy) -> bool:
    if row := _subscription(session, entry):
        event, channel = Event(entry.said["event"]), Channel(entry.said["channel"])
        ended_at = datetime.fromisoformat(entry.said["ended"])
        leave.end(session, row, leave.Withdrawal(event, channel, WHY, ACTOR, ended_at), now, policy)
    else:  # perhaps invited meanwhile, and gone again
        imports.note_invited(session, entry.octets("key") or b"", now)
    return row is not None


def _erase(session: Session, entry: Entry, now: datetime, policy: Policy) -> bool:
    key = entry.octets("key") or b""
    known = [row.address for row in registrations.of_key(session, key)]
    known += [row.address for row in subscriptions.of_key(session, key)]
    waited = imports.forget(session, key)
    if any(known):
        erase.finish_in(session, key, now, policy)
    return waited or any(known)


def _remove(session: Session, entry: Entry, now: datetime, _: Policy) -> bool:
    found = [row.id for row in registrations.of_form(session, entry.octets("ref") or b"")
             if row.list_id == entry.said["list_id"] and row.state is not SignedUp.CONFIRMED]  # fmt: skip
    if found:
        registrations.remove(session, found, Cause(entry.said["cause"]), now)
    return bool(found)


def _suppress(session: Session, entry: Entry, now: datetime, _: Policy) -> bool:
    said, list_id = entry.said, entry.said.get("list_id")
    until = datetime.fromisoformat(said["until"]) if said.get("until") else None
    if (until and until <= now) or list_id not in {None, *(row.id for row in lists.all_of(session))}:
        return False
    of = {"scope": SuppressionScope(said["scope"]), "list_id": list_id, "controller": said.get("controller"),
          **{name: entry.octets(name) for name in ("key", "mailbox", "set_by")}}  # fmt: skip
    addresses.lock_or_create(session, entry.octets("key"), entry.octets("mailbox"))
    return suppressions.put_once(session, of, WHY, datetime.fromisoformat(said["set_at"]), until)


def _lift(session: Session, entry: Entry, *_: object) -> bool:
    scope, key = entry.said.get("scope"), entry.octets("key") or b""
    lifted = suppressions.lift(
        session, key, scope=SuppressionScope(scope) if scope else None, set_by=entry.octets("set_by"),
        mailbox=entry.octets("mailbox"), controller=entry.said.get("controller"),
    )  # fmt: skip
    addresses.forget_unknown(session, {key, *(each for pair in lifted for each in pair)})
    return bool(lifted)


def _restrict(session: Session, entry: Entry, now: datetime, _: Policy) -> bool:
    row, wanted = _subscription(session, entry), entry.act == "restrict"
    if row is None or row.restricted is wanted:
        return False
    row.restricted = wanted
    fact, told = Fact.RESTRICTED if wanted else Fact.UNRESTRICTED, ("told", "told_on")
    details = {"reason": WHY} if wanted else {name: entry.said.get(name, "") for name in told}
    evidence.add(session, fact, now, Channel.COMMAND, subscription_id=row.id, actor=ACTOR, details=details)
    return True


def _invite(session: Session, entry: Entry, now: datetime, _: Policy) -> bool:
    return imports.note_invited(session, entry.octets("key") or b"", now, entry.said["list_id"])


def _undo(session: Session, entry: Entry, now: datetime, _: Policy) -> bool:
    return bool(undo_again(session, entry.said["id"], now))


# by the names in the journal: what the operator reads, and what is done
ACTS: Mapping[str, tuple[str, Done]] = {
    "end": ("subscriptions ended", _end), "erase": ("people erased", _erase), "remove": ("sign-ups deleted", _remove),
    "suppress": ("suppressions set", _suppress), "lift": ("suppressions lifted", _lift),
    "restrict": ("restrictions set", _restrict), "unrestrict": ("restrictions lifted", _restrict),
    "invite": ("invitations that went out", _invite), "undo": ("imports undone", _undo),
}  # fmt: skip


def replay(entries: Iterable[Entry], now: datetime, policy: Policy, act: Act, *, moving: bool) -> Counter[str]:
    """How many of each had to be done again; with it a restore is over.

    Unless the service has only moved, the emails that waited when the backup was made are dropped: nearly all of them
    left a moment later, and one that asks, or says that somebody was erased, must not come twice.
    """
    done: Counter[str] = Counter()
    with transaction() as session:
        journal.be_silent(session)
        dropped = 0 if moving else outbox.drop_all(session)
        for entry in entries:
            try:
                with session.begin_nested():  # what the database refuses must not take the others with it
                    done[entry.act] += bool(ACTS[entry.act][1](session, entry, now, policy))
                    session.flush()
            except (KeyError, ValueError, TypeError, OverflowError, StatementError):
                done[UNREADABLE] += 1
        meta.put(session, meta.RESTORING, "")
        audit.write(session, act.of(dropped, dropped=dropped, again=dict(+done)))
    return +done
