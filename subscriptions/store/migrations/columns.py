"""Columns as the migrations write them. What stands here is part of every migration, so it never changes."""

from typing import Any

import sqlalchemy as sa

from subscriptions.store.types import UtcDateTime

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INT, BOOL, TEXT, JSON, TIME, KEY = sa.Integer(), sa.Boolean(), sa.Text(), sa.JSON(), UtcDateTime(), sa.LargeBinary(16)
OWNED: dict[str, Any] = {"ondelete": "CASCADE", "index": True}  # it goes with the row that it refers to


def pk(name: str, type_: Any) -> "sa.Column[Any]":
    return sa.Column(name, type_, primary_key=True)


def must(name: str, type_: Any, **more: Any) -> "sa.Column[Any]":
    """One that is never empty; `more`: `to` what it refers, and what a column says besides."""
    return may(name, type_, nullable=False, **more)


def may(name: str, type_: Any, *, to: str = "", ondelete: str | None = None, **more: Any) -> "sa.Column[Any]":
    """One that may be empty."""
    return sa.Column(name, type_, *([sa.ForeignKey(to, ondelete=ondelete)] if to else []), **more)


def where(condition: str) -> dict[str, Any]:
    """An index of the rows alone for which it holds."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
