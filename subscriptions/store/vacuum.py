"""After a deletion: nothing of the person is left in the database files."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Session

from subscriptions.domain.codes import visit_tries
from subscriptions.domain.policy import Policy
from subscriptions.store import arrivals, guards, holds, meta, outbox, traffic
from subscriptions.store.engine import outside_transaction, transaction
from subscriptions.store.models import Captured, Counted, Registration

BY_ITSELF_UP_TO = 200 * 2**20  # octets; VACUUM of more holds up sign-ups too long to be run unasked
AT_ONCE_UP_TO = 20 * 2**20  # octets; VACUUM of less takes a blink
QUIET = timedelta(minutes=1)
COPIES_KEPT = timedelta(hours=24)
_OF_PERSONS = "registrations, evidence, outbox, addresses, subscriptions, audit, requests, letters_to_read"
_DUE, _DONE = "vacuum_due", "0"


def due(session: Session) -> None:
    """Note that something was deleted, in the transaction that deletes it."""
    meta.put(session, _DUE, secrets.token_hex(8))  # each its own: what is deleted during a VACUUM wants another


def forget_short_lived(session: Session, now: datetime, real_now: datetime, policy: Policy) -> None:
    """What is counted for an hour or a day, what worked once, addresses in the outbox, mail that came or is shown."""
    traffic.forget_old(session, now)
    guards.forget(session, Counted.SIGN_UPS, now, policy.network.period if policy.network else QUIET)
    guards.forget(session, Counted.TRIES, now, visit_tries(policy).period)
    guards.forget_used(session, now)
    old = Captured.real_at <= real_now - COPIES_KEPT, ~holds.on_any_of(Captured.key)
    copies = delete(Captured).where(*old).returning(Captured.id)
    waited = outbox.forget_addresses(session, now)
    letters = arrivals.forget(session, now, now - policy.keep_letters)
    if session.execute(copies).first() is not None or waited or letters:
        due(session)


def sweep_files(now: datetime, *, asked: bool = False) -> bool:
    """VACUUM if something was deleted: at a quiet minute, or `asked` for by a person. Whether it was done."""
    with transaction() as session:
        noted = meta.get(session, _DUE)
        if noted in (None, _DONE):
            return False
        newest = session.scalar(select(Registration.registered_at).order_by(Registration.id.desc()).limit(1))
    quiet = newest is None or not now - QUIET < newest <= now
    with outside_transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED) {_OF_PERSONS}")
        elif not _vacuum_sqlite(connection, quiet=quiet, asked=asked):
            return False
    with transaction() as session:
        meta.replace(session, _DUE, noted, _DONE)
    return True


def _vacuum_sqlite(connection: Connection, *, quiet: bool, asked: bool) -> bool:
    ask = connection.exec_driver_sql
    size = ask("PRAGMA page_count").scalar_one() * ask("PRAGMA page_size").scalar_one()
    if size > (AT_ONCE_UP_TO if not quiet else BY_ITSELF_UP_TO) and not asked:
        return False
    ask("VACUUM")
    # the write-ahead log is emptied as well; while a reader is in the way, the next minute tries again
    busy = ask("PRAGMA wal_checkpoint(TRUNCATE)").first()
    return busy is None or busy[0] == 0
