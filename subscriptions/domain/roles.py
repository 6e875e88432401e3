"""What an account of the desk may do: a role is a set of rights, held for every list or for some."""

from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """What a page or an act of the desk asks for."""

    NUMBERS = "numbers"  # how many, never who
    PEOPLE = "people"  # who, and what happened; without IP addresses
    ACTS = "acts"  # unsubscribe, correct, sign up, send again
    EXPORT = "export"
    TEXTS = "texts"
    PRIVACY = "privacy"  # IP addresses, mails as sent, blocked sign-ups; erase, restrict, suppress
    AUDIT = "audit"
    SERVICE = "service"  # accounts, tokens, settings


class Role(StrEnum):
    VIEWER = "viewer"
    MANAGER = "manager"
    PRIVACY = "privacy"
    OWNER = "owner"


_VIEWER = frozenset({Right.NUMBERS})
RIGHTS = MappingProxyType({
    Role.VIEWER: _VIEWER,
    Role.MANAGER: _VIEWER | {Right.PEOPLE, Right.ACTS, Right.EXPORT, Right.TEXTS},
    Role.PRIVACY: _VIEWER | {Right.PEOPLE, Right.PRIVACY, Right.AUDIT},
    Role.OWNER: frozenset(Right),
})  # fmt: skip
