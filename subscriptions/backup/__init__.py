"""Backups: one file with all that the database has, which goes into either kind of database again."""


class BadBackup(Exception):
    """A file that cannot be restored, or not here; a sentence for the operator."""
