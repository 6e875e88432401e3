"""Subscribe: a batch of sign-ups becomes registrations, evidence and owed mails, or nothing, in one transaction."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy.orm import Session

from subscriptions.actions import gate as gates
from subscriptions.actions.gate import Gate, Pass, Refusal, gate_for
from subscriptions.domain import policy as rules
from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Channel, Fact, complete
from subscriptions.domain.lifecycle import Event, Mail, Subscription, registration_step, subscription_step
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, chapters, counters, evidence, outbox, signups
from subscriptions.store.engine import repeated, transaction


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act came from: the IP as stored (T-03), and by which sign of whom we know it."""

    ip: str | None
    ip_source: str  # peer | proxy | unnamed proxy | client
    network: bytes | None  # key of the network to count by; none: not limited


@dataclass(frozen=True, slots=True)
class Choice:
    """A further list of the same form, with the wording that stood beside it."""

    ref: bytes
    list_id: int
    wording_id: str | None
    wording_sha256: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """One sign-up, checked: the address parsed, the lists known, each wording one of its list's."""

    ref: bytes
    key: bytes
    address: Address
    list_id: int
    name: str | None
    locale: str
    wording_id: str | None
    channel: Channel
    actor: str | None
    origin: Origin
    wording_sha256: str | None = None
    brings: Pass = field(default_factory=Pass)
    mailable: bool = True  # if not, it is answered like all others, and nothing else comes of it
    flags: tuple[str, ...] = ()  # what is unusual about it, for the evidence
    fields: Mapping[str, str] | None = None  # voluntary ones besides the name
    also: tuple[Choice, ...] = ()
    vouched: Mapping[str, str] | None = None  # what a client says of where and when it was asked
    is_nobodys: bool = False  # nothing is behind a request for another mail: the same work, and nobody is registered


@dataclass(slots=True)
class _Batch:
    """What one transaction knows and is about to write."""

    now: datetime
    policy: Policy
    mails: dict[bytes, list[datetime]]
    gate: Gate
    seen: signups.Seen
    mids: list[str]  # names for the mails that it may owe
    confirm_by: datetime
    purge_at: datetime
    new: list[signups.New] = field(default_factory=list)
    told: list[tuple[int, datetime, Ask]] = field(default_factory=list)
    changed: set[bytes] = field(default_factory=set)


@repeated
def subscribe(
    asks: Sequence[Ask], now: datetime, policy: Policy, tally: counters.Tally | None = None
) -> list[Refusal | None]:
    """Take sign-ups, all or none of them. What became of each is told by mail only (X-01, X-02)."""
    with (tally or counters.Tally()).taken() as counts, transaction() as session:
        return take(session, asks, now, policy, counts)


def take(
    session: Session, asks: Sequence[Ask], now: datetime, policy: Policy, noted: Mapping[str, int] | None = None
) -> list[Refusal | None]:
    """The same within a transaction that does something besides; `noted`: counts to write with it."""
    batch = _begin(session, asks, now, policy)
    answers = [_decide(batch, ask) for ask in asks]
    _write(session, batch)
    addresses.forget_unknown(session, _without_trace(batch, asks))
    counters.add(session, Counter(noted or {}) + gates.counts(batch.gate, answers) + Counter(_unusual(asks)))
    return answers


def _unusual(asks: Sequence[Ask]) -> dict[str, int]:
    """What the addresses alone tell, in numbers."""
    return {
        "not_mailable": sum(not ask.mailable for ask in asks),
        "disposable": sum("disposable" in ask.flags for ask in asks),
    }


def _without_trace(batch: _Batch, asks: Sequence[Ask]) -> list[bytes]:
    """Keys that this batch gave no reason to know: refused, or the budget closed, and nothing was seen of them."""
    seen = batch.seen
    known = {key for key, _ in (*seen.suppressed, *seen.open, *seen.pending)}
    return sorted({ask.key for ask in asks} - known)


def _begin(session: Session, asks: Sequence[Ask], now: datetime, policy: Policy) -> _Batch:
    keys = Counter(ask.key for ask in asks)
    budgets = signups.lock_addresses(session, keys)
    gate = gate_for(session, [(ask.origin.network, ask.brings) for ask in asks], now, policy)
    mails = {key: addresses.read_times(text) for key, text in budgets.items()}
    seen = signups.see(session, list(keys), now)
    mids = outbox.new_mids(len(asks))
    return _Batch(now, policy, mails, gate, seen, mids, policy.confirm_by(now), policy.purge_at(now))


def _decide(batch: _Batch, ask: Ask) -> Refusal | None:
    refused = batch.gate.refuse(ask.origin.network, ask.brings)
    if refused:
        return refused
    if ask.is_nobodys or not ask.mailable:
        return None
    suppressed, is_open = batch.seen.suppressed, batch.seen.open
    if (ask.key, None) in suppressed:
        return None
    every: list[Ask | Choice] = [ask, *ask.also]
    asked = [one for one in every if (ask.key, one.list_id) not in suppressed]
    new = [one for one in asked if (ask.key, one.list_id) not in is_open]
    if new:
        _register(batch, ask, new)
    for one in () if new else asked:
        if _tell(batch, ask, is_open[ask.key, one.list_id]):
            break
    return None


def _register(batch: _Batch, ask: Ask, choices: Sequence[Ask | Choice]) -> None:
    step = registration_step(None, Event.SUBSCRIBE)
    fresh = [one for one in choices if (ask.key, one.list_id) not in batch.seen.pending]
    due_at = rules.mail_time(batch.policy.mails, batch.mails[ask.key], batch.now, may_wait=bool(fresh))
    if due_at is None or due_at >= batch.confirm_by:
        return
    assert step.mail is not None
    _spend(batch, ask.key, due_at)
    first, *others = choices if due_at == batch.now else fresh
    group = ask.ref if others else None
    batch.new.append(_new(batch, ask, first, ask.ref, group, due_at, step.mail))
    # each is a registration of its own, and the one mail for all hangs on the first
    batch.new += [_new(batch, ask, one, one.ref, group, due_at, None) for one in others]
    batch.seen.pending |= {(ask.key, one.list_id) for one in (first, *others)}


def _new(
    batch: _Batch, ask: Ask, choice: Ask | Choice, ref: bytes, group: bytes | None, due_at: datetime, mail: Mail | None
) -> signups.New:
    return signups.New(
        ref=ref,
        list_id=choice.list_id,
        key=ask.key,
        address=ask.address.mailed,
        typed=ask.address.typed if ask.address.typed != ask.address.mailed else None,
        name=ask.name,
        locale=ask.locale,
        registered_at=batch.now,
        confirm_by=batch.confirm_by,
        purge_at=batch.purge_at,
        wording_id=choice.wording_id,
        channel=ask.channel,
        actor=ask.actor,
        ip=ask.origin.ip,
        ip_source=ask.origin.ip_source,
        details=_details(ask, choice),
        mail=mail,
        mid=batch.mids.pop() if mail else None,
        due_at=due_at,
        fields=json.dumps(dict(ask.fields), ensure_ascii=False) if ask.fields else None,
        group_ref=group,
    )


def _details(ask: Ask, choice: Ask | Choice) -> str:
    text = _registered(choice.wording_id, choice.wording_sha256, ask.locale, ask.flags)
    return json.dumps(json.loads(text) | dict(ask.vouched)) if ask.vouched else text


@lru_cache(maxsize=1024)
def _registered(wording_id: str | None, sha256: str | None, locale: str, flags: tuple[str, ...]) -> str:
    wording = wording_id or "not vouched for by the form"
    details: dict[str, object] = {"wording": wording, "wording_sha256": sha256, "locale": locale}
    if flags:
        details["flags"] = flags
    return json.dumps(complete(Fact.REGISTERED, details))


def _tell(batch: _Batch, ask: Ask, subscription: signups.Open) -> bool:
    """Owe "you are already subscribed": at most one in 30 days, within the budget, never to restricted ones."""
    lately = subscription.told_at and subscription.told_at > batch.now - rules.TOLD_ALREADY_EVERY
    if lately or subscription.restricted:
        return False
    due_at = rules.mail_time(batch.policy.mails, batch.mails[ask.key], batch.now, may_wait=False)
    if due_at is None:
        return False
    _spend(batch, ask.key, due_at)
    subscription.told_at = batch.now
    batch.told.append((subscription.id, due_at, ask))
    return True


def _spend(batch: _Batch, key: bytes, due_at: datetime) -> None:
    if batch.policy.mails:
        batch.mails[key].append(due_at)
        batch.changed.add(key)


def _write(session: Session, batch: _Batch) -> None:
    signups.remember(session, batch.new)
    oldest = batch.now - rules.longest(batch.policy.mails)
    budgets = {
        key: addresses.write_times(at for at in batch.mails[key] if at > oldest) for key in sorted(batch.changed)
    }
    signups.save_budgets(session, budgets)
    for id_, due_at, ask in batch.told:
        mail = subscription_step(Subscription.CONFIRMED, Event.SUBSCRIBE).mail
        chapters.told(session, id_, batch.now)
        outbox.owe(session, mail, now=batch.now, due_at=due_at, subscription_id=id_)
        # no IP: it is a stranger's, or adds nothing to the proof
        evidence.add(session, Fact.ASKED_AGAIN, batch.now, ask.channel, subscription_id=id_, actor=ask.actor)
