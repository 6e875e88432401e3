"""One run of the checks, all at once and none in the way of another; and what the last run found, kept."""

import json
import logging
import threading
from collections.abc import Collection, Sequence
from datetime import datetime

from dns.exception import DNSException
from flask import Flask
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.clock import Clock
from subscriptions.doctor.checks import CHECKS, NAMED
from subscriptions.doctor.domains import senders
from subscriptions.doctor.finding import Asked, Check, Finding, Result, found
from subscriptions.doctor.names import Names
from subscriptions.doctor.says import SAYS
from subscriptions.inbound import own_mail
from subscriptions.parts import Parts, current_parts
from subscriptions.store import meta
from subscriptions.store.engine import reading, transaction

log = logging.getLogger(__name__)
WITHIN = 25.0  # seconds, for all of them
_KEPT = "doctor"


def run(app: Flask, only: Collection[str] = ()) -> list[Result]:
    """In the order of the table. A check that has not ended in time is left behind with its thread."""
    parts = current_parts(app)
    with reading() as session:
        asked = Asked(parts, Names(parts.settings.abuse.nameservers), own_mail.noted(session))
    chosen = [check for check in CHECKS if not only or check.name in only]
    ended: dict[str, list[Finding] | None] = {}
    threads = [threading.Thread(target=_look, args=(app, check, asked, ended), daemon=True) for check in chosen]
    for thread in threads:
        thread.start()
    ends = Clock.ticks() + WITHIN
    for thread in threads:
        thread.join(max(0.0, ends - Clock.ticks()))
    late = [found("unknown", why="it took too long")]
    return [Result(check, ended.get(check.name, late)) for check in chosen]


def _look(app: Flask, check: Check, asked: Asked, ended: dict[str, list[Finding] | None]) -> None:
    is_off = check.is_live and asked.parts.settings.mail.transport == "mailbox"
    is_off = is_off or (check.of_arrived and asked.arrived is None)
    try:
        with app.app_context():
            ended[check.name] = None if is_off else list(check.find(asked))
    except Exception as error:  # whatever it is, the others go on
        log.warning("a check of the doctor failed", extra={"check": check.name, "error": type(error).__name__})
        why = "the DNS does not answer" if isinstance(error, DNSException) else type(error).__name__
        ended[check.name] = [found("unknown", f"yestwice doctor --only {check.name}", why=why)]


def take(parts: Parts, octets: bytes) -> None:
    """Keep what an email of ours tells that has arrived. Raises NotOurs."""
    mail = own_mail.read(octets, senders(parts).keys(), parts.settings.server.base_url, parts.clock.now())
    with transaction() as session:
        own_mail.note(session, mail)


def keep(results: Sequence[Result], now: datetime) -> None:
    """For the desk, which asks nobody outside when a page is opened."""
    with transaction() as session:
        rows = [(one.check.name, one.findings) for one in results]
        meta.put(session, _KEPT, json.dumps([clock.text(now), rows], default=str))


def kept(session: Session) -> tuple[datetime, list[Result]] | None:
    """When it was, and what it found, as far as this version knows it."""
    if (value := meta.get(session, _KEPT)) is None:
        return None
    at, rows = json.loads(value)
    return datetime.fromisoformat(at), [
        Result(NAMED[name], findings and [Finding(*one) for one in findings if one[0] in SAYS])
        for name, findings in rows if name in NAMED
    ]  # fmt: skip
