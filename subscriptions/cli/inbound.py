"""Commands for the mail that comes: taken from a pipe, or looked for in the mailbox."""

import os
import sys
from functools import partial

import click

from subscriptions.actions.arrived import Full
from subscriptions.cli import mails, ready
from subscriptions.inbound import poll
from subscriptions.inbound.house import house_of
from subscriptions.inbound.imap import NoMailbox
from subscriptions.inbound.letters import receive
from subscriptions.parts import current_parts

group = mails.mail

NO_ADDRESS = "address in [inbound] is empty: say to which address the mail is sent that is to be received."
NO_HOST = "imap_host in [inbound] is empty: there is no mailbox to look at."


@group.command("receive")
@click.option("--from", "sender", default=partial(os.environ.get, "SENDER"), help="Who sent it, by the envelope.")
@click.option("--to", "recipient", default=partial(os.environ.get, "RECIPIENT"), help="To whom, with its token.")
@ready
def receive_mail(sender: str | None, recipient: str | None) -> None:
    """Take one email from stdin, as the pipe of a mail server. Exit status 0: done or kept; 75: try again later."""
    parts = current_parts()
    if not parts.settings.inbound.address:
        raise click.ClickException(NO_ADDRESS)
    try:
        receive(sys.stdin.buffer, house_of(parts), sender, recipient)
    except Full as error:
        raise click.ClickException(f"{str(error)[0].upper()}{str(error)[1:]}.") from None


@group.command("poll")
@ready
def poll_mail() -> None:
    """Look at the mailbox now, and say what became of what is new."""
    parts = current_parts()
    if not parts.settings.inbound.imap_host:
        raise click.ClickException(NO_HOST)
    try:
        done = poll.poll(parts, asked=True)
    except NoMailbox as error:
        raise click.ClickException(f"The mailbox cannot be read: {error}.") from None
    said = ", ".join(f"{outcome} {number}" for outcome, number in sorted(done.items()))
    click.echo(f"{done.total()} new messages{': ' if said else ''}{said}")
