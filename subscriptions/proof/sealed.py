"""What the seals say of the events of a proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from subscriptions.domain.seal import ranges
from subscriptions.domain.texts import marked
from subscriptions.proof import Case
from subscriptions.store.seals import inclusion


@dataclass(frozen=True, slots=True)
class Sealed:
    """`proofs`: of each sealed event, as `store.seals.inclusion` has it; `count`: of how many events."""

    proofs: dict[str, Any]
    count: int

    @property
    def is_any(self) -> bool:
        return bool(self.proofs["events"])

    @property
    def head(self) -> dict[str, Any]:
        """The newest seal, which all others lead to."""
        found: dict[str, Any] = self.proofs["seals"][0]
        return found

    @property
    def sealed_at(self) -> datetime:
        return datetime.fromisoformat(self.head["sealed_at"])

    @property
    def lines(self) -> Sequence[tuple[str, object]]:
        """What a reader may compare: labels and values."""
        if not self.is_any:
            return []
        events, roots = self.proofs["events"].values(), {one["block"]: one["root"] for one in self.proofs["seals"]}
        blocks = sorted({one["block"] for one in events})
        return [
            (marked("Leaf numbers"), ranges(one["leaf"] for one in events)),
            *((marked("Block and root"), f"{block}: {roots[block]}") for block in blocks),
            (marked("Head (newest block)"), f"{self.head['block']}: {self.head['hash']}"),
            (marked("Public key (Ed25519)"), self.proofs["public_key"]),
        ]


def sealed(session: Session, case: Case) -> Sealed:
    ids = [event.id for one in case.consents for event in one.events]
    return Sealed(inclusion(session, ids), len(ids))
