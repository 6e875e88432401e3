"""The floor: what the same machine needs for the parts alone, done by hand one after the other."""

import os
import secrets
import smtplib
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from subscriptions.clock import Clock
from subscriptions.store.models import Address, Evidence, List, Registration

ANSWER = b'{"status": "empty"}'


class Empty:
    """The least that our server can do with a sign-up: read it, and answer."""

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        await protocol()
        protocol.response_bytes(202, [("content-type", "application/json")], ANSWER)


def serve_empty() -> None:
    """The empty endpoint on the server that serves the product; the port from the environment."""
    from subscriptions.serving.server import Granian, listen

    Granian(Empty(), listen("127.0.0.1", int(os.environ["BENCH_PORT"]))).run()
    os._exit(0)


def seconds_for_rows(engine: sa.Engine, number: int, batch: int) -> float:
    """Seconds for one sign-up's rows (address, registration, two of evidence), inserted `batch` at a time."""
    with engine.begin() as connection:
        list_id = connection.execute(sa.select(sa.func.min(List.id))).scalar_one()
    began = Clock.ticks()
    for start in range(0, number, batch):
        _insert(engine, list_id, min(batch, number - start))
    return (Clock.ticks() - began) / number


def _insert(engine: sa.Engine, list_id: int, size: int) -> None:
    now = Clock.real_now()
    people = [_person(list_id, now) for _ in range(size)]
    with engine.begin() as connection:
        connection.execute(sa.insert(Address), [{"key": one["key"], "asked": 1, "mails": "0"} for one in people])
        registrations = sa.insert(Registration).returning(Registration.id)
        ids = connection.execute(registrations, people).scalars().all()
        rows = [_evidence(id_, fact, now) for id_ in ids for fact in ("registered", "mailed")]
        connection.execute(sa.insert(Evidence), rows)


def _person(list_id: int, now: datetime) -> dict[str, Any]:
    token = secrets.token_hex(8)
    return {
        "ref": secrets.token_bytes(16), "list_id": list_id, "key": secrets.token_bytes(16), "state": "pending",
        "address": f"{token}@example.org", "name": "Ada", "locale": "en", "registered_at": now,
        "confirm_by": now + timedelta(hours=24), "purge_at": now + timedelta(days=30), "wording_id": "0" * 16,
        "vouched": True,
    }  # fmt: skip


def _evidence(id_: int, fact: str, now: datetime) -> dict[str, Any]:
    details = {"wording": "0" * 16, "sha256": "0" * 64, "links": "0" * 200}
    return {
        "registration_id": id_, "fact": fact, "at": now, "channel": "api", "ip": "192.0.2.1",
        "ip_source": "proxy", "details": details,
    }  # fmt: skip


def seconds_for_mails(port: int, mail: bytes, number: int) -> float:
    """Seconds for one mail of these bytes over one kept connection of smtplib's."""
    with smtplib.SMTP("127.0.0.1", port) as host:
        began = Clock.ticks()
        for _ in range(number):
            host.sendmail("bench@example.org", ["visitor@example.org"], mail)
        return (Clock.ticks() - began) / number


if __name__ == "__main__":
    serve_empty()
