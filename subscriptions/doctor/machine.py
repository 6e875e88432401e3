"""This machine: its clock, secrets, disk, database and Python."""

import math
import os
import shutil
from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.generator import BytesGenerator
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

from sqlalchemy import make_url

from subscriptions.doctor.finding import Asked, Finding, found
from subscriptions.settings.file import path_of
from subscriptions.store import room, server, sqlite
from subscriptions.store.engine import reading

APART = 5.0  # seconds between two clocks
STRONG = 64  # bits that a secret can have, by its length and how many different signs are in it
FEW = 0.02  # of the files that a disk can hold
_NEW = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


def clock(asked: Asked) -> Iterator[Finding]:
    with reading() as session:
        theirs = server.now(session)
    apart = abs((asked.parts.clock.real_now() - theirs).total_seconds()) if theirs else 0.0
    if apart > APART:
        yield found("clock-apart", "timedatectl set-ntp true", num=round(apart))


def secrets(asked: Asked) -> Iterator[Finding]:
    """Files of secrets that we have made ourselves are for us alone since the start, or the configuration's finding."""
    settings, ours = asked.parts.settings, asked.parts.settings.server
    for name, secret in (*(("secret_keys", key) for key in ours.secret_keys), ("pepper", ours.pepper)):
        if secret and len(secret) * math.log2(len({*secret})) < STRONG:
            yield found("secret-weak", _NEW, name=name)
    if settings.data_dir.stat().st_mode & 0o022:
        yield found("folder-open", f"chmod go-w {settings.data_dir}", path=str(settings.data_dir))
    file, mails = path_of(os.environ, settings.root), settings.mail.password
    known = filter(None, (mails, make_url(settings.database.url).password, ours.pepper, *ours.secret_keys))
    if file.is_file() and file.stat().st_mode & 0o004 and any(str(one) in file.read_text("utf-8") for one in known):
        yield found("config-open", f"chmod o-rwx {file}", path=str(file))
    yield found("pepper", mark=asked.parts.pepper_mark[:8])


def disk(asked: Asked) -> Iterator[Finding]:
    settings = asked.parts.settings
    with reading() as session:
        taken, free = room.of(session, settings.sqlite_file)
    rooms = {settings.data_dir: room.Room(0, shutil.disk_usage(settings.data_dir).free)}
    rooms |= {Path(settings.sqlite_file).parent: room.Room(taken, free)} if settings.sqlite_file else {}
    for path, left in rooms.items():
        if left.free is not None and left.is_short:
            yield found("disk-full", f"df -h {path}", path=str(path), num=left.free // 10**6)
        files = os.statvfs(path)
        if files.f_favail < FEW * files.f_files:
            yield found("disk-files", f"df -i {path}", path=str(path))


def database(asked: Asked) -> Iterator[Finding]:
    if asked.parts.settings.sqlite_file is None:
        with reading() as session:
            if not server.is_durable(session):
                yield found("database-loses", "ALTER SYSTEM SET synchronous_commit = on")
    elif not sqlite.wal_is_safe((module := sqlite.sqlite_module()).sqlite_version_info):
        yield found("database-old", "pip install -r requirements.txt", version=module.sqlite_version)


def python(asked: Asked) -> Iterator[Finding]:
    """By a try, since distributions mend older releases (CVE-2024-6923, CVE-2026-1299)."""
    if not refuses_forged(BytesGenerator):
        yield found("python-old", "python3 --version")


class _Forged(str):
    name = "Subject"

    def fold(self, **_: object) -> str:
        return self


def refuses_forged(generator: type[BytesGenerator]) -> bool:
    mail = EmailMessage(policy.SMTP)
    mail["Subject"] = _Forged("Subject: a\r\nBcc: b\r\n")
    try:
        generator(BytesIO()).flatten(mail)
    except MessageError:
        return True
    return False
