"""Accounts of the desk: inviting, coming in, going, and what an owner changes of them."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subscriptions.actions.tries import Tries
from subscriptions.domain.roles import RIGHTS, Right, Role
from subscriptions.store import accounts, audit
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import Account, AccountLink, DeskSession

LINK_LIFE = timedelta(hours=1)
IDLE, ABSOLUTE = timedelta(minutes=60), timedelta(hours=12)  # of a session (OWASP ASVS 7.3)
PROOF_LIFE = timedelta(minutes=10)  # a password given so long ago is asked for again before what is grave
SEEN_ONCE_IN = timedelta(minutes=1)  # to note it is to write, and most pages only read


class Refused(Exception):
    """What was asked of an account cannot be; the reason is a sentence for who asked."""


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

    def sees(self, list_id: int) -> bool:
        return self.lists is None or list_id in self.lists

    def has_proved(self, now: datetime) -> bool:
        return now < self.proved_at + PROOF_LIFE


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _secret() -> str:
    return secrets.token_urlsafe(32)


# Invitations


@repeated
def invite(email: str, role: Role, lists: Sequence[int] | None, now: datetime, act: Act) -> str:
    """A link for somebody new, or for who was invited before and has not come; its secret. Raises Refused."""
    secret = _secret()
    with transaction() as session:
        account = accounts.by_email(session, email)
        if account is not None and account.password and not account.disabled_at:
            raise Refused("There is an account of that address already.")
        if account is None:
            account = Account(email=email, made_at=now)
            session.add(account)
        account.role, account.lists = role, [*lists] if lists is not None else None
        account.password = account.disabled_at = None
        session.flush()
        accounts.put_link(session, _link(account, secret, now))
        audit.write(session, act.of(1, account=account.id))
    return secret


def _link(account: Account, secret: str, now: datetime) -> AccountLink:
    return AccountLink(hash=digest(secret), account_id=account.id, until=now + LINK_LIFE)


@repeated
def forgotten(email: str, now: datetime, act: Act) -> str:
    """A link by which who has an account may choose another password; its secret. Raises Refused."""
    secret = _secret()
    with transaction() as session:
        account = accounts.by_email(session, email)
        if account is None or account.disabled_at or not account.password:
            raise Refused("Nobody comes in with that address: invite it.")
        accounts.put_link(session, _link(account, secret, now))
        audit.write(session, act.of(1, account=account.id))
    return secret


def of_link(secret: str, now: datetime) -> Account | None:
    """Whose link it is, while it works."""
    with reading() as session:
        found = accounts.link(session, digest(secret), now)
        account = accounts.find(session, found.account_id) if found else None
    return account if account and not account.disabled_at else None


@repeated
def choose_password(secret: str, hashed: str, now: datetime) -> Account | None:
    """Use the link up; its account has this password from now on, and every session of it has ended."""
    with transaction() as session:
        found = accounts.link(session, digest(secret), now)
        account = accounts.find(session, found.account_id) if found else None
        if account is None or account.disabled_at or not accounts.use_link(session, digest(secret)):
            return None
        account.password = hashed
        accounts.end_sessions(session, account.id)
    return account


# Coming in


def is_nobody_in() -> bool:
    """Whether no account has ever come in: the first invitation is still to be made."""
    with reading() as session:
        return not accounts.has_any(session)


def find(email: str) -> Account | None:
    """One that may come in."""
    with reading() as session:
        account = accounts.by_email(session, email)
    return account if account and account.password and not account.disabled_at else None


@repeated
def begin(
    account: Account | None, agent: str, now: datetime, renewed: str | None = None, tried: Tries | None = None
) -> str:  # fmt: skip
    """A new session; its secret. `renewed`: the same password, hashed as it is done now. Raises Refused."""
    secret = _secret()
    with transaction() as session:
        if account is not None:
            row = accounts.find(session, account.id)
            if row is None or row.disabled_at or row.password != account.password:
                raise Refused("The account has changed meanwhile; please sign in again.")
            row.signed_in_at, row.password = now, renewed or row.password
        if tried is not None:
            tried.give_back(session)
        session.add(DeskSession(hash=digest(secret), account_id=account.id if account else None, began_at=now,
                                seen_at=now, proved_at=now, agent=agent))  # fmt: skip
    return secret


def signed_in(secret: str, now: datetime) -> SignedIn | None:
    """Whose session it is, unless it is over; that it was used is noted once a minute."""
    with reading() as session:
        row = accounts.session_of(session, digest(secret))
        account = accounts.find(session, row.account_id) if row and row.account_id else None
    if row is None or not now < min(row.began_at + ABSOLUTE, row.seen_at + IDLE):
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


def sessions(who: SignedIn, now: datetime) -> list[DeskSession]:
    """Those of the same account that have not ended."""
    with reading() as session:
        rows = accounts.sessions_of(session, who.account.id) if who.account else []
    return [row for row in rows if now < min(row.began_at + ABSOLUTE, row.seen_at + IDLE)]


# What an owner changes


@repeated
def change(email: str, now: datetime, act: Act, *, role: Role | None = None, is_disabled: bool = False) -> Account:
    """Another role, or an end; every session of the account ends. The last owner stays. Raises Refused."""
    with transaction() as session:
        able = accounts.owners(session)
        account = accounts.by_email(session, email)
        if account is None:
            raise Refused("There is no account of that address.")
        if [row.id for row in able] == [account.id] and (is_disabled or role not in (None, Role.OWNER)):
            raise Refused("This is the last owner: invite another one first, who comes in.")
        account.role = role or account.role
        account.lists = None if account.role is Role.OWNER else account.lists  # an owner has every list
        account.disabled_at = (account.disabled_at or now) if is_disabled else account.disabled_at
        accounts.end_sessions(session, account.id)
        if is_disabled:
            accounts.end_links(session, account.id)
        audit.write(session, act.of(1, account=account.id))
    return account


@repeated
def sweep(now: datetime) -> None:
    """Forget links and sessions that are over."""
    with transaction() as session:
        accounts.forget_over(session, now, now - ABSOLUTE, now - IDLE)
