"""A mail that is owed, as a sentence: why it waits, and until when."""

from datetime import datetime

from subscriptions.domain.mail_kinds import noun
from subscriptions.domain.refusals import Refusal
from subscriptions.domain.texts import marked
from subscriptions.mail.aside import EVERYBODY
from subscriptions.parts import current_parts
from subscriptions.store import outbox
from subscriptions.store.models import Owed
from subscriptions.story.said import Rates, Said


def waiting(owed: Owed, now: datetime) -> Said:
    values: dict[str, object] = {"mail": Said(noun(owed.mail)), "note": owed.note, "tries": owed.tries}
    if owed.refusal is Refusal.NOTED:
        text = marked(
            '%(time)s: the %(mail)s was given up; the mail server said "%(note)s". It is tried again only if '
            "the mail server turns out, within the hour, to refuse every email."
        )
        return Said(text, values | {"time": owed.refused_at or now})
    if owed.refusal is Refusal.ASIDE and owed.drop_at > now:
        text = marked(
            'The %(mail)s is set aside because the mail server refuses every email; it said "%(note)s". It is sent '
            "when the mail server takes emails again, and only then counts as an email that the address got."
        )
        return Said(text, values)
    values |= {"why": _why(owed.note) if owed.note else "", "time": owed.due_at}
    if owed.drop_at <= now:
        said = Said(marked(" %(why)s (attempt %(tries)s), and"), values) if owed.note else ""
        return Said(marked("The %(mail)s will not be sent:%(said)s its time is over."), values | {"said": said})
    if owed.note:
        return Said(marked("The %(mail)s is waiting: %(why)s (attempt %(tries)s); next attempt on %(time)s."), values)
    if owed.due_at > now:
        text = marked("The %(mail)s is waiting until %(time)s, because we send an address at most %(rates)s.")
        return Said(text, values | {"rates": Rates(current_parts().policy.mails)})
    return Said(marked("The %(mail)s is about to be sent."), values)


def _why(note: str) -> object:
    if note.startswith(EVERYBODY):
        return Said(marked("the mail server refuses every email"))
    if note.startswith(outbox.NOT_WRITTEN):
        return Said(marked("it cannot be written (%(error)s)"), {"error": note.rpartition(": ")[2]})
    return Said(marked('the mail server said "%(note)s"'), {"note": note})
