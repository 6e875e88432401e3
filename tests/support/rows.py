"""One more row in a table of the product, for as long as a test needs it."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import TypeVar

from subscriptions.domain.mail_kinds import MailKind, Row

Key = TypeVar("Key")
Value = TypeVar("Value")


@contextmanager
def one_more_row(table: MutableMapping[Key, Value], key: Key, row: Value) -> Iterator[Value]:
    """In a table that is a mapping."""
    table[key] = row
    try:
        yield row
    finally:
        del table[key]


@contextmanager
def one_more_kind(name: str, row: Row | None = None) -> Iterator[MailKind]:
    """As if it stood in domain/mail_kinds.py; without a row, it says nothing."""
    kind = MailKind._new_member_(MailKind, name, *([row] if row else []))  # type: ignore[attr-defined]
    kind._name_, kind.__objclass__, kind._sort_order_ = name.upper(), MailKind, len(MailKind)
    MailKind._member_names_.append(kind._name_)
    MailKind._member_map_[kind._name_] = MailKind._value2member_map_[name] = kind
    try:
        yield kind
    finally:
        MailKind._member_names_.remove(kind._name_)
        del MailKind._member_map_[kind._name_], MailKind._value2member_map_[name]
