"""A small cast and what they do: Anne asks, Bart is confirmed, Cris has left."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from subscriptions.actions import sweep
from subscriptions.domain.address import parse
from subscriptions.jobs.jobs import NAMED, Run
from subscriptions.parts import Parts, current_parts
from subscriptions.settings import ListSettings
from subscriptions.settings import Mail as MailSettings
from subscriptions.store import mailbox, tokens
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Evidence, Owed, Registration, Subscription, db
from tests.support.inbox import REMEMBERING
from tests.support.postgres import Databases
from tests.support.relay import Relay

ANNE, BART, CRIS = "anne@example.org", "bart@example.org", "cris@example.org"
BY_PAGE = re.compile(r"/(not-me|unsubscribe)/[^/]+/?$")  # pressed on its page, if nothing else is said
NEWS, OFFERS, HIDDEN = "newsletter", "offers", "hidden"

LISTS = (
    ListSettings(slug=NEWS, name="Newsletter", controller="Example Society", postal_address="1 Example Street",
                 privacy_contact="privacy@example.org", policy_url="https://example.org/privacy", timezone="UTC"),
    ListSettings(slug=OFFERS, name="Offers", welcome=True, timezone="UTC"),
    ListSettings(slug=HIDDEN, name="Hidden", public=False, timezone="UTC"),
)  # fmt: skip


class Movable(Protocol):
    """A clock that a test moves."""

    def now(self) -> datetime: ...
    def forward(self, **by: float) -> datetime: ...


@dataclass
class World:
    """The application as people meet it. Every method goes through HTTP unless it says otherwise."""

    app: Flask
    client: FlaskClient
    clock: Movable

    @property
    def parts(self) -> Parts:
        return current_parts(self.app)

    @property
    def base_url(self) -> str:
        return self.parts.settings.server.base_url

    def sign_up(self, address: str = ANNE, slug: str = NEWS, **fields: Any) -> TestResponse:
        """By JSON; `remote_addr` and `headers` as the caller wants them."""
        remote = fields.pop("remote_addr", "203.0.113.7")
        headers = fields.pop("headers", {})
        return self.client.post(
            "/api/v1/subscriptions",
            json={"email": address, "list": slug, **fields},
            headers=headers,
            environ_base={"REMOTE_ADDR": remote},
            base_url=self.base_url,
        )

    def sign_up_by_form(self, address: str = ANNE, slug: str = NEWS, **fields: str) -> TestResponse:
        return self.post(f"/subscribe/{slug}", data={"email": address, **fields})

    def get(self, url: str, **more: Any) -> TestResponse:
        return self.client.get(_path(url), base_url=self.base_url, **more)

    def post(self, url: str, **more: Any) -> TestResponse:
        more.setdefault("environ_base", {"REMOTE_ADDR": "127.0.0.1" if "/mailbox" in url else "203.0.113.7"})
        if BY_PAGE.search(url) and not more.keys() & {"json", "input_stream"}:
            more.setdefault("data", {"by": "page"})
        return self.client.post(_path(url), base_url=self.base_url, **more)

    def deliver(self) -> int:
        """Send what is due; in try-out mode into the mailbox."""
        return self.parts.sender.deliver()

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """Delivered, those of the mailbox, oldest first."""
        self.deliver()
        with reading() as session:
            found = [parse_mail(one.source) for one in reversed(mailbox.newest(session))]
        return [mail for mail in found if to is None or mail["To"] == to]

    def confirm_link(self, address: str = ANNE) -> str:
        return link_in(self.mails(address)[-1], "confirm")

    def not_me_link(self, address: str = ANNE) -> str:
        return link_in(self.mails(address)[-1], "not-me")

    def leave_link(self, address: str = BART, slug: str = NEWS) -> str:
        """As an export carries it (not through HTTP)."""
        row = self.parts.catalogue.by_slug(slug)
        assert row is not None
        return self.parts.links.leave_url(row.id, self.parts.links.key(parse(address).folded))

    def subscribe(self, address: str = BART, slug: str = NEWS, **fields: Any) -> None:
        """Sign up and confirm; the budget's 15 minutes pass."""
        assert self.sign_up(address, slug, **fields).status_code == 202
        assert self.post(self.confirm_link(address)).status_code == 200
        self.clock.forward(minutes=15)

    def run(self, name: str) -> int:
        """One job, now (not through HTTP)."""
        return NAMED[name].work(Run(self.parts, self.clock.now(), asked=True))

    def registrations(self) -> list[Registration]:
        return _all(Registration)

    def subscriptions(self) -> list[Subscription]:
        return _all(Subscription)

    def evidence(self) -> list[Evidence]:
        return _all(Evidence)

    def count(self, table: Any, *which: Any) -> int:
        with reading() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(table).where(*which)) or 0

    def block(self) -> int:
        return sweep.block(self.clock.now())


@dataclass
class Office:
    """Who reads lists and takes exports by the API, with a token for each."""

    world: World

    def get(self, path: str, scope: str = "read") -> TestResponse:
        secret = f"the {scope} token of the office"
        with transaction() as session:
            if tokens.by_name(session, scope) is None:
                tokens.add(session, scope, hashlib.sha256(secret.encode()).digest(), scope, self.world.clock.now())
        return self.world.get(path, headers={"Authorization": f"Bearer {secret}"})

    def listed(self, slug: str) -> list[str]:
        return [one["email"] for one in _json(self.get(f"/api/v1/lists/{slug}/subscriptions"))["subscriptions"]]

    def exported(self, slug: str) -> list[str]:
        answer = self.get(f"/api/v1/lists/{slug}/export?format=jsonl", "export")
        return [json.loads(line)["email"] for line in answer.get_data(as_text=True).splitlines()]

    def counts(self, slug: str) -> dict[str, int]:
        found = next(one for one in _json(self.get("/api/v1/lists"))["lists"] if one["list"] == slug)
        return {name: number for name, number in found.items() if isinstance(number, int)}


def _json(answer: TestResponse) -> Any:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def at(world: World, moment: str) -> None:
    """Move the clock to a moment in UTC."""
    then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    world.clock.forward(seconds=(then - world.clock.now()).total_seconds())


def _all(table: Any) -> list[Any]:
    with reading() as session:
        return list(session.scalars(sa.select(table).order_by(table.id)))


def _path(url: str) -> str:
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


def parse_mail(octets: bytes) -> EmailMessage:
    return message_from_bytes(octets, policy=REMEMBERING)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def link_in(mail: EmailMessage, purpose: str) -> str:
    """The link of that purpose, from the text part."""
    found = re.search(rf"^https?://\S+/{purpose}/\S+$", text_of(mail), re.M)
    assert found is not None, f"no {purpose} link in the mail"
    return found[0]


def rows_of_every_table() -> dict[str, int]:
    """How many rows each table has: what must not change when nothing may."""
    tables, count = db.metadata.tables, sa.select(sa.func.count())
    with reading() as session:
        return {name: session.scalar(count.select_from(table)) or 0 for name, table in tables.items()}


def bearer(scope: str) -> dict[str, str]:
    """The header with a fresh token of that scope (made without HTTP)."""
    secret = secrets.token_urlsafe()
    with transaction() as session:
        tokens.add(session, secret[:9], hashlib.sha256(secret.encode()).digest(), scope, datetime.now(UTC))
    return {"Authorization": f"Bearer {secret}"}


def take_database_away() -> None:
    """From now on it can be reached by nobody: what an outage looks like."""
    url = db.engine.url
    db.engine.dispose()
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        path.mkdir()
    else:
        admin = url.set(database="postgres").render_as_string(hide_password=False)
        Databases(admin).drop_database(str(url.database))


@contextmanager
def through(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, *, lists: Sequence[ListSettings] = LISTS, **mail: Any
) -> Iterator[World]:
    """A world whose mails leave through that relay, its context pushed; the sender ends with it."""
    address: dict[str, Any] = {"transport": "smtp", "host": relay.host, "port": relay.port, "timeout_seconds": 1}
    app = make_app(mail=MailSettings(**({"connections": 1} | address | mail)), lists=tuple(lists))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        yield world
        world.parts.sender.stop()


def owed() -> list[Owed]:
    """The mails that wait."""
    return _all(Owed)
