"""What was made up while things were tried out, removed for good."""

from collections.abc import Mapping

from subscriptions.store import audit, migrate, mode
from subscriptions.store.audit import Act
from subscriptions.store.engine import transaction
from subscriptions.store.mode import Mode


def clear(act: Act, *, is_live: bool) -> Mapping[str, int]:
    """Remove the people, emails and evidence; how many there were. All or nothing; whoever starts meanwhile waits.

    `act`: at the real time, since the clock of the try-out mode may be ahead. `is_live`: whether the database is from
    now on; else the next start that sends real email makes it so, since nobody is in it.
    """
    with transaction() as session:
        migrate.one_at_a_time(session.connection())
        counts = mode.counts(session)
        mode.clear(session, act.at)
        if is_live:
            mode.note(session, Mode.LIVE)
        audit.write(session, act.of(counts["persons"], **counts))
    return counts
