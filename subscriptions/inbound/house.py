"""What the sorting of a message may know, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Protocol

from sqlalchemy.orm import Session

from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.policy import Policy
from subscriptions.inbound.message import Arrived
from subscriptions.links import Links
from subscriptions.settings import Settings
from subscriptions.store.models import List

if TYPE_CHECKING:
    from subscriptions.parts import Parts


@dataclass(frozen=True, slots=True)
class House:
    """`lists`: by number; `dkim_key`: the TXT record of a name, by DNS; none: no signature is checked here."""

    settings: Settings
    links: Links
    now: datetime
    lists: Mapping[int, List] = field(default_factory=dict)
    dkim_key: Callable[[str], bytes | None] | None = None

    @property
    def policy(self) -> Policy:
        return self.settings.policy


def house_of(parts: "Parts") -> House:
    return House(parts.settings, parts.links, parts.clock.now(), parts.catalogue.lists, parts.lookup.text)


class Sorted(Protocol):
    """What a message is. `act` runs within the transaction that remembers the message, so it begins none."""

    sort: ClassVar[str]  # as it is counted: one word

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Automatic:
    """An answer of a machine, a bulk mail: nobody meant us."""

    sort: ClassVar[str] = "automatic"

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        return Outcome.NOTHING


@dataclass(frozen=True, slots=True)
class Unclear:
    """For a human."""

    sort: ClassVar[str] = "unclear"

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        return Outcome.UNCLEAR
