"""Restoring a backup: nothing is changed before all of it has been read, and nobody is served before it is over."""

from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from subscriptions.backup import BadBackup
from subscriptions.backup.archive import DAMAGED, NEWER, Manifest, Reader, Told
from subscriptions.domain.policy import CLOCKS_DIFFER
from subscriptions.store import meta, migrate, tables

OVERLAP = CLOCKS_DIFFER + timedelta(minutes=1)  # an act is noted before it is committed
OTHER_PEPPER = (
    "This backup was made with another pepper, and no suppression or unsubscribe link would work with this one. Put "
    "back the pepper that was kept with it (pepper in [server], or the file pepper in data_dir), and try again."
)


def fits(manifest: Manifest, pepper: str) -> None:
    """Raises BadBackup where it cannot be restored with this program, or with this pepper."""
    if manifest.pepper != pepper:
        raise BadBackup(OTHER_PEPPER)
    if manifest.schema not in migrate.versions():
        raise BadBackup(NEWER.format(manifest.version))


def since(manifest: Manifest) -> datetime:
    """From when on the journal may know of something that the backup does not."""
    return datetime.fromisoformat(manifest.taken_at) - OVERLAP


def restore(reader: Reader, name: str, told: Told) -> None:
    """Put a backup, which has been checked, in place of what is there: all or nothing.

    The database serves nobody until `replay` has ended it: that needs foreign keys, which a migration does without.
    """
    manifest, is_empty = reader.manifest, migrate.current() is None
    with migrate.alone() as connection:
        if not is_empty:  # so that it is known what is there to be dropped
            migrate.to_version("head", connection)
        tables.empty(connection)
        migrate.to_version(manifest.schema, connection)
        _load(connection, reader, told)
        migrate.to_version("head", connection)
        with Session(connection) as session:
            meta.put(session, meta.RESTORING, manifest.taken_at)
            meta.put(session, meta.LAST_BACKUP, f"{manifest.taken_at} {name}")
            session.commit()


def _load(connection: Connection, reader: Reader, told: Told) -> None:
    found, said = tables.tables(connection), reader.manifest.tables
    here = {name: sorted(table.c.keys()) for name, table in found.items()}
    if here != {name: sorted(table.columns) for name, table in said.items()}:
        raise BadBackup(DAMAGED)
    for name, table in said.items():
        tables.load(connection, found[name], table, reader.batches(name, told))
    reader.finish()
