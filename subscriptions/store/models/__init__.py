"""The tables. Every one is a Flask-SQLAlchemy model; what they mean is in architecture.md and product.md."""

from subscriptions.store.models.arrivals import Arrival, LetterToRead
from subscriptions.store.models.base import db
from subscriptions.store.models.desk import Account, AccountLink, DeskSession, ExportMark, Passkey
from subscriptions.store.models.imports import Import, ImportBatch, Invitation
from subscriptions.store.models.mails import Captured, Letter, List, Owed, Owner, Policy, Wording
from subscriptions.store.models.people import Address, Evidence, Hold, Registration, Request, Subscription, Suppression
from subscriptions.store.models.seals import Leaf, Removal, Seal
from subscriptions.store.models.service import (
    ActorKind,
    Audit,
    Counted,
    CountedKey,
    Counter,
    Job,
    Meta,
    Read,
    Token,
    Traffic,
    UsedOnce,
)

__all__ = [
    "Account", "AccountLink", "ActorKind", "Address", "Arrival", "Audit", "Captured", "Counted", "CountedKey",
    "Counter", "DeskSession", "Evidence", "ExportMark", "Hold", "Import", "ImportBatch", "Invitation", "Job", "Leaf",
    "Letter", "LetterToRead", "List", "Meta", "Owed", "Owner", "Passkey", "Policy", "Read", "Registration", "Removal",
    "Request", "Seal", "Subscription", "Suppression", "Token", "Traffic", "UsedOnce", "Wording", "db",
]  # fmt: skip
