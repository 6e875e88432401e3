"""Codes of an app that change every 30 seconds (TOTP, RFC 6238)."""

from datetime import datetime
from hmac import compare_digest

PERIOD = 30  # seconds


def new_secret() -> str:
    import pyotp  # here: only who sets it up or signs in by it needs the library

    return pyotp.random_base32()


def uri(secret: str, email: str, issuer: str) -> str:
    """What an app reads from the picture."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, typed: str, at: datetime) -> int | None:
    """The step whose code it is, of three around `at`: clocks differ, and typing takes its time. None: a wrong one."""
    import pyotp

    totp, here = pyotp.TOTP(secret), int(at.timestamp()) // PERIOD
    code = "".join(typed[:20].split()).encode("utf-8", "replace")
    steps = [step for step in range(here - 1, here + 2) if compare_digest(totp.generate_otp(step).encode(), code)]
    return max(steps, default=None)
