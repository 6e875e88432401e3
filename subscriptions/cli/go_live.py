"""The command by which a database that things were tried out in becomes that of a live service."""

import sys
from collections.abc import Mapping
from dataclasses import replace

import click
from flask import current_app
from flask.cli import with_appcontext

from subscriptions import fits, logs, start
from subscriptions.actions import go_live as clearing
from subscriptions.cli import BUSY, acts
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings
from subscriptions.store import mode, vacuum
from subscriptions.store.engine import Contention, Unavailable, reading, transaction
from subscriptions.store.migrate import SchemaTooNew
from subscriptions.store.mode import Mode

RUNS = "The service is still running in try-out mode: stop it first. Nothing was changed."
DONE = 'This database is now live. Set transport = "smtp" in [mail] and start the service: it then sends real email.'


@click.command("go-live")
@acts.yes
@with_appcontext
def go_live(yes: bool) -> None:
    """Leave try-out mode: remove made-up people, emails and evidence; keep lists, wordings and tokens."""
    logs.setup(sys.stderr)
    try:
        start.prepare(current_app._get_current_object(), any_mode=True)  # type: ignore[attr-defined]
        with fits.nobody_tries_out(current_parts().settings) as nobody:
            if not nobody:
                raise click.ClickException(RUNS)
            click.echo(_go_live(yes))
    except (BadSettings, SchemaTooNew) as error:
        raise click.ClickException(str(error)) from None
    except (Unavailable, Contention):
        raise click.ClickException(f"{BUSY}: nothing was changed. Please try again.") from None


def _go_live(yes: bool) -> str:
    with reading() as session:
        noted, counts = mode.noted(session) or mode.found(session), mode.counts(session)
    if noted is not None and noted.is_live:
        with transaction() as session:
            mode.note(session, Mode.LIVE)
        return "This database is already live: nothing was removed."
    if not yes:
        acts.ask(
            f"This removes for good what was created in try-out mode: {_said(counts)}. It also sets the clock back to "
            "real time. Lists, wordings and tokens stay."
        )
    clock = current_parts().clock
    clearing.clear(replace(acts.act(), at=clock.real_now()), is_live=True)
    vacuum.sweep_files(clock.real_now(), asked=True)
    return f"Removed: {_said(counts)}.\n{DONE}"


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())
