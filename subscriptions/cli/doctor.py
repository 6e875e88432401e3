"""The command that looks whether all is well around the service, and says how to mend what is not."""

import json
from typing import BinaryIO

import click
from flask import current_app

from subscriptions.cli import ready
from subscriptions.doctor import run
from subscriptions.doctor.checks import NAMED
from subscriptions.doctor.finding import Result
from subscriptions.inbound.own_mail import AT_MOST, NotOurs
from subscriptions.parts import current_parts

_SIGNS = {"ok": "✓", "hint": "!", "fault": "✗", "skipped": "–"}


@click.command("doctor")
@click.option(
    "--only", multiple=True, metavar="NAME", type=click.Choice(list(NAMED)), help="Only this check; repeatable."
)
@click.option(
    "--message", type=click.File("rb"), help="The source of an email of yours as it arrived; what it says is kept."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs: an array of objects.")
@ready
def doctor(only: tuple[str, ...], message: BinaryIO | None, *, as_json: bool) -> None:
    """Check DNS, relay, certificates, proxy, clock, secrets, disk, texts, deletions and backup.

    Each finding says what is wrong, how to mend it, and why it matters; the value to copy stands on a line of its own.
    The exit status is 1 if there is a fault (✗); hints (!) leave it at 0.
    """
    if message:
        try:
            run.take(current_parts(), message.read(AT_MOST))
        except NotOurs as error:
            raise click.ClickException(str(error)) from None
    results = run.run(current_app._get_current_object(), only)  # type: ignore[attr-defined]
    if not only:
        run.keep(results, current_parts().clock.now())
    told = [{"name": check.name, "title": check.title, "why": check.why, "state": one.state, "findings": _told(one)}
            for one in results for check in [one.check]]  # fmt: skip
    lines = (line for one in results for line in _lines(one))
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))
    if number := sum(one.state == "fault" for one in results):
        raise click.ClickException(f"{number} of {len(results)} checks found something to mend.")


def _told(result: Result) -> list[dict[str, str]]:
    return [{"name": one.name, "level": one.level, "says": one.says, "copy": one.copy} for one in result.findings or ()]


def _lines(result: Result) -> list[str]:
    head = f"{_SIGNS[result.state]} {result.check.title}"
    if result.findings is None:
        return [f"{head}: not checked (in try-out mode, or before an email is known that arrived)"]
    lines = [f"    {text}" for one in result.findings for text in (one.says, one.copy and f"    {one.copy}") if text]
    return [head, *lines, *([] if result.state == "ok" else [f"    Why: {result.check.why}"])]
