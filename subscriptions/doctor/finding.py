"""What a check looks at, what it finds, and what comes of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from subscriptions.doctor.names import Names
from subscriptions.doctor.says import FAULTS, HINTS, SAYS
from subscriptions.domain.texts import Sentence
from subscriptions.inbound.own_mail import OwnMail
from subscriptions.parts import Parts


class Finding(NamedTuple):
    """`name`: its row in SAYS; `copy`: what mends it, as it is typed or published."""

    name: str
    copy: str
    values: Mapping[str, Any]

    @property
    def level(self) -> str:
        return "fault" if self.name in FAULTS else "hint" if self.name in HINTS else "note"

    @property
    def says(self) -> Sentence:
        return Sentence(SAYS[self.name], **self.values)


def found(name: str, copy: str = "", /, **values: Any) -> Finding:
    return Finding(name, copy, values)


class Asked(NamedTuple):
    """`arrived`: an email of ours at the other end, where one is known."""

    parts: Parts
    names: Names
    arrived: OwnMail | None


@dataclass(frozen=True, slots=True)
class Check:
    """`is_live`: only where email leaves; `of_arrived`: only once an email is known that arrived.

    `on_health`: that page tells it in a place of its own.
    """

    name: str
    title: str
    find: Callable[[Asked], Iterator[Finding]]
    why: str
    is_live: bool = False
    of_arrived: bool = False
    on_health: bool = False


class Result(NamedTuple):
    """`findings`: none, it was skipped."""

    check: Check
    findings: list[Finding] | None

    @property
    def state(self) -> str:
        """`ok`, `hint`, `fault` or `skipped`."""
        levels = {one.level for one in self.findings or ()}
        worst = next((level for level in ("fault", "hint") if level in levels), "ok")
        return worst if self.findings is not None else "skipped"
