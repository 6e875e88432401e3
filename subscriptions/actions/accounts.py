"""Accounts of the desk: inviting, the links that open them, and what an owner changes of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.actions import Refused
from subscriptions.actions.sessions import ABSOLUTE, IDLE, digest, new_secret
from subscriptions.domain.budget import Budget
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import LOST_PASSWORD
from subscriptions.domain.roles import Role
from subscriptions.domain.texts import marked
from subscriptions.links.desk import DeskTokens
from subscriptions.store import accounts, audit, migrate, outbox
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import Account, AccountLink, ActorKind

LINK_LIFE = timedelta(hours=1)
_UNUSABLE = "!"  # as a hash, of a password that nobody has


# Invitations


@repeated
def invite(
    email: str, role: Role, lists: Sequence[int] | None, now: datetime, act: Act, mails: DeskTokens | None = None
) -> str:
    """A link for somebody new, or for who was invited before and has not come; its secret. Raises Refused.

    `mails`, here and below: what makes the link where it is mailed as well.
    """
    with transaction() as session:
        migrate.one_at_a_time(session.connection())  # of two owners who invite the same person one comes second
        account = accounts.by_email(session, email)
        if account is not None and account.password and not account.disabled_at:
            raise Refused(marked("There is an account of that address already."))
        if account is None:
            account = Account(email=email, made_at=now)
            session.add(account)
        account.role, account.lists = role, [*lists] if lists is not None else None
        account.password = account.disabled_at = None
        session.flush()
        _bare(session, account)
        secret = put_link(session, account, now, mails, MailKind.INVITATION)
        audit.write(session, act.of(1, account=account.id))
    return secret


def _bare(session: Session, account: Account) -> None:
    """Nothing that was set up before lets anybody in."""
    account.totp = account.totp_step = account.recovery = None
    accounts.end_passkeys(session, account.id)
    accounts.end_sessions(session, account.id)


def put_link(session: Session, account: Account, now: datetime, mails: DeskTokens | None, kind: MailKind) -> str:
    """The account's only link, in a mail where it is to be mailed; its secret."""
    mid = outbox.owe(session, kind, now=now, address=account.email) if mails else ""
    secret = mails.link(bytes.fromhex(mid)) if mails else new_secret()
    accounts.put_link(session, AccountLink(hash=digest(secret), account_id=account.id, until=now + LINK_LIFE))
    return secret


@repeated
def forgotten(
    email: str, now: datetime, act: Act, mails: DeskTokens | None = None, *, second_factor: bool = False
) -> str:
    """A link by which who has an account may choose another password; its secret. Raises Refused.

    `second_factor`: that is taken away, with passkeys and sessions; an old password, which may be short, goes as well.
    """
    with transaction() as session:
        account = accounts.by_email(session, email)
        if account is None or account.disabled_at or not account.password:
            raise Refused(marked("Nobody comes in with that address: invite it."))
        kind = MailKind.FACTORS_GONE if second_factor else MailKind.LOST_PASSWORD
        secret = put_link(session, account, now, mails, kind)
        if second_factor:
            account.password = _UNUSABLE
            _bare(session, account)
        audit.write(session, act.of(1, account=account.id))
    return secret


@repeated
def ask(email: str, now: datetime, mails: DeskTokens) -> None:
    """Mail the same link to who has lost their password, if there is such an account and its budget is open.

    Whoever asks may be a stranger: the statements are the same for every address, and undone where nobody is to be
    mailed.
    """
    with transaction() as session:
        account, anybody = accounts.by_email(session, email), accounts.first(session)
        is_known = account is not None and account.password and not account.disabled_at
        either = account if is_known else anybody
        row = accounts.hold(session, either.id) if either else None
        if row is None:
            return
        with session.begin_nested() as undone:
            budget = Budget.read(row.requests or "", LOST_PASSWORD)
            is_open = budget.mail_time(now, may_wait=False) is not None
            budget.spend(now)
            row.requests = budget.written(now)
            put_link(session, row, now, mails, MailKind.LOST_PASSWORD)
            session.flush()
            if not (is_known and is_open):
                undone.rollback()


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
        if account.password:  # of who comes in for the first time the invitation stands there
            act = Act(now, ActorKind.ACCOUNT, str(account.id), "account password", details={"by": "link"})
            audit.write(session, act.of(1, account=account.id))
        account.password = hashed
        accounts.end_sessions(session, account.id)
    return account


# Who has one


def is_nobody_in() -> bool:
    """Whether no account has ever come in: the first invitation is still to be made."""
    with reading() as session:
        return not accounts.has_any(session)


def find(email: str) -> Account | None:
    """One that may come in."""
    with reading() as session:
        account = accounts.by_email(session, email)
    return account if account and account.password and not account.disabled_at else None


# What an owner changes


@repeated
def change(email: str, now: datetime, act: Act, *, role: Role | None = None, is_disabled: bool = False) -> Account:
    """Another role, or an end; every session of the account ends. The last owner stays. Raises Refused."""
    with transaction() as session:
        able = accounts.owners(session)
        account = accounts.by_email(session, email)
        if account is None:
            raise Refused(marked("There is no account of that address."))
        if [row.id for row in able] == [account.id] and (is_disabled or role not in (None, Role.OWNER)):
            raise Refused(marked("This is the last owner: invite another one first, who comes in."))
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
