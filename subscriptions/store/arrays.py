"""Arrays as PostgreSQL reads them (its manual, 8.15.2), for the columns of many rows.

psycopg looks at the type of each value, in Python. Measured, a sign-up in a batch of 16: 64 us there and 22 in the
server; written like this 11 and 16, as JSON 22 and 19.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, get_args, get_type_hints


def texts(column: Iterable[str | None]) -> str:
    return "{" + ",".join(["NULL" if text is None else _quoted(text) for text in column]) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def octets(column: Iterable[bytes | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else rf'"\\x{value.hex()}"' for value in column]) + "}"


def numbers(column: Iterable[int | None]) -> str:
    return "{" + ",".join(["NULL" if number is None else str(number) for number in column]) + "}"


def times(column: Iterable[datetime]) -> str:
    return "{" + ",".join(map(_time, column)) + "}"


@lru_cache(1024)  # the rows of a batch share their times
def _time(at: datetime) -> str:
    return f'"{at.isoformat()}"'


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "bytea": octets, "bigint": numbers, "int": numbers, "boolean": numbers, "text": texts, "timestamptz": times,
}  # fmt: skip


@cache
def columns_of(row: type[tuple[Any, ...]]) -> dict[str, str]:
    """The members of a NamedTuple, with PostgreSQL's type of each."""
    types = {bytes: "bytea", bool: "boolean", int: "bigint", str: "text", datetime: "timestamptz"}
    return {name: types[(get_args(hint) or (hint,))[0]] for name, hint in get_type_hints(row).items()}


def by_column(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """What the rows say, an array for each of the columns, in their order."""
    return [_WRITTEN[type_](column) for type_, column in zip(columns.values(), zip(*rows, strict=True), strict=True)]
