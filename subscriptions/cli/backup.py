"""The commands that back the database up and restore it."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from subscriptions import clock as clocks
from subscriptions import fits, keys, logs
from subscriptions.actions.replay import ACTS, UNREADABLE, replay
from subscriptions.backup import BadBackup, cipher
from subscriptions.backup import restore as restoring
from subscriptions.backup.archive import Manifest, opened
from subscriptions.backup.make import make
from subscriptions.cli import BUSY, acts
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings
from subscriptions.store import accounts, audit, jobs, journal, meta, migrate, mode
from subscriptions.store.engine import Contention, Unavailable, reading, transaction
from subscriptions.store.migrate import SchemaTooNew

STILL = timedelta(seconds=15)  # in which a service that runs has looked for emails to send
NO_SCHEMA = "This database is not up to date: run `yestwice migrate` first, or make the backup with the version before."
REFUSED = "The database refuses a row of the backup ({}), so it cannot be restored here."
RUNS = "The service is still running: stop it, wait 15 seconds and try again. Nothing was changed."
PLAIN = "The backup is not encrypted: whoever has the file has every address. Use --key-file."
NO_KEY = "There is no {}, and the last backup was encrypted. Put the key file back, or make a new one elsewhere."
MADE_KEY = "Made {}: without it the backup cannot be read. Keep a copy of it, never beside the backup."
BESIDES = "A restore also needs: {}. Keep these elsewhere, and the deletion journal as well: {}."
TOO_OLD = "The deletion journal goes back {} days, the backup more: who said no in between is subscribed again."
NO_JOURNAL = "There is no deletion journal in {}: who said no since the backup is subscribed again. See --journal."
LOST = (
    "Sign-ups, confirmations, corrections, requests and holds since then are lost, and so is what was changed at the "
    "desk: tokens revoked and accounts disabled since then work again."
)
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, exists=True, path_type=Path)


@contextmanager
def _sentences() -> Iterator[None]:
    """What goes wrong is one sentence; no secret stays that was made on the way."""
    logs.setup(sys.stderr)
    try:
        yield
    except (BadBackup, BadSettings, SchemaTooNew) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'The backup'}: {error.strerror}.") from None
    except (Unavailable, Contention):
        raise click.ClickException(f"{BUSY}: nothing was changed. Please try again.") from None
    except DBAPIError as error:  # of a text, say, that only SQLite takes
        raise click.ClickException(REFUSED.format(type(error.orig).__name__)) from None
    finally:
        keys.settle(current_parts().settings, keep=False)


def _bar(label: str) -> Callable[[int], Callable[[int], Any]]:
    hidden = not sys.stderr.isatty()
    return lambda rows: click.progressbar(length=rows, label=label, file=sys.stderr, hidden=hidden).update


@click.command("backup")
@click.argument("file", type=_FILE)
@click.option("--key-file", type=_FILE, help="Encrypt with the key in this file, which is made if it is not there.")
@with_appcontext
def backup(file: Path, key_file: Path | None) -> None:
    """Write everything in the database to FILE, while the service goes on. An earlier FILE stays until that is done."""
    settings = current_parts().settings
    with _sentences():
        if migrate.current() != migrate.HEAD:
            raise BadBackup(NO_SCHEMA)
        with reading() as session:
            known, pepper = meta.get(session, meta.BACKUP_KEY), meta.get(session, "pepper") or ""
        if key_file and not key_file.exists():
            if known:  # a disk that is not mounted is not the first time
                raise BadBackup(NO_KEY.format(key_file))
            cipher.make_key(key_file)
            click.echo(MADE_KEY.format(key_file), err=True)
        key = cipher.read_key(key_file) if key_file else b""
        audit.note(acts.act(file=file.name, encrypted=bool(key)))
        made = make(file, key, pepper, settings.data_dir, _bar("Backing up"))
        with transaction() as session:
            meta.put(session, meta.LAST_BACKUP, f"{made.taken_at} {file.name}")
            meta.put(session, meta.BACKUP_KEY, sha256(key).hexdigest()[:16] if key else "")
    click.echo(f"Backed up {made.rows} rows to {file}.")
    files = [str(path) for name in (keys.PEPPER, keys.SECRET_KEY) if (path := settings.data_dir / name).exists()]
    said = [*files, *(f"{name} in [server]" for name in ("pepper", "secret_keys") if getattr(settings.server, name))]
    for line in (*(() if key else (PLAIN,)), BESIDES.format(", ".join(said), settings.journal)):
        click.echo(line, err=True)


@click.command("restore")
@click.argument("file", type=_FILE)
@click.option("--key-file", type=_FILE, help="The key file with which it was made.")
@click.option("--check", is_flag=True, help="Only read it, and say what a restore would do.")
@click.option("--journal", "folders", multiple=True, type=_FOLDER,
              help="A folder with a deletion journal, in place of the configured one; once for each host.")  # fmt: skip
@click.option("--moving", is_flag=True, help="The service was stopped before the backup: send the emails that wait.")
@acts.yes
@with_appcontext
def restore(
    file: Path, key_file: Path | None, folders: Sequence[Path], *, check: bool, moving: bool, yes: bool
) -> None:  # fmt: skip
    """Put the backup FILE in place of the database, and end again what people have ended since then."""
    parts = current_parts()
    folders = folders or (parts.settings.journal,)
    with _sentences():
        key = cipher.read_key(key_file) if key_file else None
        with opened(file, key) as reader:
            manifest = reader.manifest
            restoring.fits(manifest, parts.pepper_mark)
            reader.check(_bar("Checking")(manifest.rows))
        entries, unreadable = journal.read(folders, restoring.since(manifest))
        known = [entry for entry in entries if entry.act in ACTS]
        unreadable += len(entries) - len(known)
        what = f"{manifest.rows} rows of {clocks.words(datetime.fromisoformat(manifest.taken_at))}"
        for line in _warnings(manifest, folders):
            click.echo(line, err=True)
        if check:
            click.echo(f"The backup is whole: {what}, from version {manifest.version}.")
            _tell("The deletion journal says since then", Counter(entry.act for entry in known), unreadable)
            return
        _ask(yes=yes)
        with opened(file, key) as reader:
            restoring.restore(reader, file.name, _bar("Restoring")(manifest.rows))
        again = replay(known, parts.clock.now(), parts.policy, acts.act(backup=manifest.taken_at), moving=moving)
    click.echo(f"Restored {what}. {LOST}")
    _tell("Done again from the deletion journal", again, unreadable)


def _warnings(manifest: Manifest, folders: Sequence[Path]) -> Iterator[str]:
    if clocks.Clock.real_now() - datetime.fromisoformat(manifest.taken_at) > journal.KEPT:
        yield TOO_OLD.format(journal.KEPT.days)
    yield from (NO_JOURNAL.format(folder) for folder in folders if not any(folder.glob("*.jsonl")))


def _tell(what: str, counts: Counter[str], unreadable: int) -> None:
    said = [f"{words} {counts[act]}" for act, (words, _) in ACTS.items() if counts[act]]
    unread = [f"entries that could not be read {number}"] if (number := unreadable + counts[UNREADABLE]) else []
    click.echo(f"{what}: {', '.join([*said, *unread]) or 'nothing'}.")


def _ask(*, yes: bool) -> None:
    """Refuse while the service runs; where anything is in the database, ask first."""
    with fits.nobody_tries_out(current_parts().settings) as nobody:
        there = _there() if migrate.current() == migrate.HEAD else {}
    if not nobody or there is None:
        raise BadBackup(RUNS)
    if any(there.values()) and not yes:
        told = ", ".join(f"{number} {name}" for name, number in there.items() if number)
        acts.ask(f"This removes for good what is in the database now: {told}.")


def _there() -> dict[str, int] | None:
    """What would be lost; none: while it is in use."""
    with reading() as session:
        deliver, now = jobs.find(session, "deliver"), current_parts().clock.now()
        if deliver and deliver.ended_at and timedelta(0) <= now - deliver.ended_at < STILL:
            return None
        return {**mode.counts(session), "accounts": len(accounts.all_of(session))}
