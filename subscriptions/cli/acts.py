"""What a command leaves in the audit, and what it asks before what cannot be undone."""

import os
import pwd
import sys
from collections.abc import Callable
from os import getuid

import click

from subscriptions.domain import reasons
from subscriptions.parts import current_parts
from subscriptions.store.audit import Act
from subscriptions.store.models import ActorKind

LONGEST = 64


def act(about: bytes | None = None, *, reason: str | None = None, **details: object) -> Act:
    """This command, given by whoever gives it: about one address, or about as many as `of` says."""
    now, told = current_parts().clock.now(), {name: value for name, value in details.items() if value is not None}
    return Act(now, ActorKind.COMMAND, account(), _name(), about, reason=reason, details=told)


def _name() -> str:
    """Of the command, with those of its groups."""
    names, context = [], click.get_current_context()
    while context.parent is not None:
        names.append(context.info_name or "")
        context = context.parent
    return " ".join(reversed(names))


def account() -> str:
    """The account of the system that gives this command; then for whom, as sudo says, which it could forge."""
    uid, behind = getuid(), os.environ.get("SUDO_USER")
    try:
        named = pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container it may have no name
        named = f"uid {uid}"
    said = f"{named} for {behind}" if behind and behind != named else named
    return "".join(filter(str.isprintable, said))[:LONGEST]


def line(text: str, at_most: int = LONGEST) -> str:
    """The type of what the audit keeps as it was typed: one short line that holds no address."""
    try:
        return reasons.one_line(text, at_most)
    except reasons.BadReason as error:
        raise click.BadParameter(str(error)) from None


def reason(text: str) -> str:
    """The type of `--reason`."""
    return line(text, reasons.LONGEST)


def ask(said: str, look: Callable[[], str] = str) -> None:
    """Before what cannot be undone: show whom and what it concerns, and go on only if a person says so.

    `look`: more about it that has to be read first, which is done only where somebody is there to be asked.
    """
    click.echo(said, err=True)
    if not sys.stdin.isatty():
        raise click.UsageError("Nothing was changed: there is no terminal to ask at. Add --yes to go ahead.")
    if more := look():
        click.echo(more, err=True)
    click.confirm("Continue?", abort=True, err=True)


yes = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
