"""The secrets that the installation makes for itself and keeps in data_dir, and the links that they sign."""

import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from subscriptions.clock import Clock
from subscriptions.domain.address import named
from subscriptions.links import Links
from subscriptions.settings import BadSettings, Settings

SHORTEST = 16
SECRET_KEY, PEPPER = "secret_key", "pepper"
_made: set[Path] = set()  # by this process, and not settled yet


def secret_keys(settings: Settings) -> list[bytes]:
    """Newest first: those of the configuration, and the one that was made where there were none."""
    configured = [key.encode() for key in settings.server.secret_keys]
    path = settings.data_dir / SECRET_KEY
    return configured if configured and not path.exists() else [*configured, _kept(path)]


def pepper(settings: Settings) -> bytes:
    """What addresses are hashed with; never changes."""
    return settings.server.pepper.encode() or _kept(settings.data_dir / PEPPER)


def links(settings: Settings, clock: Clock) -> Links:
    life = timedelta(hours=settings.lifecycle.confirm_within_hours, days=62)  # longer than any row lives
    inbound = settings.inbound
    made = Links(settings.server.base_url, secret_keys(settings), pepper(settings), clock, life, inbound.address,
                 in_address=inbound.token_in == "address")  # noqa: S105  # fmt: skip
    made.by_mail.returns_to = named(settings.mail.envelope_sender)[1] if inbound.address else ""
    return made


def is_kept_alone(settings: Settings) -> bool:
    """Whether the key of the file signs, since the configuration has none."""
    return not settings.server.secret_keys


def is_new(settings: Settings) -> bool:
    """Whether this process has just made that file, or another that was refused has taken it away again."""
    path = settings.data_dir / SECRET_KEY
    return path in _made or not path.exists()


def settle(settings: Settings, *, keep: bool) -> None:
    """What this process has made stays, or goes: a new secret beside a database of another would pass for the old."""
    for path in _made & {settings.data_dir / SECRET_KEY, settings.data_dir / PEPPER}:
        _made.discard(path)
        if not keep:
            path.unlink(missing_ok=True)


def _kept(path: Path) -> bytes:
    """The secret in the file, made there the first time: for this user's eyes alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # written aside and linked into place: of two processes that start at once, both read the same
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(aside)
            _made.add(path)
        aside.unlink()
    elif path.stat().st_mode & 0o077:
        with suppress(PermissionError):  # another's file: what it may be is that user's to say
            path.chmod(0o600)
    kept = path.read_bytes().strip()
    if len(kept) < SHORTEST:
        raise BadSettings(f"{path} holds no secret of at least {SHORTEST} characters: restore it from a backup.")
    return kept
