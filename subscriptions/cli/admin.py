"""Commands for lists, tokens, exports and the schema."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask.cli import with_appcontext

from subscriptions import logs, start
from subscriptions.actions import Refused, tokens
from subscriptions.cli import acts, as_json, print_rows, ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.domain.policy import TokenScope
from subscriptions.export import stream
from subscriptions.parts import current_parts
from subscriptions.store import migrate, subscriptions
from subscriptions.store import tokens as token_rows
from subscriptions.store.engine import Unavailable, reading

STATES = ("pending", "blocked", "confirmed", "unsubscribed", "bounced")

lists = Group("lists", help="Show, make and change lists.")
tokens_group = Group("tokens", help="Create, show and revoke API tokens.")


@lists.command("show")
@as_json
@ready
def show_lists(*, as_json: bool) -> None:
    """Show each list and how many people are in each state."""
    with reading() as session:
        counts = subscriptions.counts(session, current_parts().clock.now())
    rows: list[dict[str, object]] = []
    for row in current_parts().catalogue.lists.values():
        is_open = row.position is not None
        told = {"list": row.slug, "name": row.name, "is_configured": is_open, **counts[row.id]}
        rows.append(told if is_open or as_json else told | {"name": f"{row.name} (no longer configured)"})
    more = {"is_configured": ("", "")} if as_json else {}
    print_rows(rows, {name: (name, "") for name in ("list", "name", *STATES)} | more, as_json=as_json)


@tokens_group.command("create")
@click.argument("name", type=acts.line)
@click.option("--scope", type=click.Choice([*map(str, TokenScope)]), required=True, help="What the token allows.")
@ready
def create_token(name: str, scope: str) -> None:
    """Create an API token. It is shown once, alone on the last line."""
    now, act = current_parts().clock.now(), acts.act(token=name, scope=scope)
    secret = tokens.create(name, TokenScope(scope), now, act)
    click.echo("Keep this token safe: it is not shown again, and only its hash is stored.", err=True)
    click.echo(secret)


@tokens_group.command("show")
@as_json
@ready
def show_tokens(*, as_json: bool) -> None:
    """Show the tokens by name: what each allows, and when it was created, last used and revoked."""
    with reading() as session:
        rows = [{name: getattr(token, name) for name in _OF_TOKENS} for token in token_rows.all_of(session)]
    print_rows(rows, _OF_TOKENS, as_json=as_json)


_OF_TOKENS = {"name": ("name", ""), "scope": ("scope", ""), "made_at": ("created", ""),
              "used_at": ("last used", "never"), "revoked_at": ("revoked", "-")}  # fmt: skip


@tokens_group.command("revoke")
@click.argument("name")
@ready
def revoke_token(name: str) -> None:
    """Revoke a token. It stops working at once."""
    try:
        tokens.revoke(name, current_parts().clock.now(), acts.act(token=name))
    except Refused as error:
        raise click.ClickException(f"{str(error)[:-1]}: see `yestwice tokens show`.") from None
    click.echo(f"{name} has been revoked.")


@click.command("export")
@click.argument("list_", metavar="LIST")
@click.option("--format", "kind", type=click.Choice([*stream.EVERY]), default="csv", show_default=True)
@click.option(
    "--dialect", type=click.Choice(stream.DIALECTS),
    help="For CSV. excel adds a BOM, and uses ; where the list's locale does.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of stdout."
)
@ready
def export(list_: str, kind: str, dialect: str | None, output: Path | None) -> None:
    """Export the confirmed subscriptions of LIST, each with its own unsubscribe URL."""
    if dialect and kind != "csv":
        raise click.BadParameter("This only goes with --format csv.", param_hint="--dialect")
    row, now, dialect = the_list(list_), current_parts().clock.now(), dialect or stream.DIALECTS[0]
    total = stream.account(row, acts.act(list=row.slug, format=kind))
    hidden = not sys.stderr.isatty() or (output is None and sys.stdout.isatty())
    bar = click.progressbar(length=total, label=f"Exporting {row.slug}", file=sys.stderr, hidden=hidden)
    try:
        target: Any = nullcontext(sys.stdout.buffer) if output is None else _private(output)
        with bar, target as file:
            for chunk in stream.export(row, kind, current_parts().links, now, bar.update, dialect=dialect):
                file.write(chunk)
    except OSError as error:
        raise click.ClickException(f"The export could not be written: {error.strerror}.") from None
    missing = stream.left_out(row, now) if kind == "csv" else 0
    if missing:
        people = "1 subscription is" if missing == 1 else f"{missing} subscriptions are"
        click.echo(f"{people} left out: a spreadsheet could run the address. --format jsonl has everybody.", err=True)


def _private(path: Path) -> BinaryIO:
    """A new file is for its user alone, since it holds addresses; one that is there keeps the rights that it has."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


@click.command("migrate")
@with_appcontext
def migrate_command() -> None:
    """Bring the database schema up to date. The server does this when it starts."""
    logs.setup(sys.stderr)
    try:
        done = migrate.upgrade()
    except migrate.SchemaTooNew as error:
        raise click.ClickException(str(error)) from None
    except Unavailable as error:
        raise click.ClickException(start.sentence(error)) from None
    click.echo(f"The schema is now at {migrate.HEAD}." if done else f"The schema was up to date ({migrate.HEAD}).")
