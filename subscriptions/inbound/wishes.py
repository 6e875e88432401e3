"""Wishes: by our token, whoever sends it; or by the words of somebody who is who they say they are."""

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote

from sqlalchemy.orm import Session

from subscriptions.actions import by_mail
from subscriptions.actions.by_mail import Message
from subscriptions.domain.address import parsed
from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.wishes import Wanted, own_words, wanted
from subscriptions.inbound.aligned import is_aligned
from subscriptions.inbound.house import House
from subscriptions.inbound.message import Arrived
from subscriptions.links import BadLink, Leave, Links, NotMe
from subscriptions.links.by_mail import LEAVE_BY_MAIL, tag_in

_LONGEST_WORDS, _LONGEST_ID = 500, 250
# as it stands in our mailto; some programs add a "Re:", break a long line within the token, or encode it once more
_TOKEN = re.compile(r"(unsubscribe|not-me)[\s:+=]*([\w-][\w.\s-]{60,200})", re.I | re.A)
_SHAPE = re.compile(r"[\w-]{27,70}\.[\w-]{43}", re.A)
_WORDS_ALONE = "text", "multipart"
_ID = re.compile(r"<[!-;=?-~]{1,248}>")


@dataclass(frozen=True, slots=True)
class Wish:
    """`token`: ours, which says whose wish it is; `is_aligned`: without one, whether its author is who From says."""

    sort: ClassVar[str] = "wish"
    wanted: Wanted | None
    token: Leave | NotMe | None = None
    is_aligned: bool = False

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        message = Message(arrived.sha256, self._why, _answers(arrived), house.now, house.policy, arrived.sent_at)
        if isinstance(self.token, NotMe):
            by_mail.disown(session, self.token, message)
            return Outcome.DONE
        if self.token:
            return self._end(session, self.token.key, self.token.list_id or None, message, arrived, house)
        author = parsed(arrived.authors[0])
        if author is None:
            return Outcome.UNCLEAR
        key, mailbox = house.links.key(author.folded), house.links.mailbox_key(author.folded)
        if self.is_aligned and self.wanted is not Wanted.UNSAID:
            lists, tags = _lists_in(arrived, house)
            if tags and not lists:  # about one, and only a human may find out which
                return Outcome.UNCLEAR
            done = self._end(session, key, next(iter(lists), None), message, arrived, house)
        else:
            done = Outcome.ASKED if by_mail.ask(session, key, mailbox, message) else Outcome.NOTHING
        # many write from another address than the one that is subscribed: only a human can find that one
        said = done is Outcome.NOTHING and self.wanted is not Wanted.UNSAID
        is_lost = said and not by_mail.is_known(session, key, to_erase=self.wanted is Wanted.ERASE)
        return Outcome.UNCLEAR if is_lost else done

    @property
    def _why(self) -> str:
        return "an email with the link of one of ours" if self.token else "an email from the address, which was checked"

    def _end(
        self, session: Session, key: bytes, list_id: int | None, message: Message, arrived: Arrived, house: House
    ) -> Outcome:
        done = [by_mail.end(session, key, list_id, message)]
        if self.wanted is Wanted.ERASE:
            words = (own_words(arrived.words) or arrived.subject)[:_LONGEST_WORDS]
            done.append(by_mail.request_erasure(session, key, words, message, house.links, house.lists))
        if None in done:
            return Outcome.UNCLEAR
        return Outcome.DONE if any(done) else Outcome.NOTHING


def wish_of(arrived: Arrived, house: House) -> Wish | None:
    """None where it is for a human; what is automatic is a wish by our token alone."""
    said = wanted(arrived.subject, arrived.words)
    if token := _token_in(arrived, house):
        return Wish(said, token)
    if said is None or arrived.is_automatic or len(arrived.authors) != 1:
        return None
    if said is Wanted.UNSAID and not all(
        part.get_content_maintype() in _WORDS_ALONE for part in arrived.message.walk()
    ):
        return None  # what they say may be in a file, such as a letter that was scanned
    return Wish(said, is_aligned=is_aligned(arrived, house))


def _token_in(arrived: Arrived, house: House) -> Leave | NotMe | None:
    for text in {arrived.subject, unquote(unquote(arrived.subject))}:
        if found := _TOKEN.search(text):
            shape = _SHAPE.match(re.sub(r"\s", "", found[2]))
            if shape and (token := _read(house.links, found[1].lower(), shape[0])):
                return token
    ours = house.settings.inbound.address
    for address in (arrived.envelope_to or "", *arrived.recipients):
        if tag := tag_in(address, ours):
            try:
                key, list_id = house.links.by_mail.read(LEAVE_BY_MAIL, tag)
            except BadLink:
                continue
            return Leave(list_id, key)
    return None


def _lists_in(arrived: Arrived, house: House) -> tuple[list[int], set[str]]:
    """Which list they wrote to, as its slug behind the + of our address says; and all that stands there."""
    ours = house.settings.inbound.address
    tags = {tag for address in arrived.recipients if (tag := tag_in(address, ours))}
    return [row.id for row in house.lists.values() if row.slug in tags], tags


def _read(links: Links, word: str, token: str) -> Leave | NotMe | None:
    try:
        return links.read_leave(token) if word == "unsubscribe" else links.read_not_me(token)
    except BadLink:
        return None


def _answers(arrived: Arrived) -> str | None:
    """What an answer names; None: nobody waits for one. A message without an id of its own gets one of its hash."""
    if arrived.is_automatic:
        return None
    named = arrived.message_id or ""
    return named if _ID.fullmatch(named) else f"<{arrived.sha256.hex()[:32]}@message-id.invalid>"
