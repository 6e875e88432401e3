"""Many cases of one rule in one test, which names each that fails; and what runs on one database alone."""

import functools
import inspect
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest

# For what neither stores anything nor asks the database what the two would answer in their own ways.
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
# A test or a module: on PostgreSQL it runs by night, since tests nearer to the rows hold the same rules on both by day.
BY_DAY_ON_SQLITE = pytest.mark.by_day_on_sqlite
Test = Callable[..., None]


def crossed(*, indirect: Iterable[str] = (), **columns: Iterable[Any]) -> pytest.MarkDecorator:
    """Each value with each: on SQLite by day; on PostgreSQL by day as few as have every value once, by night all."""
    every = {name: list(values) for name, values in columns.items()}
    turns = range(max(map(len, every.values())))
    by_day = [tuple(number % len(values) for values in every.values()) for number in turns]
    rows = []
    for places in product(*(range(len(values)) for values in every.values())):
        row = [values[place] for values, place in zip(every.values(), places, strict=True)]
        rows.append(pytest.param("sqlite", *row))
        rows.append(pytest.param("postgresql", *row, marks=() if places in by_day else pytest.mark.drill))
    return pytest.mark.parametrize(("database", *every), rows, indirect=["database", *indirect], ids=_named)


def _named(value: Any) -> str | None:
    return getattr(value, "__name__", None)


def each(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Like pytest.mark.parametrize, but one test that walks all the cases, in the same world.

    It fails at its end, with every case that has failed. For cases of which none leaves anything to the next.
    """
    called = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    rows = [case if len(called) > 1 else (case,) for case in cases]
    assert rows, "a rule without a case proves nothing"

    def walking(test: Test) -> Test:
        @functools.wraps(test)
        def walk(*args: Any, **fixtures: Any) -> None:
            errors = [error for row in rows if (error := _failure(test, args, fixtures, called, row))]
            if errors:
                failed = ", ".join(str(error.__notes__[0]) for error in errors)
                raise BaseExceptionGroup(f"{len(errors)} of {len(rows)} cases fail: {failed}", errors)

        given = inspect.signature(test)
        left = [parameter for name, parameter in given.parameters.items() if name not in called]
        assert len(left) + len(called) == len(given.parameters), f"{test.__name__} does not take {names}"
        walk.__signature__ = given.replace(parameters=left)  # type: ignore[attr-defined]
        return walk

    return walking


def _failure(test: Test, args: Any, fixtures: dict[str, Any], names: tuple[str, ...], row: Any) -> BaseException | None:
    try:
        test(*args, **fixtures, **dict(zip(names, row, strict=True)))
    except (Exception, pytest.fail.Exception) as error:
        error.add_note(", ".join(f"{name} = {value!r}"[:200] for name, value in zip(names, row, strict=True)))
        error.__notes__.insert(0, error.__notes__.pop())
        return error
    return None
