"""What an account proves itself with: its password, codes of an app or of a sheet of paper, and passkeys."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions import Refused
from subscriptions.actions.sessions import SignedIn, digest, new_session, note_proof
from subscriptions.actions.tries import Tries
from subscriptions.domain.codes import spell
from subscriptions.domain.texts import marked
from subscriptions.links.desk import Challenge
from subscriptions.store import accounts, audit, guards
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import Account, Passkey
from subscriptions.store.trips import trip

RECOVERY_CODES = 10
MOST_PASSKEYS = 20


def new_recovery_codes() -> list[str]:
    """What is written down for the day on which the phone is lost: of 39 bits, and hashed with the pepper."""
    return [spell(secrets.randbits(128)) for _ in range(RECOVERY_CODES)]


def passkeys(account: Account) -> Sequence[Passkey]:
    with reading() as session:
        return accounts.passkeys_of(session, account.id)


def has_passkeys(account: Account | None = None) -> bool:
    """Whether that account has one; without an account, whether there is any."""
    with reading() as session:
        return accounts.has_passkeys(session, account.id if account else None)


def passkey(credential: bytes) -> Passkey | None:
    with reading() as session:
        return accounts.passkey(session, credential)


# The second step of a sign-in


def waiting(secret: str, now: datetime) -> Account | None:
    """Whose password was right a moment ago in the browser that holds this secret."""
    with reading() as session:
        row = accounts.session_of(session, digest(secret))
        return accounts.find(session, row.account_id) if _waits(row, now) and row and row.account_id else None


def _waits(row: object, now: datetime) -> bool:
    until: datetime | None = getattr(row, "second_until", None)
    return until is not None and now < until


@dataclass(frozen=True, slots=True)
class Code:
    """What was typed may be: the code of that step of an app, and the recovery code with that hash."""

    step: int | None
    recovery: str


@repeated
def finish(secret: str, code: Code, agent: str, now: datetime, tried: Tries) -> str:
    """The second step: a session, by its secret; each code works once. Raises Refused."""
    with transaction() as session:
        row = accounts.session_of(session, digest(secret))
        account = accounts.hold(session, row.account_id) if _waits(row, now) and row and row.account_id else None
        if account is None or account.disabled_at or not accounts.end_session(session, digest(secret)):
            raise Refused(marked("That took too long. Please sign in again."))
        if code.step is not None and code.step > (account.totp_step or 0):
            account.totp_step = code.step
        elif code.recovery in (account.recovery or ()):
            account.recovery = [one for one in account.recovery or () if one != code.recovery]
        else:
            raise Refused(marked("That code is wrong or has been used. Your app shows a new one every 30 seconds."))
        tried.give_back(session)
        return new_session(session, account, agent, now)


# What an account changes of its own


@repeated
def change(account: Account, act: Act, **values: object) -> None:
    """Set what is named of the second factor: the sealed key of an app, its last step, hashes of recovery codes."""
    with transaction() as session:
        row = accounts.hold(session, account.id)
        if row is not None:
            for name, value in values.items():
                setattr(row, name, value)
            audit.write(session, act.of(1, account=account.id))


@repeated
def change_password(who: SignedIn, hashed: str, act: Act) -> None:
    """Every other session of the account ends, and so does a link that would choose another one."""
    with transaction() as session:
        row = accounts.hold(session, who.account.id) if who.account else None
        if row is not None:
            row.password = hashed
            accounts.end_sessions(session, row.id, but=who.hash)
            accounts.end_links(session, row.id)
            audit.write(session, act.of(1, account=row.id))


# Passkeys


def _use_up(session: Session, challenge: Challenge) -> None:
    """Raises Refused where somebody has used it before."""
    with trip(session) as out:
        fresh = guards.use(out, {challenge.hash: challenge.until})
    if not fresh():
        raise Refused(marked("This was already sent, or took too long. Please try again."))


@repeated
def add_passkey(account: Account, made: Passkey, challenge: Challenge, act: Act) -> None:
    """Raises Refused."""
    with transaction() as session:
        _use_up(session, challenge)
        accounts.hold(session, account.id)
        is_full = len(accounts.passkeys_of(session, account.id)) >= MOST_PASSKEYS
        if is_full or accounts.passkey(session, made.credential):
            raise Refused(marked("This passkey is already here, or you have too many."))
        values = {name: getattr(made, name) for name in ("credential", "public_key", "sign_count", "name", "made_at")}
        session.add(Passkey(account_id=account.id, **values))
        audit.write(session, act.of(1, account=account.id))


@repeated
def end_passkey(account: Account, id_: int, act: Act) -> bool:
    """Whether it was there."""
    with transaction() as session:
        if not accounts.end_passkeys(session, account.id, id_):
            return False
        audit.write(session, act.of(1, account=account.id))
    return True


@dataclass(frozen=True, slots=True)
class Signed:
    """A passkey, what it has signed, and how often it says that it was used."""

    key: Passkey
    challenge: Challenge
    count: int


def _use(session: Session, signed: Signed, now: datetime) -> Account:
    _use_up(session, signed.challenge)
    account = accounts.find(session, signed.key.account_id)
    if account is None or account.disabled_at or not accounts.use_passkey(session, signed.key.id, signed.count, now):
        raise Refused(marked("This passkey is not known here. Sign in another way."))
    return account


@repeated
def come_in(signed: Signed, agent: str, now: datetime, tried: Tries) -> tuple[Account, str]:
    """A session, by its secret: a passkey that has asked for its owner is both factors. Raises Refused."""
    with transaction() as session:
        account = _use(session, signed, now)
        tried.give_back(session)
        return account, new_session(session, account, agent, now)


@repeated
def prove(who: SignedIn, signed: Signed, now: datetime, tried: Tries) -> None:
    """A passkey in place of the password that is asked for again. Raises Refused."""
    with transaction() as session:
        if who.account is None or _use(session, signed, now).id != who.account.id:
            raise Refused(marked("This passkey is not known here. Sign in another way."))
        note_proof(session, who, now, tried)
