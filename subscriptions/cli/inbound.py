"""Commands for the mail that comes: taken from a pipe, or looked for in the mailbox."""

import click

from subscriptions.cli import mails, ready
from subscriptions.inbound import poll
from subscriptions.inbound.imap import NoMailbox
from subscriptions.parts import current_parts
from subscriptions.pipe import receive_mail

group = mails.mail
group.add_command(receive_mail)

NO_HOST = "imap_host in [inbound] is empty: there is no mailbox to look at."


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
