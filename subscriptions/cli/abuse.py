"""Commands for an attack: look at it, and clean up after it."""

import getpass
import ipaddress
import os
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click
from flask.cli import AppGroup

from subscriptions import clock as clocks
from subscriptions import disposable
from subscriptions.actions import cancel as cancelling
from subscriptions.actions.cancel import Count, Network, Window
from subscriptions.cli import MOMENT, ready, the_list
from subscriptions.cli.traffic import report
from subscriptions.domain.lifecycle import PROTECTED
from subscriptions.parts import current_parts

group = AppGroup("abuse", help="Floods of sign-ups: what the breaker sees, and how to clean up after one.")


class Cidr(click.ParamType[Network]):
    """An address or a network."""

    name = "cidr"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Network:
        try:
            return ipaddress.ip_network(value)
        except ValueError as error:
            self.fail(f'"{value}" is no network such as 203.0.113.0/24 or 2001:db8::/48: {error}.', param, context)


@group.command("show")
@ready
def show() -> None:
    """What the breaker sees, the sign-ups of the last hour minute by minute, and what was done before."""
    for line in report(current_parts()):
        click.echo(line)


@group.command("cancel")
@click.option("--since", type=MOMENT, required=True, help="Its beginning: 2026-11-23T09:15:00Z, or 2h: 2 hours ago.")
@click.option("--until", type=MOMENT, help="When it had ended; otherwise up to now.")
@click.option("--network", "networks", type=Cidr(), multiple=True, help="Only from there: 203.0.113.0/24. Repeatable.")
@click.option("--list", "slug", help="Only one list.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@ready
def cancel(since: datetime, until: datetime | None, networks: tuple[Network, ...], slug: str | None, yes: bool) -> None:
    """Erase the sign-ups of a time that were not confirmed, with the mails that wait for them.

    Their addresses are sent no confirmation mail for 30 days, whoever signs them up, so that the attack cannot go on;
    their owners can still write to you, and `flask suppressions lift ADDRESS` lets one in at once. Who has confirmed
    keeps the subscription. What was done is noted, and shown by `flask abuse show`. Again: finds nothing more to do.
    """
    now = current_parts().clock.now()
    window = Window(since, until or now, networks, the_list(slug).id if slug else None)
    if window.until <= window.since:
        raise click.UsageError("--until is not after --since.")
    found = cancelling.look(window)
    if not found.registrations:
        click.echo("No sign-up of that time waits; nothing was changed.")
        return
    if not yes:
        _ask(found, window)
    done = _run(window, now, found)
    until_when = clocks.words(now + PROTECTED)
    click.echo(f"{_counted(done)} cancelled; the addresses are not asked to confirm until {until_when}.")


def _ask(found: Count, window: Window) -> None:
    click.echo(
        f"{_counted(found)} from {clocks.text(window.since)} to {clocks.text(window.until)} would be erased, "
        "and the addresses not asked to confirm for 30 days.",
        err=True,
    )
    if not sys.stdin.isatty():
        raise click.UsageError("This is no terminal to ask at: say --yes to go on.")
    click.confirm("Go on?", abort=True, err=True)


def _run(window: Window, now: datetime, found: Count) -> Count:
    bar: Any = nullcontext()
    if sys.stderr.isatty():
        bar = click.progressbar(length=found.registrations, label="Cancelling", file=sys.stderr)
    done = Count()
    with bar as shown:
        for count in cancelling.cancel(window, now, _who()):
            done.registrations += count.registrations
            done.addresses += count.addresses
            if shown:
                shown.update(count.registrations)
    return done


def _counted(count: Count) -> str:
    signs, addresses = count.registrations, count.addresses
    return f"{signs} sign-up{'s' * (signs != 1)} of {addresses} address{'es' * (addresses != 1)}"


def _who() -> str:
    """Who gave this command, for the audit: the name of the account, also behind sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "command"


@group.command("refresh")
@click.argument("file", type=click.File(encoding="utf-8"))
@ready
def refresh(file: TextIO) -> None:
    """Take another list of domains for throw-away addresses from FILE, one domain a line (-: from stdin).

    It is kept in data_dir and used from the next start on. Such a domain is a flag in the evidence, nothing more.
    """
    try:
        number = disposable.renew(Path(current_parts().settings.data_dir), file)
    except (disposable.BadList, UnicodeDecodeError) as error:
        raise click.UsageError(f"That is no list of domains: {error}.") from None
    click.echo(f"{number} domain{'s' * (number != 1)}, from the next start on.")


COMMANDS = [group]
