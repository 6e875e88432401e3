"""What answers to mail that came say: to which one they are the answer, and which lists somebody has left by it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.languages import listed
from subscriptions.store import outbox, subscriptions
from subscriptions.store.models import List
from subscriptions.store.outbox import Due

VALUES = ["answered", "lists_left"]


def completed(session: Session, due: Due) -> Due:
    """What ended in the transaction that owes the mail has its time."""
    left = [row.list_id for row in subscriptions.of_key(session, due.key) if row.ended_at == due.owed_at]
    return due._replace(told={"answered": outbox.answered(session, due.id) or "", "left": left})


def values(told: Mapping[str, Any], tag: str, lists: Mapping[int, List]) -> dict[str, str]:
    """What is filled into the letter."""
    names = [lists[number].said_in(tag).name for number in told["left"] if number in lists]
    return {"answered": told["answered"], "lists_left": listed(names, tag)}
