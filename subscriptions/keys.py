"""The secrets that the installation makes for itself, and keeps in data_dir."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from subscriptions.settings import BadSettings, Settings

SHORTEST = 16


def secret_keys(settings: Settings) -> list[bytes]:
    """Newest first: those of the configuration, and the one that was made where there were none."""
    configured = [key.encode() for key in settings.server.secret_keys]
    path = settings.data_dir / "secret_key"
    return configured if configured and not path.exists() else [*configured, _kept(path)]


def pepper(settings: Settings) -> bytes:
    """What addresses are hashed with; never changes."""
    return settings.server.pepper.encode() or _kept(settings.data_dir / "pepper")


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
        aside.unlink()
    kept = path.read_bytes().strip()
    if len(kept) < SHORTEST:
        raise BadSettings(f"{path} holds no secret: at least {SHORTEST} characters. Restore it from a backup.")
    return kept
