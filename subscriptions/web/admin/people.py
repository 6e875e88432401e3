"""People: one search field, the newest, and what happened to one of them."""

from collections.abc import Collection
from typing import Any, NamedTuple

from flask import abort, redirect, render_template, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from subscriptions import story
from subscriptions.actions.on_behalf import newest_by_list
from subscriptions.domain.address import KEY_BYTES, BadAddress, parse
from subscriptions.domain.address_problems import LONGEST
from subscriptions.domain.roles import Right
from subscriptions.parts import current_parts
from subscriptions.store import audit
from subscriptions.store import people as rows
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration, Subscription
from subscriptions.store.people import Found
from subscriptions.story import Sight, Story
from subscriptions.web.admin import guard, pages, telling
from subscriptions.web.http.adapter import now

AT_MOST, NEWEST = 50, 20
HOUR = 3600  # seconds


def sight() -> Sight:
    """Of who is signed in."""
    return Sight(guard.who().lists, private=guard.who().may(Right.PRIVACY))


# Looking for somebody


@pages.get("/people")
def people() -> str:
    at = now()
    with reading() as session:
        found = Found(rows.newest(session, guard.who().lists, at, NEWEST), more=False)
        listed = _listed(rows.subscriptions_of(session, found.keys, guard.who().lists, at), found.keys)
    return _page(people=listed, is_newest=True, done=telling.done())


@pages.post("/people")
def find_people() -> str | Response:
    """A POST, since no address stands in a URL; who is found by their very address, is shown at once."""
    typed, at, lists = request.form.get("q", "").strip(), now(), guard.who().lists
    key = _key_of(typed)
    with reading() as session:
        is_known = key is not None and story.is_known(session, key, at, sight())
        found = Found([], more=False)
        if typed and not is_known and len(typed) <= LONGEST:
            found = rows.beginning(session, typed, lists, at, AT_MOST)
        listed = _listed(rows.subscriptions_of(session, found.keys, lists, at), found.keys)
    audit.note(guard.act("people find", about=key).of(1 if is_known else len(listed)))
    if is_known and key is not None:
        return redirect(url_for("desk.person", key=key.hex()), 303)
    hours = round(current_parts().policy.confirm_within.total_seconds() / HOUR)
    locked = ngettext("If they did not confirm within %(num)d hour, the entry is locked: they simply sign up again.",
                      "If they did not confirm within %(num)d hours, the entry is locked: they simply sign up again.",
                      hours)  # fmt: skip
    return _page(people=listed, typed=typed, more=found.more, is_address=key is not None, locked=locked)


def _key_of(typed: str) -> bytes | None:
    try:
        return current_parts().links.key(parse(typed).folded) if len(typed) <= LONGEST else None
    except BadAddress:
        return None


def _page(**shown: Any) -> str:
    may_sign_up = guard.may("desk.sign_up_person") and bool(guard.lists())
    shown |= {"list_of": telling.list_of, "may_sign_up": may_sign_up}
    return render_template("desk/people.html", at_most=AT_MOST, **shown)


class Somebody(NamedTuple):
    key: str
    address: str | None
    subscriptions: list[Subscription]  # the newest of each list


def _listed(found: Collection[Subscription], keys: Collection[bytes]) -> list[Somebody]:
    """In that order, or by address where it says nothing."""
    by_key: dict[bytes, dict[int, Subscription]] = {key: {} for key in keys}
    for row in found:
        by_key[row.key][row.list_id] = row
    return [Somebody(key.hex(), [*theirs.values()][-1].address, [*theirs.values()])
            for key, theirs in by_key.items() if theirs]  # fmt: skip


# A person's page


class Person(NamedTuple):
    """Whom a page is about, as far as who looks at it may know."""

    key: bytes
    mailbox: bytes | None
    address: str | None  # none: erased, or known only as one who wants no emails
    open: list[Subscription]
    waiting: list[Registration]  # the newest of each list
    told: Story

    @property
    def lists(self) -> set[int]:
        """What they are subscribed to or asked for, by the numbers of the lists."""
        return {row.list_id for row in self.open} | {row.list_id for row in self.waiting}


def the_person(hexed: str) -> Person:
    """Whoever is known on no list that may be seen, is not there."""
    key, at = _read(hexed), now()
    with reading() as session:
        if not story.is_known(session, key, at, sight()):
            abort(404)
        signed_up, opened = story.rows_of(session, key, at, sight())
        both: list[Registration | Subscription] = [*signed_up, *opened]
        mailbox = next((row.mailbox for row in both if row.mailbox), None)
        told = story.tell(session, key, mailbox, at, sight())
    address = next((row.address for row in reversed(both) if row.address), None)
    waiting = [*newest_by_list(signed_up, at).values()]
    return Person(key, mailbox, address, [row for row in opened if row.is_open], waiting, told)


def _read(hexed: str) -> bytes:
    try:
        key = bytes.fromhex(hexed)
    except ValueError:
        abort(404)
    return key if len(key) == KEY_BYTES and key.hex() == hexed else abort(404)


@pages.get("/people/<key>")
def person(key: str) -> str:
    found = the_person(key)
    audit.note(guard.act("people show", about=found.key))
    return shown(found, done=telling.done())


def shown(found: Person, **said: Any) -> str:
    """The page, with what has just been done or could not be."""
    at = now()
    open_, silent = found.open, telling.is_silent(found.told)
    of_use: dict[str, Any] = {
        "sign_up": found.address and any(row.id not in found.lists for row in guard.lists()),
        "send_again": found.waiting, "cancel": found.waiting, "correct": open_, "unsubscribe": open_,
        "restrict": any(not row.restricted for row in open_), "unrestrict": any(row.restricted for row in open_),
        "suppress": not silent, "lift": found.told.against, "erase": found.address,
        "proof": found.told.subscriptions, "answers": True,
        "hold": not found.told.held, "release": found.told.held,
    }  # fmt: skip
    return render_template(
        "desk/person.html", person=found, verdicts=telling.verdicts(found.told, found.address, at),
        parts=telling.parts_of(found.told), standing=[telling.sentence(one) for one in found.told.standing],
        may={name for name, is_so in of_use.items() if is_so and guard.may(f"desk.{name}_person")},
        sees_proof=guard.who().may(Right.PRIVACY),
        **said,
    )  # fmt: skip
