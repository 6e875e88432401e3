"""The tables. Every one is a Flask-SQLAlchemy model; what they mean is in architecture.md and product.md."""

from subscriptions.store.models.abuse import Audit, Counted, CountedKey, Traffic, UsedOnce
from subscriptions.store.models.base import db
from subscriptions.store.models.lists import List, Wording
from subscriptions.store.models.mails import Captured, Letter, Owed
from subscriptions.store.models.people import Address, Evidence, Registration, Subscription, Suppression
from subscriptions.store.models.service import Counter, Job, Meta, Token

__all__ = [
    "Address", "Audit", "Captured", "Counted", "CountedKey", "Counter", "Evidence", "Job", "Letter", "List", "Meta",
    "Owed", "Registration", "Subscription", "Suppression", "Token", "Traffic", "UsedOnce", "Wording", "db",
]  # fmt: skip
