"""The commands and their options; what they run is imported when one of them does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

MANY = click.IntRange(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Common:
    """What every benchmark is told."""

    database: str | None
    postgres: bool
    against: str | None
    rounds: int | None
    as_json: bool
    relay_delay: int
    connections: int | None
    workers: int


@click.group(help="Measure how fast this machine accepts sign-ups, exports a list and sends emails.")
def group() -> None:
    pass


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """The options of all of them; the command gets them as one value."""

    def run(**given: Any) -> None:
        mine = {name: given.pop(name) for name in Common.__dataclass_fields__}
        if mine["database"] and mine["postgres"]:
            raise click.UsageError("--database and --postgres exclude each other.")
        command(Common(**mine), **given)

    run.__doc__, run.__name__ = command.__doc__, command.__name__
    run.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(_OPTIONS):
        option(run)
    return run


_OPTIONS = [
    click.option(
        "--database", metavar="URL", help="An empty database, left empty. Otherwise: SQLite in a temporary folder."
    ),
    click.option("--postgres", is_flag=True, help="A temporary PostgreSQL, on disk."),
    click.option("--against", metavar="COMMIT", help="Alternate with that version, and print ratios."),
    click.option("--rounds", type=click.IntRange(1, 99), help="How often. Default: 3 with --against, otherwise 1."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs."),
    click.option("--relay-delay", type=click.IntRange(0, 10_000), default=0, help="Milliseconds for each email."),
    click.option(
        "--connections", type=click.IntRange(1, 100), help="Connections to the relay. Default: as configured."
    ),
    click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes."),
]


@group.command()
@_common
@click.option("--requests", "number", type=MANY, help="Sign-ups. Default: 5000, or 15 seconds of --rate.")
@click.option("--concurrency", type=click.IntRange(1, 512), default=32, show_default=True)
@click.option("--rate", type=click.IntRange(1, 10_000), help="Sign-ups a second. Otherwise: as fast as possible.")
@click.option("--form", type=click.IntRange(0, 100), is_flag=False, flag_value=50, default=0, metavar="[PERCENT]",
              help="Percentage sent by the form, the others by JSON. Without a number: half.")  # fmt: skip
def signup(common: Common, number: int | None, concurrency: int, rate: int | None, form: int) -> None:
    """Measure sign-ups a second over HTTP, with their emails delivered, and what this machine could do at best."""
    from bench import rounds, signup

    number = number or (15 * rate if rate else 5000)
    asked = signup.Asked(number, concurrency, rate, form, floor=not common.against and not rate)
    rounds.run(common, "sign-up", lambda place: signup.measure(place, asked))


@group.command()
@_common
@click.option("--rows", type=MANY, default=200_000, show_default=True)
@click.option("--format", "kind", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option(
    "--beside", type=click.IntRange(1, 1000), help="Also make this many sign-ups a second, with and without exports."
)
@click.option(
    "--seconds", type=click.IntRange(1, 600), default=10, show_default=True, help="How long to measure with --beside."
)
def export(common: Common, rows: int, kind: str, beside: int | None, seconds: int) -> None:
    """Measure subscriptions exported a second over HTTP, and how that slows sign-ups meanwhile."""
    from bench import export, rounds

    rounds.run(common, "thousand rows", lambda place: export.measure(place, rows, kind, beside, seconds))


@group.command()
@_common
@click.option("--mails", "number", type=MANY, default=5000, show_default=True)
def mail(common: Common, number: int) -> None:
    """Measure emails sent a second while nobody signs up, and what each part of an email costs."""
    from bench import mail, rounds

    rounds.run(common, "mail", lambda place: mail.measure(place, number))
