"""`yestwice mail receive`: joins no more of the program than one message takes, since each one starts it anew."""

import os
import sys
from datetime import timedelta
from functools import partial

import click
from flask import Flask

from subscriptions import fits, keys, logs, store
from subscriptions.actions.arrived import Full
from subscriptions.clock import Clock
from subscriptions.inbound.house import House
from subscriptions.inbound.letters import receive
from subscriptions.settings import BadSettings, Settings
from subscriptions.settings.file import load
from subscriptions.store import lists, migrate, mode
from subscriptions.store.engine import Contention, Unavailable, transaction

NO_ADDRESS = "address in [inbound] is empty: say to which address the mail is sent that is to be received."
NO_SCHEMA = "The database is not that of this version of the program: start the service, which brings it up to date."
BUSY = "The database is busy or does not answer: nothing was taken."


@click.command("receive")
@click.option("--from", "sender", default=partial(os.environ.get, "SENDER"), help="Who sent it, by the envelope.")
@click.option("--to", "recipient", default=partial(os.environ.get, "RECIPIENT"), help="To whom, with its token.")
def receive_mail(sender: str | None, recipient: str | None) -> None:
    """Take one email from stdin, as the pipe of a mail server. Exit status 0: done or kept; 75: try again later."""
    logs.setup(sys.stderr)
    try:
        settings = load()
        if not settings.inbound.address:
            raise BadSettings(NO_ADDRESS)
        app = Flask("subscriptions")  # by which Flask-SQLAlchemy knows the engine
        store.init_app(app, settings)
        with app.app_context():
            receive(sys.stdin.buffer, _house(settings), sender, recipient)
    except BadSettings as error:
        raise click.ClickException(str(error)) from None
    except Full as error:
        raise click.ClickException(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    except (Unavailable, Contention):
        raise click.ClickException(BUSY) from None


def _house(settings: Settings) -> House:
    """Of a database that fits; the schema is not brought up to date here, beside a service that runs."""
    if migrate.current() != migrate.HEAD:
        raise BadSettings(NO_SCHEMA)
    clock = Clock()
    with transaction() as session:
        fits.check(session, settings, clock.now())
        if settings.mail.transport == "mailbox":
            clock.ahead = timedelta(seconds=mode.clock_ahead(session))

    def key(name: str) -> bytes | None:
        from subscriptions.lookup import Lookup  # here: few messages need it

        return Lookup(settings.abuse.nameservers, clock).text(name)

    return House(settings, keys.links(settings, clock), clock.now(), lists.read_catalogue().lists, key)
