"""A history of people, the operator, the clock and a relay that comes and goes; and a small model beside it."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from operator import sub

from subscriptions.actions import erase, suppress
from subscriptions.domain.address import parse
from subscriptions.export.stream import export
from subscriptions.store import evidence, figures, subscriptions
from subscriptions.store.engine import reading
from subscriptions.store.models import Address, Evidence, Registration, Subscription, Suppression
from tests.builders import ANNE, BART, NEWS, OFFERS, World, link_in, text_of
from tests.history_model import DAY, MONTH, Asked, Silence, end_of_month_of, everything
from tests.support.inbox import Mail
from tests.support.relay import Relay

ONE_CLICK, PARENTS = {"List-Unsubscribe": "One-Click"}, (Registration, Subscription, Suppression)


@dataclass
class History:
    """One world and the model beside it; every act checks what it answers, `check` what must hold at all times."""

    world: World
    relay: Relay
    asked: list[Asked] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    open: dict[tuple[str, str], int] = field(default_factory=dict)
    caused: dict[str, list[datetime]] = field(default_factory=lambda: {ANNE: [], BART: []})
    erasing: dict[str, datetime] = field(default_factory=dict)
    subscriptions: int = 0
    away: bool = False

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def key(self, who: str) -> bytes:
        return self.world.parts.links.key(parse(who).folded)

    def silent(self, who: str, slug: str, scope: str | None = None) -> bool:
        return any(one.holds(who, slug, self.now) and scope in (None, one.scope) for one in self.silences)

    # What people do

    def sign_up(self, who: str, *slugs: str) -> None:
        before, opened = everything(Evidence), everything(Subscription, without="notified_at")
        known = {one.ref for one in self.world.registrations()}
        body = {"email": who} | ({"list": slugs[0]} if len(slugs) == 1 else {"lists": slugs})
        assert self.world.post("/api/v1/subscriptions", json=body).status_code == 202
        new = [one for one in self.world.registrations() if one.ref not in known]
        after = everything(Evidence)
        told = [row for id_, row in after.items() if id_ not in before and row["fact"] == "asked again"]
        assert {id_: after[id_] for id_ in before} == before
        assert everything(Subscription, without="notified_at") == opened
        assert not told or any((who, slug) in self.open and not self.silent(who, slug) for slug in slugs)
        for row in new:
            slug = self.slug_of(row)
            assert slug in slugs and not self.silent(who, slug) and (who, slug) not in self.open
            self.asked.append(Asked(who, slug, self.now, row.ref))
        self.caused[who] += [self.now] * bool(new or told)  # one mail, whatever it names

    def confirm(self, n: int, alone: bool = False) -> None:
        one = self.pick(n)
        if one is None:
            return
        works = [same for same in self.of_link(one) if self.works(same)]
        url, button = self.world.parts.links.confirm_url(one.ref), {"list": one.slug} if alone else {}
        answers = [self.world.get(url).status_code, self.world.post(url, data=button).status_code]
        assert answers == [200 if works else 410] * 2
        for same in works:
            if same.state == "waiting" and (same is one or not alone):
                self.begin(same)

    def works(self, one: Asked) -> bool:
        if one.state == "waiting":
            return self.now < one.at + DAY
        return one.state == "confirmed" and self.open.get((one.who, one.slug)) == one.subscription

    def begin(self, one: Asked) -> None:
        if (one.who, one.slug) not in self.open:
            self.subscriptions += 1
        one.state, one.subscription = "confirmed", self.open.setdefault((one.who, one.slug), self.subscriptions)

    def of_link(self, one: Asked) -> list[Asked]:
        """Those that the same mail has asked about."""
        return [same for same in self.asked if same.ref == one.ref]

    def disown(self, n: int, data: dict[str, str] | None = None) -> None:
        one = self.pick(n)
        if one is None:
            return
        left = {self.slug_of(row) for row in self.world.registrations() if row.ref == one.ref}
        assert self.world.post(self.not_me(one), data=data or {"by": "page"}).status_code == 200
        for same in self.of_link(one):
            if same.state == "waiting":
                same.state = "gone"
            elif same.state == "confirmed" and self.open.get((same.who, same.slug)) == same.subscription:
                del self.open[same.who, same.slug]
        for slug in sorted({one.slug, *left}) if data else [None]:
            self.silence(Silence(one.who, "confirmations", slug, self.now + MONTH if data else None, one.ref))

    def silence(self, new: Silence) -> None:
        """A second press of a link prolongs nothing."""
        same = [one for one in self.silences if (one.by, one.slug) == (new.by, new.slug)]
        if not any(one.holds(new.who, new.slug or NEWS, self.now) for one in same):
            self.silences.append(new)

    def slug_of(self, row: Registration) -> str:
        return self.world.parts.catalogue.lists[row.list_id].slug

    def one_click(self, n: int) -> None:
        self.disown(n, ONE_CLICK)

    def undo(self, n: int) -> None:
        one = self.pick(n)
        if one is not None:
            assert self.world.post(self.not_me(one) + "/undo").status_code == 200
            self.silences = [silence for silence in self.silences if silence.by != one.ref]

    def leave(self, who: str, slug: str) -> None:
        assert self.world.post(self.world.leave_link(who, slug)).status_code == 200
        self.open.pop((who, slug), None)

    def pick(self, n: int) -> Asked | None:
        return self.asked[-1 - n % len(self.asked)] if self.asked else None

    def not_me(self, one: Asked) -> str:
        row = self.world.parts.catalogue.by_slug(one.slug)
        assert row is not None
        return self.world.parts.links.not_me_url(one.ref, row.id, self.key(one.who))

    # What the operator does

    def suppress(self, who: str, scope: str) -> None:
        suppress.suppress(self.key(who), scope, "by hand", self.now, self.world.parts.policy, "command line")
        self.silences.append(Silence(who, scope))
        if scope == "all":
            self.end(who)
            self.lose(who, "waiting")

    def lift(self, who: str) -> None:
        suppress.lift(self.key(who))
        self.silences = [silence for silence in self.silences if silence.who != who]

    def erase(self, who: str) -> None:
        if erase.ask(self.key(who), self.now, self.world.parts.policy, "command line") is not None:
            self.end(who)
            self.erasing.setdefault(who, self.now)

    def end(self, who: str) -> None:
        self.open = {place: id_ for place, id_ in self.open.items() if place[0] != who}

    def lose(self, who: str, *states: str) -> None:
        for one in self.asked:
            if one.who == who and one.state in states:
                one.state = "gone"

    # What happens by itself

    def wait(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)

    def relay_(self) -> None:
        self.away = not self.away
        (self.relay.stop if self.away else self.relay.start)()

    def job(self, name: str) -> None:
        self.world.run(name)
        if name == "purge":
            assert not any(row.state != "confirmed" and row.purge_at <= self.now for row in self.world.registrations())
            assert all((row["last_mail_at"] or self.now) + MONTH > self.now for row in everything(Address).values())

    def deliver(self) -> None:
        known = len(self.relay.mails)
        self.world.run("deliver")
        for mail in self.relay.mails[known:]:
            self.judge(mail)
        for who, since in list(self.erasing.items()):
            if not self.knows(who):
                del self.erasing[who]
                self.end(who)
                self.lose(who, "waiting", "confirmed")
            assert who not in self.erasing or self.now < since + timedelta(hours=1)

    def knows(self, who: str) -> bool:
        rows: list[Registration | Subscription] = [*self.world.registrations(), *self.world.subscriptions()]
        return any(row.address for row in rows if row.key == self.key(who))

    def judge(self, mail: Mail) -> None:
        """A mail that has left: was it allowed to?"""
        (who,) = mail.recipients
        text, slug = text_of(mail.message), str(mail.message["List-Id"] or "").strip("<").partition(".")[0]
        if "We are erasing your data" in text:
            assert who in self.erasing
        elif "/confirm/" in text:
            named = {name.lower() for name in re.findall(r"^List: (.+)$", text, re.M)}
            assert slug in {"", *named}
            self.check_link(link_in(mail.message, "confirm"), named)
        else:
            assert (who, slug) in self.open
            assert not self.silent(who, slug, None if "already" in text else "all")

    def check_link(self, url: str, named: set[str]) -> None:
        """A confirmation mail names what waits for it, and nothing for which its reader is not to be asked."""
        ref = self.world.parts.links.read_confirm(url.rpartition("/")[2])
        asked = [one for one in self.asked if one.ref == ref and one.slug in named]
        assert {one.slug for one in asked} == named
        for one in asked:
            assert (one.state, self.now < one.at + DAY) == ("waiting", True)
            assert not self.silent(one.who, one.slug)

    # What must hold at all times
    def check(self) -> None:
        self.check_exports()
        self.check_budget()
        known = {row["key"] for table in PARENTS for row in everything(table).values()}
        assert all(row["last_mail_at"] for row in everything(Address).values() if row["key"] not in known)
        with reading() as session:
            for subscription in self.world.subscriptions():
                facts = {one.fact for one in evidence.of_subscription(session, subscription.id)}
                assert {"registered", "confirmed"} <= facts

    def check_exports(self) -> None:
        with reading() as session:
            counts, totals = subscriptions.counts(session, self.now), figures.in_all(session)
        for slug in (NEWS, OFFERS):
            row = self.world.parts.catalogue.by_slug(slug)
            assert row is not None
            exported = b"".join(export(row, "jsonl", self.world.parts.links, self.now)).decode().splitlines()
            theirs = sorted(who for who, where in self.open if where == slug)
            assert sorted(json.loads(line)["email"] for line in exported) == theirs
            assert sub(*totals.get(row.id, (0, 0))) == counts[row.id]["confirmed"]
            rows = [one for one in self.asked if one.slug == slug and one.state == "waiting"]
            assert counts[row.id]["pending"] == sum(self.now < one.at + DAY for one in rows)
            assert counts[row.id]["blocked"] == sum(one.at + DAY <= self.now < end_of_month_of(one.at) for one in rows)

    def check_budget(self) -> None:
        known = {row["key"] for row in everything(Address).values()}
        for who, times in self.caused.items():
            if self.key(who) not in known:
                times.clear()  # lifted, undone by the owner, or deleted: nothing is left, the budget neither
                self.erasing.pop(who, None)
            assert all(later - first >= MONTH for first, later in zip(times, times[5:], strict=False))
            assert all(later - first >= DAY for first, later in zip(times, times[3:], strict=False))
            assert [*pairwise(times)] == sorted(pairwise(times))
