"""Commands for an attack: look at it, and clean up after it."""

import ipaddress
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click

from subscriptions import clock as clocks
from subscriptions import disposable
from subscriptions.actions import cancel as cancelling
from subscriptions.actions.cancel import Count, Network, Window
from subscriptions.cli import BUSY, acts, as_json, print_rows, ready, the_list, time
from subscriptions.cli.audit import details
from subscriptions.cli.menu import Group
from subscriptions.domain.breaker import MINUTE, sentence
from subscriptions.domain.lifecycle import PROTECTED
from subscriptions.parts import Parts, current_parts
from subscriptions.store import audit, traffic
from subscriptions.store.engine import Contention, Unavailable, reading, transaction
from subscriptions.store.models import Audit
from subscriptions.story import flood
from subscriptions.story.flood import Busy, Flood, Series

BAR = 40

group = Group("abuse", help="See a flood of sign-ups, and clean up after it.")


def cidr(text: str) -> Network:
    """The type of an option: an address or a network."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        said = f'"{text}" is not a network such as 203.0.113.0/24 or 2001:db8::/48: {error}.'
        raise click.BadParameter(said) from None


_COLUMNS = {name: (name, "") for name in ("kind", "name", "scope", "at", "until", "is_on", "count", "most_in_a_minute")}


@group.command("show")
@as_json
@ready
def show(*, as_json: bool) -> None:
    """Show what the breaker sees, the last hour's sign-ups minute by minute, and earlier clean-ups."""
    parts = current_parts()
    if as_json:
        with reading() as session:
            seen = flood.look(session, parts, parts.clock.now())
        print_rows(_as_rows(seen, parts.clock.now()), _COLUMNS, as_json=True)
        return
    for line in _report(parts):
        click.echo(line)


@group.command("cancel")
@click.option("--since", type=time, required=True, help="When it began: 2026-11-23T09:15:00Z, or 2h for two hours ago.")
@click.option("--until", type=time, help="When it ended. Otherwise: up to now.")
@click.option(
    "--network", "networks", type=cidr, multiple=True, help="Only from this network: 203.0.113.0/24. Repeatable."
)
@click.option("--list", "slug", help="Only this list.")
@acts.yes
@ready
def cancel(since: datetime, until: datetime | None, networks: tuple[Network, ...], slug: str | None, yes: bool) -> None:
    """Erase the unconfirmed sign-ups of a period, with any emails still waiting for them.

    For 30 days their addresses get no confirmation email, whoever signs them up, so that the attack cannot continue.
    If an owner writes to you, `yestwice suppressions lift ADDRESS` lets that address in at once. Confirmed sign-ups
    keep their subscriptions. `yestwice abuse show` lists each clean-up. Running this twice does no harm.
    """
    now = current_parts().clock.now()
    window = Window(since, until or now, networks, the_list(slug).id if slug else None)
    if window.until <= window.since:
        raise click.UsageError("--until must be later than --since.")
    found = cancelling.look(window)
    if not found.registrations:
        click.echo("That period has no unconfirmed sign-ups: nothing was changed.")
        return
    if not yes:
        when = f"from {clocks.text(window.since)} to {clocks.text(window.until)}"
        acts.ask(f"This erases {_counted(found)} {when}. The addresses get no confirmation email for 30 days.")
    done, hidden = Count(), not sys.stderr.isatty()
    with click.progressbar(length=found.registrations, label="Cancelling", file=sys.stderr, hidden=hidden) as bar:
        try:
            for count in cancelling.cancel(window, now, acts.account()):
                done.registrations += count.registrations
                done.addresses += count.addresses
                bar.update(count.registrations)
        except (Unavailable, Contention):
            said = f"{BUSY}. {_counted(done)} cancelled so far; another run cancels the rest."
            raise click.ClickException(said) from None
    until_when = clocks.words(now + PROTECTED)
    click.echo(f"{_counted(done)} cancelled. The addresses get no confirmation email until {until_when}.")


def _counted(count: Count) -> str:
    signs, addresses = count.registrations, count.addresses
    return f"{signs} sign-up{'s' * (signs != 1)} of {addresses} address{'es' * (addresses != 1)}"


@group.command("refresh")
@click.argument("file", type=click.File(encoding="utf-8"))
@ready
def refresh(file: TextIO) -> None:
    """Replace the list of throw-away mail domains with FILE: one domain on each line (- reads stdin).

    The list is kept in data_dir and used from the next start. Sign-ups from these domains are marked in the evidence,
    nothing more.
    """
    try:
        with transaction() as session:
            number = disposable.renew(Path(current_parts().settings.data_dir), file)
            audit.write(session, acts.act().of(number))
    except (disposable.BadList, UnicodeDecodeError) as error:
        raise click.UsageError(f"This is not a list of domains: {error}.") from None
    click.echo(f"{number} domain{'s' * (number != 1)} will be used from the next start.")


def _report(parts: Parts) -> Iterator[str]:
    now, thresholds = parts.clock.now(), parts.settings.thresholds
    if thresholds is None:
        yield 'The breaker is switched off: signups_per_network in [limits] is "".'
        return
    with reading() as session:
        seen = flood.look(session, parts, now)
    yield from _breaker(seen, now)
    yield from _chart(seen.minutes, now)
    usual = f"at most {thresholds.of_list} a minute are usual" if thresholds.of_list else "no limit"
    yield from _section(f"By list, last hour ({usual}):", map(_busy, seen.lists))
    title = f"Mail domains with more than {thresholds.of_domain} sign-ups in a minute, last hour:"
    yield from _section(title, map(_busy, seen.domains))
    yield from _section("Clean-ups, newest first:", map(_done, seen.clean_ups))


def _section(title: str, rows: Iterable[str]) -> Iterator[str]:
    lines = list(rows)
    if lines:
        yield from ("", title, *lines)


def _breaker(seen: Flood, now: datetime) -> Iterator[str]:
    on = [opening for _, opening in seen.openings if opening.is_on(now)]
    yield "The breaker is on: affected visitors must do a proof of work." if on else "The breaker is off."
    for name, opening in seen.openings:
        end = "on until" if opening.is_on(now) else "ended at"
        said = sentence(opening.excess, name)
        yield f"  {clocks.text(opening.since)}  {said}; {end} {clocks.text(opening.until)}"


def _chart(series: Series, now: datetime) -> Iterator[str]:
    yield ""
    if not series:
        yield "No sign-ups in the last hour."
        return
    yield "Sign-ups a minute, last hour (UTC):"
    first, most = min(series), max(series.values())
    for number in range(int((traffic.minute_of(now) - first) / MINUTE) + 1):
        at = first + number * MINUTE
        count = series.get(at, 0)
        yield f"  {at:%H:%M} {count:6}  {'#' * -(-count * BAR // most)}".rstrip()


def _busy(row: Busy) -> str:
    return f"  {row.total:8}  {row.name} (at most {row.most} in a minute)"


def _done(act: Audit) -> str:
    return f"  {clocks.text(act.at)}  {act.actor}: {act.act} ({details(act)})"


def _as_rows(seen: Flood, now: datetime) -> Iterator[dict[str, object]]:
    """The same for programs: each row says of which kind it is."""
    nothing = dict.fromkeys(_COLUMNS)
    for name, one in seen.openings:
        yield nothing | {"kind": "opening", "name": name, "scope": str(one.excess.scope), "count": one.excess.count,
                         "at": one.since, "until": one.until, "is_on": one.is_on(now)}  # fmt: skip
    for at, count in seen.minutes.items():
        yield nothing | {"kind": "minute", "at": at, "count": count}
    for kind, rows in (("list", seen.lists), ("domain", seen.domains)):
        yield from (nothing | {"kind": kind, "name": row.name, "count": row.total, "most_in_a_minute": row.most}
                    for row in rows)  # fmt: skip
    for act in seen.clean_ups:
        yield nothing | {"kind": "clean_up", "name": act.act, "at": act.at, "count": act.count}
