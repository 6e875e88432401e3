"""Arrays as PostgreSQL reads them (its manual, 8.15.2), for the columns of many rows.

psycopg looks at the type of each value, in Python. Measured, a sign-up in a batch of 16: 64 us there and 22 in the
server; written like this 11 and 16, as JSON 22 and 19.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache


def texts(column: Iterable[str | None]) -> str:
    return "{" + ",".join(["NULL" if text is None else _quoted(text) for text in column]) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def octets(column: Iterable[bytes]) -> str:
    return "{" + ",".join([rf'"\\x{value.hex()}"' for value in column]) + "}"


def numbers(column: Iterable[int]) -> str:
    return "{" + ",".join(map(str, column)) + "}"


def times(column: Iterable[datetime]) -> str:
    return "{" + ",".join(map(_time, column)) + "}"


@lru_cache(1024)  # the rows of a batch share their times
def _time(at: datetime) -> str:
    return f'"{at.isoformat()}"'
