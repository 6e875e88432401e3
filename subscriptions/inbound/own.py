"""A test mail of ours that has come back: what became of it on its way, for the doctor."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from subscriptions.domain.address import named, wire_form
from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import own_mail
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.inbound.own_mail import NotOurs, OwnMail
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
    senders = mail.sender, *(row.sender for row in rows if row.sender)
    ours = {wire_form(named(text)[1]).rpartition("@")[2] for text in senders}
    try:
        return Own(own_mail.read(arrived.octets, ours, house.settings.server.base_url, house.now))
    except NotOurs:
        return None
