"""API tokens: made and ended, each with its row in the audit."""

import hashlib
import secrets
from datetime import datetime

from subscriptions.actions import Refused
from subscriptions.domain.policy import TokenScope
from subscriptions.store import audit, migrate, tokens
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction


@repeated
def create(name: str, scope: TokenScope, now: datetime, act: Act) -> str:
    """A new token, which is shown this once: its hash alone is stored. Raises Refused."""
    secret = f"yt_{secrets.token_urlsafe(32)}"
    with transaction() as session:
        migrate.one_at_a_time(session.connection())  # of two who press at the same moment one comes second
        if tokens.by_name(session, name):
            raise Refused(f'There is, or was, a token "{name}": please choose another name.')
        tokens.add(session, name, hashlib.sha256(secret.encode()).digest(), scope, now)
        audit.write(session, act)
    return secret


@repeated
def revoke(name: str, now: datetime, act: Act) -> None:
    """End one at once. Raises Refused."""
    with transaction() as session:
        if not tokens.revoke(session, name, now):
            raise Refused(f'There is no valid token "{name}".')
        audit.write(session, act)
