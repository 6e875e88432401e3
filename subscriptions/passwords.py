"""Passwords of the desk: which may be, and their hashes (NIST SP 800-63B-4, RFC 9106)."""

import threading
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 15, 256  # characters; the only factor, so 15
SHORTEST_OF_TWO = 8  # where a second factor is asked for as well
_WAITS = 2.0  # seconds, for the one hash at a time
# what is compared where there is no account: nobody has this password
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$GXUrnJPgzNZEDzPhcwweZg$UWv/oZTN5RDSAJd8E4FIfpADFihndTEFYoHRptKFwRc"
_turn = threading.Lock()


class Busy(Exception):
    """Too many passwords are being checked at this moment."""


def problem(password: str, *known: str, shortest: int = SHORTEST) -> str:
    """Why this password may not be, in a marked text's words; empty where it may. `known`: what others know too."""
    if len(password) < shortest:
        return "short"
    if len(password) > LONGEST:
        return "long"
    bare = "".join(filter(str.isalnum, password.casefold()))
    if bare in _blocked() or len(set(bare)) < 5 or _repeats(bare):
        return "common"
    parts = {part for text in known for part in text.casefold().replace("@", ".").split(".") if len(part) > 3}
    for part in parts:
        bare = bare.replace(part, "")
    return "" if len(bare) >= shortest // 2 else "known"


@cache
def _blocked() -> frozenset[str]:
    """Those that are tried first; a file of 30,000, so it is read when one is chosen."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    return frozenset(FREQUENCY_LISTS["passwords"])


def _repeats(bare: str) -> bool:
    """Whether it is one short thing several times, or a part of a row such as 123456… or abcdef…."""
    rows = "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"
    again = any(bare == (bare[:n] * len(bare))[: len(bare)] for n in range(1, len(bare) // 2 + 1))
    return again or any(bare in row or bare in row[::-1] for row in rows)


def hashed(password: str) -> str:
    """Argon2id in the PHC form; raises Busy."""
    with _One():
        return _hasher().hash(password)


def matches(password: str, of: str | None) -> bool:
    """Whether it is the one that was hashed; takes as long where there is none. Raises Busy."""
    from argon2.exceptions import InvalidHashError, VerificationError

    is_usable = of is not None and of.startswith("$")  # else it was taken away
    with _One():
        try:
            _hasher().verify(of if of and is_usable else _NOBODYS, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return is_usable


def renewed(password: str, of: str | None) -> str | None:
    """The same password hashed as it is done now, where `of` was hashed in an earlier way. Raises Busy."""
    return hashed(password) if of and _hasher().check_needs_rehash(of) else None


@cache
def _hasher() -> "PasswordHasher":
    """19 MiB and two passes, the least that OWASP names; whoever never signs in does not pay for the library."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class _One:
    """One at a time: each takes 19 MiB and all of a processor."""

    def __enter__(self) -> None:
        if not _turn.acquire(timeout=_WAITS):
            raise Busy

    def __exit__(self, *_: object) -> None:
        _turn.release()
