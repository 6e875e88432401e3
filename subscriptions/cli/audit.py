"""Commands for the audit."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from subscriptions import clock as clocks
from subscriptions.cli import address_of, key_of, ready, table, time
from subscriptions.cli.acts import act as given
from subscriptions.cli.menu import Group
from subscriptions.domain.address import Address
from subscriptions.parts import current_parts
from subscriptions.store import audit
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Audit

group = Group("audit", help="Show who did what: commands, exports and the use of API tokens.")


@group.command("show")
@click.argument("address", type=address_of, required=False)
@click.option("--since", type=time, help="From this time on: 2026-11-23T09:15:00Z, or 2h for two hours ago.")
@click.option("--until", type=time, help="Before this time.")
@click.option(
    "--act", metavar="NAME", help='Only acts with this name: "suppressions lift"; or "tokens" for the whole group.'
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@ready
def show(
    address: Address | None, since: datetime | None, until: datetime | None, act: str | None, as_json: bool
) -> None:
    """Show who did what and why, oldest first. With ADDRESS: only what concerned that person.

    Each person appears as a keyed hash. The hash and the reason are removed once nothing else is stored about the
    person. What a token reads is counted: one row for each list and hour.
    """
    if since and until and until <= since:
        raise click.UsageError("--until must be later than --since.")
    key = key_of(address) if address else None
    if key:
        audit.note(given(key))
    with current_parts().reads.taken() as reads, transaction() as session:
        audit.add_reads(session, reads)
    with reading() as session:
        found = audit.find(session, since=since, until=until, act=act, about=key)
        (_print_json if as_json else _print_table)(found)


def _print_json(found: Iterable[Audit]) -> None:
    rows = (json.dumps(_told(row), ensure_ascii=False) for row in found)
    click.echo("[" + next(rows, ""), nl=False)
    for row in rows:
        click.echo(f",\n {row}", nl=False)
    click.echo("]")


def _told(row: Audit) -> dict[str, Any]:
    return {
        "at": clocks.text(row.at), "actor": {"kind": row.actor_kind, "id": row.actor}, "act": row.act,
        "about": row.about.hex() if row.about else None, "count": row.count, "reason": row.reason,
        "details": row.details,
    }  # fmt: skip


def _print_table(found: Iterable[Audit]) -> None:
    table([("at", "actor", "act", "about", "count", "reason", "details"), *map(_line, found)])


def _line(row: Audit) -> tuple[str, ...]:
    about, count = row.about.hex() if row.about else "-", "-" if row.count is None else str(row.count)
    actor = f"{row.actor_kind} {row.actor}"
    return clocks.text(row.at), actor, row.act, about, count, row.reason or "-", details(row)


def details(row: Audit) -> str:
    """What else is known of an act, in a few words."""
    known = {name: value for name, value in row.details.items() if value not in (None, [])}
    return ", ".join(f"{name} {value}" for name, value in known.items()) or "-"
