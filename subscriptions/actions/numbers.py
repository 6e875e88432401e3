"""Numbers for accounts of the desk, by mail: who wants them, and when there is something to tell."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from subscriptions import clock
from subscriptions.domain.figures import HowOften
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store import accounts, audit, figures, outbox
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import Account


@repeated
def choose(account_id: int, how_often: HowOften, now: datetime, act: Act, locale: str | None = None) -> bool:
    """From now on; whether there is such an account. `locale`: of the emails, where another one is chosen."""
    with transaction() as session:
        account = accounts.hold(session, account_id)
        if account is None:
            return False
        account.numbers, account.locale = how_often, locale or account.locale
        account.told = {"since": clock.text(now), "looked": clock.text(now), "was": _kept(figures.in_all(session))}
        audit.write(session, act)
        return True


Totals = dict[int, tuple[int, int]]


def _kept(totals: Totals) -> dict[str, tuple[int, int]]:
    return {str(list_id): numbers for list_id, numbers in totals.items()}


def tell(lists: Sequence[int], now: datetime) -> int:
    """Owe an email to each account that is to be told something of these lists; how many."""
    with reading() as session:
        ids = accounts.wanting_numbers(session)
    return sum(_tell(id_, lists, now) for id_ in ids)


@repeated
def _tell(account_id: int, lists: Sequence[int], now: datetime) -> bool:
    with transaction() as session:
        account = accounts.hold(session, account_id)
        if account is None or account.disabled_at or account.told is None:
            return False
        is_due = account.numbers.is_due(datetime.fromisoformat(account.told["looked"]), now)
        if not is_due or outbox.is_owed(session, MailKind.NUMBERS, account.email):  # that one says what it said
            return False
        at, totals = clock.text(now), figures.in_all(session)
        says = _says(account, totals, lists)
        is_told = _is_news(account, says)
        news = {"since": account.told.get("until", account.told["since"]), "until": at, "says": says,
                "was": _kept(totals)} if is_told else {}  # fmt: skip
        account.told = {**account.told, "looked": at, **news}
        outbox.owe(session, MailKind.NUMBERS if is_told else None, now=now, address=account.email)
        return is_told


Line = tuple[int, int, int, int]  # the id of a list, how many are new, how many have left, how many there are


def _says(account: Account, totals: Totals, lists: Sequence[int]) -> list[Line]:
    seen, was = account.lists, (account.told or {})["was"]
    found = []
    for id_ in (id_ for id_ in lists if seen is None or id_ in seen):
        (joined, gone), (joined_then, gone_then) = totals.get(id_, (0, 0)), was.get(str(id_), (0, 0))
        found.append((id_, joined - joined_then, gone - gone_then, joined - gone))
    return found


def _is_news(account: Account, says: Sequence[Line]) -> bool:
    """Weekly, that there is nothing new is told as well, once."""
    is_new, has_left = any(line[1] for line in says), any(line[2] for line in says)
    told: dict[str, Any] = account.told or {}
    was_quiet = bool(told.get("says")) and not any(line[1] or line[2] for line in told["says"])
    if account.numbers is HowOften.EACH:
        return is_new
    return is_new or has_left or (account.numbers is HowOften.WEEKLY and not was_quiet)
