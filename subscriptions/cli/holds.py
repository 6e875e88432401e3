"""Commands for legal holds: place, show, lift."""

from datetime import UTC, date, datetime

import click

from subscriptions import clock as clocks
from subscriptions.actions import holds as holding
from subscriptions.actions.holds import Wanted
from subscriptions.cli import acts, address_of, as_json, key_of, print_rows, ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.domain.address import Address
from subscriptions.domain.evidence import Channel
from subscriptions.parts import current_parts
from subscriptions.store import audit, holds
from subscriptions.store.engine import reading

group = Group("hold", help="Legal holds: keep an address from being deleted while a dispute needs its data.")
why = click.option("--reason", type=acts.reason, required=True, help="Why, in your own words, on one line.")


def day(text: str) -> date:
    """The type of an option: a day."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise click.BadParameter(f'"{text}" is not a day: write it like 2027-03-01.') from None


@group.command("add")
@click.argument("address", type=address_of)
@why
@click.option("--review", type=day, required=True, help="The day on which you decide whether it goes on: 2027-03-01.")
@click.option("--list", "slug", help="Only this list. Otherwise everything of the address.")
@ready
def add(address: Address, reason: str, review: date, slug: str | None) -> None:
    """Hold ADDRESS: nothing of it is deleted or erased until the hold is lifted, and no email goes out because of it.

    It holds what is stored and what comes later, of exactly this address, also if nothing is stored yet. "This was not
    me", objections and requests for erasure still end every email at once: only the data stays.
    """
    key, row = key_of(address), the_list(slug) if slug else None
    act = acts.act(key, reason=reason, review=review.isoformat(), list=slug)
    since = holding.place(key, Wanted(row.id if row else None, reason, review), Channel.COMMAND, act)
    if since:
        raise click.ClickException(f"This has been on hold since {clocks.words(since)}: nothing was changed.")
    click.echo(f"On hold. The review is on {review}.")


@group.command("show")
@click.argument("address", type=address_of, required=False)
@as_json
@ready
def show(address: Address | None, *, as_json: bool) -> None:
    """Show the holds of ADDRESS, or all of them, the next review first."""
    key, now = key_of(address) if address else None, current_parts().clock.now()
    with reading() as session:
        found = holds.all_active(session, key)
    audit.note(acts.act(key) if key else acts.act().of(len(found)))
    lists = {id_: row.slug for id_, row in current_parts().catalogue.lists.items()} | {None: None}
    lines = [{"address": said, "key": row.key.hex(), "list": lists[row.list_id], "placed_at": row.placed_at,
              "by": row.placed_by, "review_on": row.review_on.isoformat(), "overdue": holds.is_overdue(row, now),
              "erasure_waits": row.erase_asked, "reason": row.reason} for row, said in found]  # fmt: skip
    columns = {"address": ("address", "not stored"), "key": ("key", ""), "list": ("list", "all"),
               "placed_at": ("since", ""), "by": ("by", ""), "review_on": ("review", ""), "overdue": ("overdue", "no"),
               "erasure_waits": ("erasure waits since", "-"), "reason": ("reason", "")}  # fmt: skip
    print_rows(lines, columns, as_json=as_json)


@group.command("lift")
@click.argument("address", type=address_of)
@why
@click.option("--list", "slug", help="Only the hold on this list. Otherwise every hold of the address.")
@ready
def lift(address: Address, reason: str, slug: str | None) -> None:
    """Lift the holds of ADDRESS. What was to be deleted meanwhile goes within an hour."""
    key, row = key_of(address), the_list(slug) if slug else None
    act = acts.act(key, reason=reason, list=slug)
    lifted = holding.lift(key, row.id if row else None, reason, Channel.COMMAND, act)
    if not lifted:
        raise click.ClickException("This address has no such hold: see `yestwice hold show`.")
    click.echo(f"{lifted} hold{'s' * (lifted != 1)} lifted. What is overdue is deleted within an hour.")
