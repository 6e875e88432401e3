"""The commands: results to stdout, everything else to stderr."""

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from subscriptions import foreign, logs, start
from subscriptions.domain.address import Address, BadAddress, parse
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings
from subscriptions.store import migrate
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.store.migrate import SchemaTooNew
from subscriptions.store.models import List

_AGO = re.compile(r"([1-9]\d{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
P = ParamSpec("P")
T = TypeVar("T")


def init_app(app: Flask) -> None:
    from subscriptions.cli import abuse, admin, jobs, mails, people

    if foreign.is_command():
        migrate.init_app(app)
    for room in (admin, people, mails, jobs, abuse):
        for command in room.COMMANDS:
            app.cli.add_command(command)
    if _has_benchmarks():
        app.cli.add_command(import_module("bench.commands").group, "bench")


def _has_benchmarks() -> bool:
    """Whether they stand beside the product, as in its repository; others have packages of that name."""
    found = find_spec("bench")
    home = Path(__file__).resolve().parents[2]
    return found is not None and found.origin == str(home / "bench" / "__init__.py")


def ready(command: Callable[P, T]) -> Callable[P, T]:
    """A command that needs the database as a server would find it; what goes wrong is one sentence and status 1."""

    @with_appcontext
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        logs.setup(sys.stderr)
        try:
            start.prepare(current_app._get_current_object())  # type: ignore[attr-defined]
            return command(*args, **kwargs)
        except (BadSettings, SchemaTooNew) as error:
            raise click.ClickException(str(error)) from None
        except (Unavailable, Contention):
            raise click.ClickException("The database does not answer, or is busy; nothing was changed.") from None

    return run


class AddressArgument(click.ParamType[Address]):
    """An e-mail address, checked as a sign-up would be."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> Address:
        try:
            return parse(value)
        except BadAddress as error:
            self.fail(str(error), param, context)


class Moment(click.ParamType[datetime]):
    """A time, in RFC 3339, or how long ago: 90m, 2h, 3d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        ago = _AGO.fullmatch(value)
        if ago:
            return current_parts().clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is no time such as 2026-11-23T09:15:00Z, nor 2h for two hours ago.', param, context)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


ADDRESS, MOMENT = AddressArgument(), Moment()


def key_of(address: Address) -> bytes:
    return current_parts().links.key(address.folded)


def the_list(slug: str) -> List:
    """The list of that name; else one sentence that names those there are."""
    lists = current_parts().catalogue.lists.values()
    for row in lists:
        if row.slug == slug:
            return row
    raise click.ClickException(f'There is no list "{slug}"; there is {", ".join(row.slug for row in lists)}.')


def table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows as aligned columns."""
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def actor() -> str:
    """Who gave this command, for the evidence: no more than that it was one."""
    return "command line"
