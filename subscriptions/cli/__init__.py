"""The commands: results to stdout, everything else to stderr."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext

from subscriptions import clock as clocks
from subscriptions import foreign, logs, start
from subscriptions.actions import Refused
from subscriptions.cli import menu
from subscriptions.domain.address import Address, BadAddress, parse
from subscriptions.parts import current_parts
from subscriptions.places import SHIPPED
from subscriptions.settings import BadSettings
from subscriptions.store import migrate
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.store.migrate import SchemaTooNew
from subscriptions.store.models import List

_AGO = re.compile(r"([1-9]\d{0,4})([mhd])")
BUSY = "The database is busy or does not answer"
ACTOR = "command line"  # who gave a command, for the evidence: no more than that it was one
P = ParamSpec("P")
T = TypeVar("T")


def init_app(app: Flask) -> None:
    if foreign.is_command():
        migrate.init_app(app)
    for name, command in commands().items():
        app.cli.add_command(command, name)


def commands() -> dict[str, click.Command]:
    """The commands of the product by name."""
    from subscriptions.cli import (
        abuse,
        accounts,
        admin,
        audit,
        backup,
        doctor,
        evidence,
        go_live,
        holds,
        imports,
        inbound,
        jobs,
        lists,
        people,
        policies,
        proof,
        records,
        requests,
        retention,
    )

    of_people = people.unsubscribe, people.erase, people.explain, people.suppressions, proof.proof
    of_admin = lists.group, admin.tokens_group, admin.export, imports.group, admin.migrate_command
    of_officer = requests.group, holds.group, policies.group, records.group, evidence.group, retention.group
    of_service = doctor.doctor, jobs.group, abuse.group, audit.group, go_live.go_live, accounts.group
    of_keeping = backup.backup, backup.restore
    ours = (*of_admin, *of_people, inbound.group, *of_officer, *of_service, *of_keeping)
    found: dict[str, click.Command] = {command.name or "": command for command in ours}
    bench = find_spec("bench")  # as in our repository; others have packages of that name
    if bench is not None and bench.origin == str(SHIPPED / "bench" / "__init__.py"):
        found["bench"] = import_module("bench.commands").group
    return menu.with_examples(found)


def ready(command: Callable[P, T]) -> Callable[P, T]:
    """A command that needs the database as a server would find it; what goes wrong is one sentence and status 1."""

    @with_appcontext
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        logs.setup(sys.stderr)
        try:
            start.prepare(current_app._get_current_object())  # type: ignore[attr-defined]
            return command(*args, **kwargs)
        except (BadSettings, SchemaTooNew, Refused) as error:
            raise click.ClickException(str(error)) from None
        except (Unavailable, Contention):
            raise click.ClickException(f"{BUSY}: nothing was changed. Please try again.") from None

    return run


def address_of(text: str) -> Address:
    """The type of an argument: an e-mail address, checked as a sign-up would be."""
    try:
        return parse(text)
    except BadAddress as error:
        raise click.BadParameter(str(error)) from None


def time(text: str) -> datetime:
    """The type of an option: a time, in RFC 3339, or how long ago: 90m, 2h, 3d."""
    if ago := _AGO.fullmatch(text):
        unit = {"m": "minutes", "h": "hours", "d": "days"}[ago[2]]
        app = click.get_current_context().ensure_object(ScriptInfo).load_app()  # arguments are read before a context
        return current_parts(app).clock.now() - timedelta(**{unit: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        said = f'"{text}" is not a time: write it like 2026-11-23T09:15:00Z, or 2h for two hours ago.'
        raise click.BadParameter(said) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def key_of(address: Address) -> bytes:
    return current_parts().links.key(address.folded)


def mailbox_of(address: Address) -> bytes | None:
    """The key of its mailbox, where the address is one spelling of another."""
    return current_parts().links.mailbox_key(address.folded)


def the_list(slug: str) -> List:
    """The list of that name; else one sentence that names those there are."""
    lists = {row.slug: row for row in current_parts().catalogue.lists.values()}
    if slug not in lists:
        raise click.ClickException(f'There is no list "{slug}". The lists are: {", ".join(lists)}.')
    return lists[slug]


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs: an array of objects.")
Columns = Mapping[str, tuple[str, str]]  # by the names for programs: the title, and what stands for nothing


def print_rows(rows: Iterable[Mapping[str, object]], columns: Columns, *, as_json: bool) -> None:
    """Rows for programs, each time in RFC 3339, or the same as a table. Whatever prints rows does it here."""
    if as_json:
        told = [{name: _plain(row[name]) for name in columns} for row in rows]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    lines = (tuple(_cell(row[name], none) for name, (_, none) in columns.items()) for row in rows)
    table([tuple(title for title, _ in columns.values()), *lines])


def _plain(value: object) -> object:
    return clocks.text(value) if isinstance(value, datetime) else value


def _cell(value: object, none: str) -> str:
    if value is None or value is False or value == []:
        return none
    return "yes" if value is True else ", ".join(value) if isinstance(value, list) else str(_plain(value))


def table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows as aligned columns."""
    if rows:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
