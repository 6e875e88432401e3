"""The text for a privacy policy that somebody has copied: remembered by its hash, to tell when it would be another."""

from subscriptions.store import audit, meta
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction

_COPIED = "copied"  # rows of `meta`, by list and language


@repeated
def note_copied(list_id: int, tag: str, digest: str, act: Act) -> None:
    with transaction() as session:
        meta.put(session, f"{_COPIED} {list_id} {tag}", digest)
        audit.write(session, act)


def copied() -> dict[tuple[int, str], str]:
    """By list and language, the hash of the text that was copied last."""
    with reading() as session:
        found = meta.beginning_with(session, f"{_COPIED} ")
    return {(int(name.split()[1]), name.split()[2]): digest for name, digest in found.items()}
