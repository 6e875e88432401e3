"""Commands about one address: leave, erase, explain, suppress."""

import json
from datetime import datetime
from typing import Any, NoReturn

import click

from subscriptions import clock as clocks
from subscriptions.actions import erase as erasing
from subscriptions.actions import leave as leaving
from subscriptions.actions import suppress as suppressing
from subscriptions.actions.leave import Withdrawal
from subscriptions.cli import ACTOR, acts, address_of, as_json, key_of, mailbox_of, print_rows, ready, the_list, time
from subscriptions.cli.explain import as_data, never_mailed, story
from subscriptions.cli.menu import Group
from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.lifecycle import Registration as SignedUp
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.parts import current_parts
from subscriptions.store import audit, imports, registrations, subscriptions, vacuum
from subscriptions.store import suppressions as rows
from subscriptions.store.engine import reading
from subscriptions.store.kept import after_erasure

suppressions = Group("suppressions", help="Addresses that get no confirmation emails, or no email at all.")


SCOPE: dict[str, Any] = {
    "type": click.Choice([*map(str, SuppressionScope), "ask"]), "metavar": "[confirmations|all]",
    "callback": lambda _context, _option, text: SuppressionScope(text) if text else None,
}  # fmt: skip


@click.command("unsubscribe")
@click.argument("address", type=address_of)
@click.option("--list", "slug", help="Only this list. Otherwise every list.")
@click.option("--channel", type=click.Choice(["email", "letter", "phone"]), required=True, help="How you were told.")
@click.option("--received", type=time, help="When you were told: 2026-11-23T09:15:00Z, or 2h for two hours ago.")
@ready
def unsubscribe(address: Address, slug: str | None, channel: str, received: datetime | None) -> None:
    """Unsubscribe ADDRESS for somebody who told you by email, letter or phone, and keep the evidence."""
    row = the_list(slug) if slug else None
    now = current_parts().clock.now()
    if received and received > now:
        raise click.BadParameter("That time is in the future.", param_hint="--received")
    how = Withdrawal(Event.UNSUBSCRIBE, Channel(channel), f"revoked by {channel}", ACTOR, received)
    key, policy = key_of(address), current_parts().policy
    ended = leaving.leave(key, row.id if row else None, how, now, policy, acts.act(key, list=slug, channel=channel))
    done = f"{ended} subscription{'s' * (ended != 1)} ended."
    click.echo(done if ended else "This address has no open subscription: nothing was changed.")


@click.command("erase")
@click.argument("address", type=address_of)
@acts.yes
@ready
def erase(address: Address, yes: bool) -> None:
    """Erase a person: tell them by email what is kept and until when, and delete everything else."""
    parts = current_parts()
    key = key_of(address)
    if not yes:
        acts.ask(
            f"This erases every sign-up and subscription of {address.mailed}, for good.",
            lambda: _known(key) or _nothing(key, mailbox_of(address)),
        )
    found = erasing.ask(key, parts.clock.now(), parts.policy, ACTOR, acts.act(key), mailbox_of(address))
    if found.waited:
        click.echo("Erased: this person was only known from an import, and is not invited.")
        click.echo("\n".join(parts.sender.composer.what_stays(found.kept)))
        return
    if not found.is_asked:
        _nothing(key, mailbox_of(address))
    parts.sender.deliver()
    parts.sender.stop()
    if key in erasing.due(parts.clock.now()):
        erasing.finish(key, parts.clock.now(), parts.policy)
        vacuum.sweep_files(parts.clock.now(), asked=True)
        click.echo("Erased: this person is no longer on any list.")
    else:
        click.echo(
            "The email that says what is kept is waiting for the relay. The person is erased within an hour, "
            "whether or not it can be sent."
        )
    click.echo("\n".join(parts.sender.composer.what_stays(found.kept)))


def _nothing(key: bytes, mailbox: bytes | None) -> NoReturn:
    """Says what is known of somebody even so, if anything is."""
    parts = current_parts()
    with reading() as session:
        kept = after_erasure(session, key, parts.clock.now(), parts.policy, mailbox)
    stays = "\n".join(parts.sender.composer.what_stays(kept))
    known = f"There is no sign-up or subscription to erase.\n{stays}"
    raise click.ClickException(known if any(kept) else "Nothing is stored about this address.")


def _known(key: bytes) -> str:
    """What there is of somebody, for the question whether to go on; a line each."""
    audit.note(acts.act(key, asked=True))
    lists = current_parts().catalogue.lists
    with reading() as session:
        chapters = [row for row in subscriptions.of_key(session, key) if row.state is not State.ERASED]
        signed_up, invited = registrations.of_key(session, key), imports.lists_of(session, key)
    waiting = [row for row in signed_up if row.address and row.state is not SignedUp.CONFIRMED]
    said = [f"  {lists[row.list_id].name}: {row.state} since {clocks.words(row.ended_at or row.confirmed_at)}"
            for row in chapters]  # fmt: skip
    said += [f"  {lists[row.list_id].name}: signed up on {clocks.words(row.registered_at)}, not confirmed"
             for row in waiting]  # fmt: skip
    said += [f"  {lists[id_].name}: waits to be invited" for id_ in invited]
    return "\n".join(said)


@click.command("explain")
@click.argument("address", type=address_of)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@ready
def explain(address: Address, as_json: bool) -> None:
    """Explain in plain words what happened to ADDRESS, why it got no email, and what happens next."""
    audit.note(acts.act(key_of(address)))
    if as_json:
        told = as_data(key_of(address), mailbox_of(address)) | {"never_mailed": never_mailed(address)}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for line in [*story(key_of(address), mailbox_of(address)), *never_mailed(address)]:
        click.echo(line)


@suppressions.command("show")
@click.argument("address", type=address_of, required=False)
@as_json
@ready
def show(address: Address | None, *, as_json: bool) -> None:
    """Show what is suppressed for ADDRESS, or for everybody (by key: the addresses are not stored).

    Confirmation emails are stopped for the mailbox, however its address is spelled: with or without a +tag, and at
    Gmail with or without dots.
    """
    now = current_parts().clock.now()
    with reading() as session:
        found = (
            rows.active(session, key_of(address), now, mailbox_of(address))
            if address
            else rows.all_active(session, now)
        )
    audit.note(acts.act(key_of(address)) if address else acts.act().of(len(found)))
    lists = {id_: row.slug for id_, row in current_parts().catalogue.lists.items()} | {None: None}
    lines = [{"key": row.key.hex(), "scope": str(row.scope), "list": lists[row.list_id], "set_at": row.set_at,
              "until": row.until, "reason": row.reason} for row in found]  # fmt: skip
    columns = {"key": ("key", ""), "scope": ("scope", ""), "list": ("list", "all"), "set_at": ("set", ""),
               "until": ("until", "for good"), "reason": ("reason", "")}  # fmt: skip
    print_rows(lines, columns, as_json=as_json)


@suppressions.command("add")
@click.argument("address", type=address_of)
@click.option(
    "--scope", **SCOPE, required=True,
    help='confirmations: no confirmation emails (its old name "ask" works until 1.0). '
    "all: no email at all, and every subscription ends.",
)  # fmt: skip
@click.option("--reason", type=acts.reason, required=True, help="Why, in your own words, on one line.")
@acts.yes
@ready
def add(address: Address, scope: SuppressionScope, reason: str, yes: bool) -> None:
    """Suppress ADDRESS: send it no more confirmation emails, or no email at all."""
    parts, key = current_parts(), key_of(address)
    if scope is SuppressionScope.ALL and not yes:
        acts.ask(
            f"This ends every subscription of {address.mailed}, deletes its sign-ups that are not confirmed, "
            "and stops all email to it.",
            lambda: _known(key) or "So far it has neither sign-ups nor subscriptions.",
        )
    act = acts.act(key, reason=reason, scope=scope)
    ended = suppressing.suppress(key, scope, reason, act.at, parts.policy, ACTOR, act=act, mailbox=mailbox_of(address))
    click.echo(f"Suppressed ({scope}); {ended} subscription{'s' * (ended != 1)} ended.")


@suppressions.command("lift")
@click.argument("address", type=address_of)
@click.option("--scope", **SCOPE, help="Only this scope.")
@click.option("--reason", type=acts.reason, required=True, help="Why, in your own words, on one line.")
@ready
def lift(address: Address, scope: SuppressionScope | None, reason: str) -> None:
    """Lift the suppression of ADDRESS."""
    key, mailbox = key_of(address), mailbox_of(address)
    lifted = suppressing.lift(key, scope, mailbox=mailbox, act=acts.act(key, reason=reason, scope=scope))
    if not lifted:
        raise click.ClickException("This address has no such suppression: see `yestwice suppressions show ADDRESS`.")
    click.echo(f"{lifted} suppression{'s' * (lifted != 1)} lifted.")
