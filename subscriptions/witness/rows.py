"""Whether a row is what its leaf says, and whether what is gone was deleted as the log says."""

from typing import Any

from sqlalchemy.orm import Session

from subscriptions.domain import seal
from subscriptions.domain.evidence import OF_IPS
from subscriptions.domain.seal import canonical, fits
from subscriptions.store import chain, evidence_told
from subscriptions.store.chain import LeafRow, Logged
from subscriptions.store.evidence_told import Told


class Wrong(Exception):
    """The first thing that is wrong, in a sentence."""


class Rows:
    """Knows what the deletion log says: two octets for each leaf."""

    def __init__(self, session: Session) -> None:
        self._session, self._lists = session, chain.slugs(session)
        self._wordings: dict[object, object] = {}
        for id_, sha256, is_whole in chain.wordings(session):
            if not is_whole:
                raise Wrong(f"The wording {id_} was altered: its text has another hash.")
            self._wordings[id_] = sha256
        self._policies: set[object] = set()
        for id_, is_whole in chain.policies(session):
            if not is_whole:
                raise Wrong(f"The version {id_} of a privacy policy was altered: its text has another hash.")
            self._policies.add(id_)
        last = chain.last_leaf(session)
        self._gone, self._ips = bytearray(last + 1), bytearray(last + 1)
        for row in chain.removals(session):
            self._note(row, last)

    def _note(self, row: Logged, last: int) -> None:
        try:
            spans = seal.spans(row.leaves)
        except (ValueError, AttributeError):
            raise Wrong(f"Entry {row.id} of the deletion log was altered: it names no leaves.") from None
        noted = self._ips if row.cause in OF_IPS else self._gone
        for first, end in spans:
            if not 0 < first <= end <= last:
                raise Wrong(f"Entry {row.id} of the deletion log names leaves that are not there.")
            noted[first : end + 1] = b"\x01" * (end + 1 - first)

    def check(self, leaf: LeafRow) -> None:
        """Raises Wrong."""
        if leaf.removal_id is not None:
            self._check_logged(leaf)
        elif leaf.evidence is None:
            self._check_gone(leaf)
        else:
            self._check_there(leaf, leaf.evidence)

    def _check_logged(self, leaf: LeafRow) -> None:
        row = leaf.removal
        if row is None or leaf.evidence_id is not None:
            raise Wrong(f"Entry {leaf.removal_id} of the deletion log was removed (leaf {leaf.number}).")
        if not _fits(leaf.salt, leaf.payload, row.payload) or leaf.ip_salt is not None:
            raise Wrong(f"Entry {row.id} of the deletion log was altered (leaf {leaf.number}).")

    def _check_gone(self, leaf: LeafRow) -> None:
        if not self._gone[leaf.number]:
            raise Wrong(f"Row {leaf.evidence_id} of the evidence was removed (leaf {leaf.number}): "
                        "the deletion log has no such deletion.")  # fmt: skip
        if (leaf.evidence_id, leaf.salt, leaf.ip_salt) != (None, None, None):
            raise Wrong(f"Leaf {leaf.number} was altered: what it is about was deleted, and it says more than that.")

    def _check_there(self, leaf: LeafRow, row: Told) -> None:
        said = f"Row {row.id} of the evidence"
        if self._gone[leaf.number]:
            raise Wrong(f"{said} was inserted: it was deleted, as the deletion log says (leaf {leaf.number}).")
        payload = self._payload(row)
        if not _fits(leaf.salt, leaf.payload, payload):
            self._raise_swapped(leaf, row)
            raise Wrong(f"{said} or whom it is about was altered (leaf {leaf.number}).")
        self._check_ip(leaf, row, said)
        details = payload["details"]
        named = details.get("wording") if isinstance(details, dict) else None
        if named and self._wordings.get(named) != details.get("wording_sha256"):
            raise Wrong(f"The wording {named} was altered or removed: {said[0].lower()}{said[1:]} names another text.")
        policy = details.get("policy") if isinstance(details, dict) else None
        if policy and policy not in self._policies:
            raise Wrong(f"The version {policy} of a privacy policy was altered or removed: {said[0].lower()}{said[1:]} "
                        "names it.")  # fmt: skip

    def _check_ip(self, leaf: LeafRow, row: Told, said: str) -> None:
        ended, about = bool(self._ips[leaf.number]), f"(leaf {leaf.number})"
        if leaf.ip is None or ended:
            if row.ip or leaf.ip_salt is not None:
                raise Wrong(f"{said} was altered: it has got an IP address {about}.")
        elif not row.ip:
            raise Wrong(f"{said} was altered: its IP address was removed {about}; the deletion log says nothing of it.")
        elif leaf.ip_salt is None or not fits(bytes(leaf.ip_salt), str(row.ip).encode(), leaf.ip):
            raise Wrong(f"{said} was altered: it has another IP address {about}.")

    def _payload(self, row: Told) -> dict[str, Any]:
        try:
            return evidence_told.payload(row, self._lists)
        except (TypeError, AttributeError):  # a column of another type
            return {"details": None, "id": None}

    def _raise_swapped(self, leaf: LeafRow, row: Told) -> None:
        """Whether what was sealed here stands in another row now, or this row was given to another person."""
        whom, about = Told._fields[8:], leaf.number
        for other in chain.evidence(self._session):
            if _fits(leaf.salt, leaf.payload, self._payload(other._replace(id=row.id))):
                raise Wrong(f"Row {row.id} of the evidence was swapped with row {other.id} (leaf {leaf.number}).")
            of_another = row._replace(**{name: getattr(other, name) for name in whom})
            if _fits(leaf.salt, leaf.payload, self._payload(of_another)):
                raise Wrong(f"Row {row.id} of the evidence is about another person or sign-up now (leaf {about}).")


def _fits(salt: bytes | None, hash_: bytes, payload: dict[str, Any]) -> bool:
    try:
        return salt is not None and fits(bytes(salt), canonical(payload), hash_)
    except (TypeError, ValueError):  # what JSON cannot say
        return False
