"""Sessions of the desk: who is signed in, in which browser, until when, and what they may."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.actions import Refused
from subscriptions.actions.tries import Tries
from subscriptions.domain.policy import CHALLENGE_LIFE
from subscriptions.domain.roles import RIGHTS, Right, Role
from subscriptions.domain.texts import marked
from subscriptions.store import accounts
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import Account, DeskSession

IDLE, ABSOLUTE = timedelta(minutes=60), timedelta(hours=12)  # of a session (OWASP ASVS 7.3)
PROOF_LIFE = timedelta(minutes=10)  # a password given so long ago is asked for again before what is grave
SEEN_ONCE_IN = timedelta(minutes=1)  # to note it is to write, and most pages only read


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at the desk. `account`: none for whoever sits at the machine itself, in try-out mode."""

    account: Account | None
    hash: bytes
    proved_at: datetime

    @property
    def role(self) -> Role:
        return self.account.role if self.account else Role.OWNER

    @property
    def lists(self) -> frozenset[int] | None:
        """The ids of those that they may see; none: every list."""
        return None if self.account is None or self.account.lists is None else frozenset(self.account.lists)

    def may(self, right: Right | None) -> bool:
        """Whether the role has that right; none: what everybody may who is signed in."""
        return right is None or right in RIGHTS[self.role]

    @property
    def sees_all(self) -> bool:
        return self.lists is None

    def sees(self, list_id: int) -> bool:
        return self.sees_all or list_id in (self.lists or ())

    def has_proved(self, now: datetime) -> bool:
        return now < self.proved_at + PROOF_LIFE


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def new_secret() -> str:
    return secrets.token_urlsafe(32)


@repeated
def begin(
    account: Account | None, agent: str, now: datetime, renewed: str | None = None, tried: Tries | None = None,
) -> str:  # fmt: skip
    """A new session; its secret. It waits for a code where the account has a second factor. Raises Refused.

    `renewed`: the same password, hashed as it is done now.
    """
    with transaction() as session:
        row = None
        if account is not None:
            row = accounts.hold(session, account.id)  # a password that is changed at this moment ends this session too
            if row is None or row.disabled_at or row.password != account.password:
                raise Refused(marked("The account has changed meanwhile; please sign in again."))
            row.password = renewed or row.password
        if tried is not None:
            tried.give_back(session)
        return new_session(session, row, agent, now, waits=row is not None and row.totp is not None)


def new_session(session: Session, account: Account | None, agent: str, now: datetime, *, waits: bool = False) -> str:
    """Its secret. `waits`: for the second step, and reaches nothing until then."""
    secret, until = new_secret(), now + CHALLENGE_LIFE if waits else None
    if account is not None and not waits:
        account.signed_in_at = now
    session.add(DeskSession(hash=digest(secret), account_id=account.id if account else None, began_at=now,
                            seen_at=now, proved_at=now, agent=agent, second_until=until))  # fmt: skip
    return secret


def signed_in(secret: str, now: datetime) -> SignedIn | None:
    """Whose session it is, unless it is over; that it was used is noted once a minute."""
    with reading() as session:
        row = accounts.session_of(session, digest(secret))
        account = accounts.find(session, row.account_id) if row and row.account_id else None
    if row is None or row.second_until or not now < min(row.began_at + ABSOLUTE, row.seen_at + IDLE):
        return None
    if row.account_id is not None and (account is None or account.disabled_at):
        return None
    if now >= row.seen_at + SEEN_ONCE_IN:
        with transaction() as session:
            accounts.note_seen(session, row.hash, now)
    return SignedIn(account, row.hash, row.proved_at)


@repeated
def prove(who: SignedIn, now: datetime, tried: Tries) -> None:
    """The password was given again."""
    with transaction() as session:
        note_proof(session, who, now, tried)


def note_proof(session: Session, who: SignedIn, now: datetime, tried: Tries) -> None:
    tried.give_back(session)
    row = accounts.session_of(session, who.hash)
    if row is not None:
        row.proved_at = now


@repeated
def leave(who: SignedIn, *, everywhere: bool = False) -> None:
    """Sign out here, or in all browsers."""
    with transaction() as session:
        accounts.end_session(session, who.hash)
        if everywhere and who.account:
            accounts.end_sessions(session, who.account.id)


@repeated
def end(who: SignedIn, digest_: bytes) -> bool:
    """End one session of the same account; whether it was there."""
    with transaction() as session:
        return who.account is not None and accounts.end_session(session, digest_, who.account.id)


def sessions(who: SignedIn, now: datetime) -> list[DeskSession]:
    """Those of the same account that have not ended."""
    with reading() as session:
        rows = accounts.sessions_of(session, who.account.id) if who.account else []
    return [row for row in rows if now < min(row.began_at + ABSOLUTE, row.seen_at + IDLE)]
