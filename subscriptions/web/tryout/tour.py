"""The law in three minutes: a walk through the real pages of the try-out mode; the database knows the next step."""

import json
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from subscriptions.domain.address import parse
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import state_at
from subscriptions.parts import current_parts
from subscriptions.store import mailbox, meta, mode, people, registrations, subscriptions
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import List
from subscriptions.web.http import headers
from subscriptions.web.http.adapter import now
from subscriptions.web.http.open_tab import TO_OURSELVES
from subscriptions.web.tryout import time_machine

pages = Blueprint("tour", __name__, url_prefix="/mailbox/law")

JUMPS = {"24h", "1month"}


class Step(IntEnum):
    SIGN_UP = 1
    WAITS = 2
    BLOCKED = 3
    GONE = 4
    ASKED_AGAIN = 5
    PROVEN = 6


@dataclass(frozen=True, slots=True)
class Walk:
    """As `meta` keeps it: whose address, and what was stored of it before it went."""

    number: int = 1
    before: dict[str, int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Another one each time: what the last walk left has its own periods."""
        return f"you{self.number}@example.org"

    @property
    def key(self) -> bytes:
        return current_parts().links.key(parse(self.address).folded)


@pages.get("")
def show() -> str:
    headers.refer(TO_OURSELVES)
    walk, row = _walk(), _list()
    with reading() as session:
        step = _step(session, walk)
        mail = next((one.id for one in mailbox.newest(session)
                     if one.key == walk.key and one.mail == MailKind.CONFIRM), None)  # fmt: skip
        after = people.numbers_of(session, walk.key)
    wording = current_parts().catalogue.wordings[row.wording_id]
    shown: dict[str, Any] = {"before": walk.before, "after": after, "address": walk.address, "key": walk.key.hex()}
    mail_url = url_for("mailbox.show", id_=mail) if mail else url_for("mailbox.index")
    return render_template(
        "pages/law.html", step=step, steps=[*Step], list=row, wording=wording, mail_url=mail_url, **shown
    )


@pages.post("")
def go_on() -> Response:
    """Move the clock as the time machine does, or begin anew; what is pressed twice, or late, changes nothing more."""
    if not time_machine.is_from_here():
        abort(403)
    walk, jump = _walk(), request.form.get("forward", "")
    with reading() as session:
        step, stored = _step(session, walk), people.numbers_of(session, walk.key)
    if "anew" in request.form:
        _keep(Walk(walk.number + 1))
    elif (step, jump) in ((Step.WAITS, "24h"), (Step.BLOCKED, "1month")):
        if step is Step.BLOCKED:
            _keep(Walk(walk.number, stored))
        time_machine.jump(jump)
    return redirect(url_for("tour.show"), 303)


def _step(session: Session, walk: Walk) -> Step:
    if subscriptions.of_key(session, walk.key):
        return Step.PROVEN
    rows = registrations.unconfirmed_of_key(session, walk.key, now())
    if not rows:
        return Step.GONE if walk.before else Step.SIGN_UP
    if walk.before:
        return Step.ASKED_AGAIN
    waits = state_at(rows[-1].state, rows[-1].confirm_by, now()) is State.PENDING
    return Step.WAITS if waits else Step.BLOCKED


def _walk() -> Walk:
    with reading() as session:
        found = meta.get(session, mode.TOUR)
    return Walk(**json.loads(found)) if found else Walk()


def _keep(walk: Walk) -> None:
    with transaction() as session:
        meta.put(session, mode.TOUR, json.dumps({"number": walk.number, "before": walk.before}))


def _list() -> List:
    """The first that is public, else the first."""
    rows = current_parts().catalogue.configured
    return next((row for row in rows if row.public), rows[0]) if rows else abort(404)
