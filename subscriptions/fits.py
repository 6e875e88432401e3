"""Whether a configuration fits the database that it names: its pepper, its keys, its mode."""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from typing import IO

from sqlalchemy.orm import Session

from subscriptions import keys
from subscriptions.clock import Clock, text
from subscriptions.domain.texts import Sentence, marked
from subscriptions.links import fingerprint
from subscriptions.settings import BadSettings, Settings
from subscriptions.store import meta, mode
from subscriptions.store.mode import Mode

LOCK = "try-out"  # a file of data_dir, held by whoever serves in that mode
_held: list[IO[bytes]] = []
OTHER_PEPPER = (
    "The pepper (pepper in [server], or the file pepper in data_dir) is not the one that this database was made with. "
    "With it, no suppression and no unsubscribe link would work. Restore the right one from a backup."
)
HALF_RESTORED = (
    "A restore of this database was interrupted, so people who said no may still be subscribed in it. Run `yestwice "
    "restore` again."
)
NO_KEY = (
    "The key that signed the links in emails already sent is missing. With a new key none of those links would work, "
    "not even the ones to unsubscribe. Restore {} from a backup, or put the old key back in secret_keys in [server]. "
    "If the key is lost for good and you accept this, set secret_keys in [server] to a new key to start the service."
)
LOST_KEY = marked(
    "a key that signed links (fingerprint %(key)s) has been missing from secret_keys in [server] since %(time)s: its "
    "links no longer work, not even the ones to unsubscribe; add it after the others, unless it is lost or was taken "
    "out on purpose"
)
TRIED_OUT = (
    "This database was used in try-out mode, so the people in it are made up, and no email is sent before they are "
    "removed. `yestwice go-live` removes them, and asks first; lists, wordings and tokens stay. To continue in try-out "
    'mode, set transport in [mail] to "mailbox".'
)
LIVE = (
    "This database is live. In try-out mode, emails to the people in it would only reach the mailbox, and the time "
    'machine could delete those people. Set transport in [mail] to "smtp", or url in [database] to another database.'
)
FOUND_LIVE = marked(
    "this database is older than version 0.4.0 and counts as live, because a relay has accepted emails from it; if any "
    "people in it are made up, remove them with `yestwice erase`; `yestwice go-live` ends this finding and removes "
    "nothing"
)


def check(session: Session, settings: Settings, now: datetime, *, any_mode: bool = False) -> list[str]:
    """What of it an operator should mend; raises BadSettings where the two do not fit, and leaves no new key behind."""
    if meta.get(session, meta.RESTORING):
        raise BadSettings(HALF_RESTORED)
    try:
        _pepper(session, settings)
        found = [*_secret_keys(session, settings, now), *([] if any_mode else _mode(session, settings))]
    except BadSettings:
        keys.settle(settings, keep=False)
        raise
    keys.settle(settings, keep=True)
    return found


def _pepper(session: Session, settings: Settings) -> None:
    pepper = fingerprint(keys.pepper(settings))
    if meta.get(session, "pepper") not in (None, pepper):
        raise BadSettings(OTHER_PEPPER)
    meta.put(session, "pepper", pepper)


def _secret_keys(session: Session, settings: Settings, now: datetime) -> Iterator[str]:
    """Each key that is or was in use is noted by a keyed hash, from which nobody learns anything of it."""
    pepper = keys.pepper(settings)
    here = [hmac.digest(pepper, b"secret key\0" + key, "sha256").hex()[:32] for key in keys.secret_keys(settings)]
    known: dict[str, str] = json.loads(meta.get(session, "keys") or "{}")  # since when it is missing; empty: it is here
    is_other = keys.is_kept_alone(settings) and here[0] not in known and (known or keys.is_new(settings))
    if is_other and mode.has_people(session):
        raise BadSettings(NO_KEY.format(settings.data_dir / keys.SECRET_KEY))
    gone = {one: since or text(now) for one, since in known.items() if one not in here}
    meta.put(session, "keys", json.dumps(dict.fromkeys(here, "") | gone))
    for one, since in gone.items():
        if mode.has_links_of_before(session, datetime.fromisoformat(since)):
            yield Sentence(LOST_KEY, key=one[:8], time=since)


def _mode(session: Session, settings: Settings) -> Iterator[str]:
    wanted = Mode.TRY_OUT if settings.mail.transport == "mailbox" else Mode.LIVE
    noted = mode.noted(session) or mode.found(session) or wanted
    if wanted.is_live and not noted.is_live:
        noted = _end_try_out(session, settings)
    if noted.is_live and not wanted.is_live and mode.has_people(session):
        raise BadSettings(LIVE)
    mode.note(session, noted if wanted.is_live else wanted)
    if noted is Mode.FOUND_LIVE and wanted.is_live:
        yield Sentence(FOUND_LIVE)


def _end_try_out(session: Session, settings: Settings) -> Mode:
    """Without a person in it there is nothing to ask about; what else was tried goes."""
    with nobody_tries_out(settings) as nobody:
        if not nobody or mode.has_people(session):
            raise BadSettings(TRIED_OUT)
        mode.clear(session, Clock.real_now())
    return Mode.LIVE


@contextmanager
def nobody_tries_out(settings: Settings) -> Iterator[bool]:
    """Whether no process serves in try-out mode here; none begins to while this lasts."""
    with (settings.data_dir / LOCK).open("ab") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def hold_try_out(settings: Settings) -> None:
    """For as long as this process or a child of it lives, nobody goes live beneath it."""
    if settings.mail.transport == "mailbox":
        file = (settings.data_dir / LOCK).open("ab")
        try:
            flock(file, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            file.close()
            raise BadSettings("`yestwice go-live` is running: start again when it has finished.") from None
        _held.append(file)
