"""Commands for requests of people about their data."""

import click

from subscriptions.cli import acts, as_json, print_rows, ready
from subscriptions.cli.menu import Group
from subscriptions.parts import current_parts
from subscriptions.store import audit
from subscriptions.store import requests as rows
from subscriptions.store.engine import reading

AT_MOST = 1000
group = Group("requests", help="Requests of people about their data: what is open, and until when.")


@group.command("show")
@click.option("--all", "with_settled", is_flag=True, help="Also those that were answered or refused, the last 1000.")
@as_json
@ready
def show(*, with_settled: bool, as_json: bool) -> None:
    """Show the open requests, the one that is due first at the top. They are answered at the desk."""
    with reading() as session:
        found = [*rows.waiting(session), *(rows.settled(session, None, AT_MOST) if with_settled else ())]
    audit.note(acts.act().of(len(found)))
    lists = {id_: row.slug for id_, row in current_parts().catalogue.lists.items()} | {None: None}
    states = {row.id: row.outcome or ("extended" if row.extended_until else "open") for row in found}
    lines = [{"number": row.id, "kind": str(row.kind), "list": lists[row.list_id], "channel": str(row.channel),
              "received_at": row.received_at, "until": row.until.isoformat(), "state": str(states[row.id])}
             for row in found]  # fmt: skip
    columns = {"number": ("no.", ""), "kind": ("kind", ""), "list": ("list", "all"), "channel": ("by", ""),
               "received_at": ("received", ""), "until": ("until", ""), "state": ("state", "")}  # fmt: skip
    print_rows(lines, columns, as_json=as_json)
