"""Subscribe: a batch of sign-ups becomes registrations, evidence and owed mails, or nothing, in one transaction."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from subscriptions.actions import gate as gates
from subscriptions.actions.gate import Gate, Pass, Refusal, gate_for
from subscriptions.domain.address import Address
from subscriptions.domain.budget import Budget
from subscriptions.domain.evidence import ANOTHER_SITE, Channel, Fact, complete
from subscriptions.domain.lifecycle import Event, Subscription, registration_step, subscription_step
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import NOTIFIED_EVERY, Policy
from subscriptions.domain.sites import stood_on
from subscriptions.store import addresses, counters, figures, outbox, signups
from subscriptions.store.engine import repeated
from subscriptions.store.models import List, Wording
from subscriptions.store.trips import Connected, Trip, in_trips, trip


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act came from: the IP as stored, and by which sign of whom we know it."""

    ip: str | None
    ip_source: str  # peer | proxy | unnamed proxy | client
    network: bytes | None  # key of the network to count by; none: not limited


NOWHERE, _NOTHING = Origin(None, "peer", None), frozenset[int | None]()


@dataclass(frozen=True, slots=True)
class ListChoice:
    """A list that was asked for, and the wording that holds; a fault of it is told at `field` of the form.

    `vouched`: it stood beside the button, as the form says; else it is the one of that moment.
    """

    list: List
    wording: Wording
    vouched: bool = True
    field: str = "wording"
    site: str | None = None  # as `stood_on` told it of an earlier sign-up that this one repeats


class SignUp(NamedTuple):
    """One sign-up, checked: the address parsed, the lists known, each wording one of its list's.

    Without a list it is a decoy: the same work, and nobody is registered.
    """

    address: Address
    lists: tuple[ListChoice, ...]
    name: str | None
    locale: str
    fields: Mapping[str, str] | None = None  # voluntary ones besides the name
    said: Mapping[str, str] = MappingProxyType({})  # by a client of the visitor, unchecked
    altcha: str = ""  # a solved proof of work, unchecked
    # what its form did not say: whose it is, and where it came from
    ref: bytes = b""  # of the form, and of the one mail for all its lists
    key: bytes = b""
    channel: Channel = Channel.FORM
    actor: str | None = None
    origin: Origin = NOWHERE
    brings: Pass = Pass()
    mailable: bool = True  # if not, it is answered like all others, and nothing else comes of it
    flags: tuple[str, ...] = ()  # what is unusual about it, for the evidence
    site: str = ""  # the origin of the page that its form stood on, as the browser says; none: it says nothing
    is_our_site: bool = False
    vouched: Mapping[str, str] | None = None  # what a client says of where and when it was asked, checked
    mailbox: bytes | None = None  # its key, where the address is one spelling of another mailbox

    @property
    def rows(self) -> list[List]:
        """The lists themselves."""
        return [choice.list for choice in self.lists]

    @property
    def counts_by(self) -> bytes:
        """The key of what mails are counted by and confirmations suppressed for."""
        return self.mailbox or self.key


@dataclass(slots=True)
class _Batch:
    now: datetime
    policy: Policy
    asks: Mapping[bytes, int]
    budgets: dict[bytes, Budget]
    gate: Gate
    seen: signups.Seen
    mids: list[str]  # names for the mails that it may owe
    confirm_by: datetime
    purge_at: datetime
    new: list[signups.New] = field(default_factory=list)
    notified: list[signups.Notified] = field(default_factory=list)


@repeated
def subscribe(
    sign_ups: Sequence[SignUp], now: datetime, policy: Policy, tally: counters.Tally[str] | None = None
) -> list[Refusal | None]:
    """Take sign-ups, all or none of them. What became of each is told by mail only."""
    with (tally or counters.Tally[str]()).taken() as counts, in_trips() as connection:
        return take(connection, sign_ups, now, policy, counts)


def take(
    of: Connected, sign_ups: Sequence[SignUp], now: datetime, policy: Policy, noted: Mapping[str, int] | None = None
) -> list[Refusal | None]:
    """The same within a transaction that does something besides; `noted`: counts to write with it."""
    batch = _begin(of, sign_ups, now, policy)
    answers = [_decide(batch, sign_up) for sign_up in sign_ups]
    with trip(of, last=True) as out:
        _write(out, batch, sign_ups)
        counters.write(out, noted or {}, _counts(batch, answers, sign_ups), figures.asked(batch.new))
    return answers


def _counts(batch: _Batch, answers: Sequence[Refusal | None], sign_ups: Sequence[SignUp]) -> dict[str, int]:
    return gates.counts(batch.gate, answers) | {"not_mailable": sum(not sign_up.mailable for sign_up in sign_ups),
            "disposable": sum("disposable" in sign_up.flags for sign_up in sign_ups)}  # fmt: skip


def _without_trace(batch: _Batch, sign_ups: Sequence[SignUp]) -> list[bytes]:
    """Keys that this batch gave no reason to know: refused, or the budget closed, and nothing was seen of them."""
    known = {*batch.seen.suppressed, *(key for key, _ in batch.seen.asked)}
    known |= {mailbox for mailbox, budget in batch.budgets.items() if budget.is_changed}
    return sorted({key for sign_up in sign_ups for key in (sign_up.key, sign_up.counts_by)} - known)


def _begin(of: Connected, sign_ups: Sequence[SignUp], now: datetime, policy: Policy) -> _Batch:
    keys = Counter(sign_up.key for sign_up in sign_ups)
    others = [sign_up for sign_up in sign_ups if sign_up.mailbox]
    keys.update(dict.fromkeys((sign_up.counts_by for sign_up in others), 0))
    with trip(of) as out:
        texts = addresses.begin_batch(out, keys)
        gate = gate_for(out, [(sign_up.origin.network, sign_up.brings) for sign_up in sign_ups], now, policy)
        seen = signups.see(out, list(keys), now)
    budgets = {key: Budget.read(text, policy.mails) for key, text in texts().items()}
    for sign_up in others:  # before 0.4.0 each spelling had a budget of its own
        budgets[sign_up.counts_by].join(budgets[sign_up.key])
    mids = outbox.new_mids(len(sign_ups))
    return _Batch(now, policy, keys, budgets, gate(), seen(), mids, policy.confirm_by(now), policy.purge_at(now))


def _decide(batch: _Batch, sign_up: SignUp) -> Refusal | None:
    if refused := batch.gate.refuse(sign_up.origin.network, sign_up.brings):
        return refused
    key, is_open, quiet = sign_up.key, batch.seen.open, _suppressed(batch, sign_up)
    if not sign_up.mailable or None in quiet:
        return None
    choices = [choice for choice in sign_up.lists if choice.list.id not in quiet]
    new = [choice for choice in choices if (key, choice.list.id) not in is_open]
    if new:
        _register(batch, sign_up, new)
    for choice in () if new else choices:
        if _notify(batch, sign_up, is_open[key, choice.list.id]):
            break
    return None


def _suppressed(batch: _Batch, sign_up: SignUp) -> Collection[int | None]:
    """For which lists no confirmation mail leaves; None: for any. Before 0.4.0 each spelling stood for itself."""
    by = batch.seen.suppressed
    return by.get(sign_up.key, _NOTHING) | by.get(sign_up.counts_by, _NOTHING) if by else _NOTHING


def _register(batch: _Batch, sign_up: SignUp, choices: Sequence[ListChoice]) -> None:
    """Each list is a registration of its own, and the one mail for all hangs on the first."""
    mail = registration_step(None, Event.SUBSCRIBE).mail
    whose = (sign_up.key, sign_up.mailbox) if sign_up.mailbox else (sign_up.key,)
    asked, budget = batch.seen.asked, batch.budgets[sign_up.counts_by]
    fresh = [one for one in choices if not any((key, one.list.id) in asked for key in whose)] if asked else choices
    due_at = budget.mail_time(batch.now, may_wait=bool(fresh))
    if due_at is None or due_at >= batch.confirm_by:
        return
    budget.spend(due_at)
    for choice in choices if due_at == batch.now else fresh:
        batch.new.append(_new(batch, sign_up, choice, due_at, mail))
        asked.update([(key, choice.list.id) for key in whose])
        mail = None


def _new(batch: _Batch, sign_up: SignUp, choice: ListChoice, due_at: datetime, mail: MailKind | None) -> signups.New:
    address = sign_up.address
    typed = address.typed if address.typed != address.mailed else None
    fields = json.dumps(dict(sign_up.fields), ensure_ascii=False) if sign_up.fields else None
    return signups.New(
        ref=sign_up.ref, list_id=choice.list.id, key=sign_up.key, address=address.mailed, typed=typed,
        name=sign_up.name, locale=sign_up.locale, fields=fields, wording_id=choice.wording.id, vouched=choice.vouched,
        registered_at=batch.now, confirm_by=batch.confirm_by, purge_at=batch.purge_at,
        channel=sign_up.channel, actor=sign_up.actor, ip=sign_up.origin.ip, ip_source=sign_up.origin.ip_source,
        details=_details(sign_up, choice), mail=mail, mid=batch.mids.pop() if mail else None, due_at=due_at,
        mailbox=sign_up.mailbox,
    )  # fmt: skip


def _details(sign_up: SignUp, choice: ListChoice) -> str:
    wording, flags, site, tag = choice.wording, sign_up.flags, choice.site, sign_up.locale
    if site is None:
        site = stood_on(sign_up.site, choice.list.origins, is_ours=sign_up.is_our_site) if sign_up.site else ""
    if site == ANOTHER_SITE:
        flags, site = (*flags, site), ""
    text = _registered(wording.id, wording.sha256, choice.vouched, tag, flags, site, choice.list.said_in(tag).policy_id)
    return json.dumps(json.loads(text) | dict(sign_up.vouched)) if sign_up.vouched else text


@lru_cache(maxsize=1024)
def _registered(id_: str, sha256: str, vouched: bool, locale: str, flags: tuple[str, ...], *more: str | None) -> str:
    details: dict[str, object] = {"wording": id_, "wording_sha256": sha256, "vouched": vouched, "locale": locale}
    details |= {name: value for name, value in zip(("flags", "site", "policy"), (flags, *more), strict=True) if value}
    return json.dumps(complete(Fact.REGISTERED, details))


def _notify(batch: _Batch, sign_up: SignUp, subscription: signups.Open) -> bool:
    """Owe "you are already subscribed": at most one in 30 days, within the budget, never to restricted ones."""
    lately = subscription.notified_at and subscription.notified_at > batch.now - NOTIFIED_EVERY
    if lately or subscription.restricted:
        return False
    budget = batch.budgets[sign_up.counts_by]
    due_at = budget.mail_time(batch.now, may_wait=False)
    mail = subscription_step(Subscription.CONFIRMED, Event.SUBSCRIBE).mail
    if due_at is None or mail is None:
        return False
    budget.spend(due_at)
    subscription.notified_at = batch.now
    batch.notified.append(_notified(batch, sign_up, subscription.id, mail, due_at))
    return True


def _notified(batch: _Batch, sign_up: SignUp, id_: int, mail: MailKind, due_at: datetime) -> signups.Notified:
    details = json.dumps(complete(fact := Fact.ASKED_AGAIN, {}))  # no IP: a stranger's, or it adds nothing to the proof
    times = batch.now, due_at, batch.now + mail.row.life
    return signups.Notified(id_, fact, sign_up.channel, sign_up.actor, details, mail, batch.mids.pop(), *times)


def _write(out: Trip, batch: _Batch, sign_ups: Sequence[SignUp]) -> None:
    unknown = _without_trace(batch, sign_ups)
    signups.remember(out, batch.new)
    addresses.end_batch(out, {key: batch.asks[key] for key in batch.asks.keys() - unknown}, batch.budgets, batch.now)
    signups.notify(out, batch.notified)
    addresses.forget(out, unknown)
