"""Commands about one address: leave, erase, explain, suppress."""

import json
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from subscriptions import clock as clocks
from subscriptions.actions import erase as erasing
from subscriptions.actions import leave as leaving
from subscriptions.actions import suppress as suppressing
from subscriptions.actions.leave import Withdrawal
from subscriptions.cli import ACTOR, address_of, key_of, ready, table, the_list, time
from subscriptions.cli.explain import as_data, never_mailed, story
from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.parts import current_parts
from subscriptions.store import suppressions as rows
from subscriptions.store import vacuum
from subscriptions.store.engine import reading

suppressions = AppGroup("suppressions", help="Addresses that get no confirmation mails, or no mail at all.")


SCOPE: dict[str, Any] = {
    "type": click.Choice([*map(str, SuppressionScope), "ask"]), "metavar": "[confirmations|all]",
    "callback": lambda _context, _option, text: SuppressionScope(text) if text else None,
}  # fmt: skip


@click.command("unsubscribe")
@click.argument("address", type=address_of)
@click.option("--list", "slug", help="One list; otherwise all of them.")
@click.option("--channel", type=click.Choice(["email", "letter", "phone"]), required=True, help="How it reached you.")
@click.option("--received", type=time, help="When, in RFC 3339: 2026-11-23T09:15:00Z.")
@ready
def unsubscribe(address: Address, slug: str | None, channel: str, received: datetime | None) -> None:
    """A revocation that came another way, with its evidence."""
    row = the_list(slug) if slug else None
    now = current_parts().clock.now()
    if received and received > now:
        raise click.BadParameter("That time has not come yet.", param_hint="--received")
    how = Withdrawal(Event.UNSUBSCRIBE, Channel(channel), f"revoked by {channel}", ACTOR, received)
    ended = leaving.leave(key_of(address), row.id if row else None, how, now, current_parts().policy)
    done = f"{ended} subscription{'s' * (ended != 1)} ended."
    click.echo(done if ended else "Nothing was open; nothing was changed.")


@click.command("erase")
@click.argument("address", type=address_of)
@ready
def erase(address: Address) -> None:
    """Remove a person: first a mail says what stays and until when, then everything else goes."""
    parts = current_parts()
    key = key_of(address)
    found = erasing.ask(key, parts.clock.now(), parts.policy, ACTOR)
    if found is None:
        raise click.ClickException("Nothing is stored about this address.")
    parts.sender.deliver()
    parts.sender.stop()
    if key in erasing.due(parts.clock.now()):
        erasing.finish(key, parts.clock.now(), parts.policy)
        vacuum.sweep_files(parts.clock.now(), asked=True)
        click.echo("Erased: the person is gone from every list.")
    else:
        click.echo("Asked for: the mail that says what stays waits for the relay; within an hour the person is gone.")
    if found.proof_until:
        click.echo(f"Sealed proof without address or name stays until {clocks.words(found.proof_until)}.")


@click.command("explain")
@click.argument("address", type=address_of)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@ready
def explain(address: Address, as_json: bool) -> None:
    """What happened to ADDRESS, why it got no mail, and what comes next; in plain words."""
    if as_json:
        told = as_data(key_of(address)) | {"never_mailed": never_mailed(address)}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for line in [*story(key_of(address)), *never_mailed(address)]:
        click.echo(line)


@suppressions.command("show")
@click.argument("address", type=address_of, required=False)
@ready
def show(address: Address | None) -> None:
    """What is suppressed: of one address, or of all (by key; the addresses themselves are not stored)."""
    now = current_parts().clock.now()
    with reading() as session:
        found = rows.active(session, key_of(address), now) if address else rows.all_active(session, now)
    lists = {id_: row.slug for id_, row in current_parts().catalogue.lists.items()} | {None: "all"}
    lines = [(row.key.hex(), row.scope, lists[row.list_id], clocks.text(row.set_at),
              clocks.text(row.until) if row.until else "for good", row.reason) for row in found]  # fmt: skip
    table([("key", "scope", "list", "set", "until", "reason"), *lines])


@suppressions.command("add")
@click.argument("address", type=address_of)
@click.option(
    "--scope", **SCOPE, required=True,
    help='confirmations: no confirmation mails ("ask", the name before 0.3.0, works until 1.0); '
    "all: no mail, subscriptions end.",
)  # fmt: skip
@click.option("--reason", required=True, help="Why, in your words.")
@ready
def add(address: Address, scope: SuppressionScope, reason: str) -> None:
    """Suppress ADDRESS: no more confirmation mails, or no mail at all."""
    parts = current_parts()
    ended = suppressing.suppress(key_of(address), scope, reason, parts.clock.now(), parts.policy, ACTOR)
    click.echo(f"Suppressed ({scope}); {ended} subscription{'s' * (ended != 1)} ended.")


@suppressions.command("lift")
@click.argument("address", type=address_of)
@click.option("--scope", **SCOPE, help="One scope alone.")
@click.option("--reason", required=True, help="Why, in your words.")
@ready
def lift(address: Address, scope: SuppressionScope | None, reason: str) -> None:
    """Lift what is set on ADDRESS."""
    lifted = suppressing.lift(key_of(address), scope)
    if not lifted:
        raise click.ClickException("Nothing of that kind is set on this address.")
    click.echo(f"{lifted} lifted.")
