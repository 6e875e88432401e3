"""Letters that were not understood, on their way to a human's mailbox: each stays here until the relay has taken it."""

import logging
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from itertools import takewhile

from subscriptions.actions import arrived as acts
from subscriptions.mail.compiled_mails import Letter, sender_in
from subscriptions.mail.lines import OutMessage
from subscriptions.mail.smtp import GiveUp, Later, Pause
from subscriptions.parts import Parts
from subscriptions.settings import Settings
from subscriptions.store.models import LetterToRead

SAYS = "This email came to {address}, and Yestwice did not understand it. It is attached as it came.\n"
SAYS_CUT = "Only the beginning of it is attached: it had {size:,} bytes.\n"
log = logging.getLogger(__name__)


def forward(parts: Parts, alive: Callable[[], bool] = lambda: True) -> int:
    """Hand over what waits; how many the relay took. What it refuses for good is kept for the desk.

    `alive`: whether this run still has the job, or another process hands over the same.
    """
    ids, taken = [row.id for row in acts.letters(to_forward=True)], 0
    line = parts.sender.new_line()
    try:
        for letter in filter(None, map(acts.letter, takewhile(lambda _: alive(), ids))):
            try:
                line.send(_message(letter, parts.settings))
                taken += acts.settle(letter.id)
            except GiveUp as error:
                log.warning("a letter could not be forwarded; it is at the desk", extra={"error": type(error).__name__})
                acts.settle(letter.id, keep=True)
    except (Later, Pause) as error:
        log.warning("letters wait to be forwarded", extra={"error": type(error).__name__})
    finally:
        line.close()
    return taken


def _message(letter: LetterToRead, settings: Settings) -> OutMessage:
    """A mail of ours, with the letter in it: passed on as it is, it would fail SPF and DMARC."""
    sender, to = sender_in(settings.mail.sender), settings.inbound.forward
    octets, made = zlib.decompress(letter.octets), EmailMessage(policy=SMTP)
    made["From"], made["To"] = formataddr((sender.name, sender.address)), to
    subject = letter.subject.replace("=?", "= ?")  # else it is decoded once more, and a line of it is a field
    made["Subject"] = f"Not understood: {subject}"[:200]
    made["Date"] = format_datetime(letter.at)
    made["Message-ID"] = f"<{letter.sha256.hex()}@{sender.domain}>"  # the same, should it leave twice
    made["Auto-Submitted"] = "auto-generated"  # nobody answers it by machine, and we do not take it for a letter
    cut = SAYS_CUT.format(size=letter.size) if letter.size > len(octets) else ""
    made.set_content(SAYS.format(address=settings.inbound.address) + cut)
    made.add_attachment(octets, maintype="application", subtype="octet-stream", filename="letter.eml")
    by = sender_in(settings.mail.envelope_sender).address or sender.address
    return OutMessage("forwarded", by, Letter(b""), to, made.as_bytes())
