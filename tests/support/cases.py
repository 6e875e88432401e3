"""Many cases of one rule in one test, which names each that fails; and what runs on one database alone."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

# For what neither stores anything nor asks the database what the two would answer in their own ways.
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Test = Callable[..., None]


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
