"""Accounts of the desk, the links that open them, sessions and passkeys, by name of the question."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.figures import HowOften
from subscriptions.domain.roles import Role
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Account, AccountLink, DeskSession, Passkey

_HAS_SECOND = or_(Account.totp.is_not(None), exists().where(Passkey.account_id == Account.id))


def find(session: Session, id_: int) -> Account | None:
    return session.get(Account, id_)


def hold(session: Session, id_: int) -> Account | None:
    """The same, held until the transaction ends."""
    return session.get(Account, id_, with_for_update=True, populate_existing=True)


def wanting_numbers(session: Session) -> Sequence[int]:
    which = Account.numbers != HowOften.NEVER, Account.disabled_at.is_(None), Account.password.is_not(None)
    return session.scalars(select(Account.id).where(*which).order_by(Account.id)).all()


def by_email(session: Session, email: str) -> Account | None:
    return session.scalar(select(Account).where(Account.email == email))


def all_of(session: Session) -> Sequence[Account]:
    return session.scalars(select(Account).order_by(Account.id)).all()


def first(session: Session) -> Account | None:
    return session.scalar(select(Account).order_by(Account.id).limit(1))


def has_any(session: Session) -> bool:
    """Whether somebody has come in and may come in again."""
    can = exists().where(Account.password.is_not(None), Account.disabled_at.is_(None))
    return bool(session.scalar(select(can)))


def open_number(session: Session) -> int:
    """How many people may come in."""
    which = Account.password.is_not(None), Account.disabled_at.is_(None)
    return session.scalar(select(func.count()).select_from(Account).where(*which)) or 0


def without_second(session: Session) -> int:
    """How many may come in by a password alone."""
    which = Account.password.is_not(None), Account.disabled_at.is_(None), ~_HAS_SECOND
    return session.scalar(select(func.count()).select_from(Account).where(*which)) or 0


def with_second(session: Session) -> set[int]:
    return {*session.scalars(select(Account.id).where(_HAS_SECOND))}


def owners(session: Session) -> Sequence[Account]:
    """Those who can come in and hold everything, locked: of two who end each other one stays."""
    which = Account.role == Role.OWNER, Account.lists.is_(None), Account.password.is_not(None)
    can = select(Account).where(*which, Account.disabled_at.is_(None)).order_by(Account.id)
    return session.scalars(can.with_for_update()).all()


def put_link(session: Session, link: AccountLink) -> None:
    """The account's only one: an earlier link no longer works."""
    end_links(session, link.account_id)
    session.add(link)


def end_links(session: Session, account_id: int) -> None:
    session.execute(delete(AccountLink).where(AccountLink.account_id == account_id), execution_options=BLIND)


def link(session: Session, digest: bytes, now: datetime) -> AccountLink | None:
    found = session.get(AccountLink, digest)
    return found if found is not None and now < found.until else None


def use_link(session: Session, digest: bytes) -> bool:
    """Whether it was there to be used; of two at once one has it."""
    gone = delete(AccountLink).where(AccountLink.hash == digest).returning(AccountLink.hash)
    return session.scalar(gone, execution_options=BLIND) is not None


def session_of(session: Session, digest: bytes) -> DeskSession | None:
    return session.get(DeskSession, digest)


def sessions_of(session: Session, account_id: int) -> Sequence[DeskSession]:
    theirs = select(DeskSession).where(DeskSession.account_id == account_id, DeskSession.second_until.is_(None))
    return session.scalars(theirs.order_by(DeskSession.seen_at.desc())).all()


def note_seen(session: Session, digest: bytes, now: datetime) -> None:
    session.execute(update(DeskSession).where(DeskSession.hash == digest).values(seen_at=now))


def end_sessions(session: Session, account_id: int, but: bytes | None = None) -> int:
    """End those of an account, all but one; how many there were."""
    which = [DeskSession.account_id == account_id, *([DeskSession.hash != but] if but else [])]
    ended = delete(DeskSession).where(*which).returning(DeskSession.hash)
    return len(session.scalars(ended, execution_options=BLIND).all())


def end_session(session: Session, digest: bytes, account_id: int | None = None) -> bool:
    """Whether it was there to be ended. `account_id`: only if it is one of that account."""
    which = [DeskSession.hash == digest, *([DeskSession.account_id == account_id] if account_id else [])]
    ended = delete(DeskSession).where(*which).returning(DeskSession.hash)
    return session.scalar(ended, execution_options=BLIND) is not None


def passkeys_of(session: Session, account_id: int) -> Sequence[Passkey]:
    return session.scalars(select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id)).all()


def passkey(session: Session, credential: bytes) -> Passkey | None:
    return session.scalar(select(Passkey).where(Passkey.credential == credential))


def has_passkeys(session: Session, account_id: int | None = None) -> bool:
    """Whether that account has one; without an account, whether there is any."""
    which = [Passkey.account_id == account_id] if account_id else []
    return bool(session.scalar(select(exists().where(*which) if which else exists(select(Passkey.id)))))


def use_passkey(session: Session, id_: int, count: int, now: datetime) -> bool:
    """Whether it may be: one that counts has counted on since, else it was copied (WebAuthn 7.2, step 22)."""
    counts_on = or_(Passkey.sign_count < count, and_(Passkey.sign_count == 0, literal(count == 0)))
    used = update(Passkey).where(Passkey.id == id_, counts_on).values(sign_count=count, used_at=now)
    return session.scalar(used.returning(Passkey.id), execution_options=BLIND) is not None


def end_passkeys(session: Session, account_id: int, id_: int | None = None) -> int:
    """Delete one of an account, or all; how many there were."""
    which = [Passkey.account_id == account_id, *([Passkey.id == id_] if id_ else [])]
    return len(session.scalars(delete(Passkey).where(*which).returning(Passkey.id), execution_options=BLIND).all())


def forget_over(session: Session, now: datetime, began: datetime, seen: datetime) -> None:
    """Delete links whose time is over, and sessions that began or were seen last at these times or earlier."""
    session.execute(delete(AccountLink).where(AccountLink.until <= now), execution_options=BLIND)
    over = or_(DeskSession.began_at <= began, DeskSession.seen_at <= seen)
    session.execute(delete(DeskSession).where(over), execution_options=BLIND)
