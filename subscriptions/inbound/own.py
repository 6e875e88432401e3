"""A test mail of ours that has come back: what became of it on its way, for the doctor."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import own_mail
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.inbound.own_mail import NotOurs, OwnMail
from subscriptions.mail.compiled_mails import sender_in
from subscriptions.store.engine import reading


@dataclass(frozen=True, slots=True)
class Own:
    sort: ClassVar[str] = "own"
    mail: OwnMail

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        own_mail.note(session, self.mail)
        return Outcome.DONE


def own_of(arrived: Arrived, house: House) -> Own | None:
    """None where it is not the last test mail."""
    with reading() as session:
        if not own_mail.is_expected(session, arrived.octets):
            return None
    mail, rows = house.settings.mail, house.lists.values()
    ours = {sender_in(text).domain for text in (mail.sender, *(row.sender for row in rows if row.sender))}
    try:
        return Own(own_mail.read(arrived.octets, ours, house.settings.server.base_url, house.now))
    except NotOurs:
        return None
