"""People at the desk, each with a browser of their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyotp
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from subscriptions.actions import accounts
from subscriptions.domain.roles import Role
from subscriptions.store.audit import Act
from subscriptions.store.models import ActorKind
from tests.builders import World

OLA, PASSWORD = "ola@example.org", "four words make a good one"
FAR = "203.0.113.7"


def invited(world: World, email: str = OLA, role: Role = Role.OWNER, lists: Sequence[int] | None = None) -> str:
    """The path of a link for somebody (made without HTTP)."""
    now = world.clock.now()
    act = Act(now, ActorKind.COMMAND, "root", "accounts invite")
    return f"/admin/come-in/{accounts.invite(email, role, lists, now, act)}"


@dataclass
class Person:
    """Somebody with a browser; forms are sent as a page of ours would send them."""

    world: World
    ip: str = FAR
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.world.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, base_url=self.world.base_url, environ_base={"REMOTE_ADDR": self.ip}, **more)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        """With the mark of the last page that this browser would have seen, unless `csrf` says otherwise."""
        fields.setdefault("csrf", self.csrf())
        kept = {name: text for name, text in fields.items() if text is not None}
        where = {"base_url": self.world.base_url, "environ_base": {"REMOTE_ADDR": self.ip}}
        return self.client.post(path, data=kept, headers={"Sec-Fetch-Site": "same-origin"} | (headers or {}), **where)

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/admin/account").text)
        return found[1] if found else ""

    def sign_in(self, email: str = OLA, password: str = PASSWORD, **fields: Any) -> TestResponse:
        return self.post("/admin/sign-in", email=email, password=password, csrf=None, **fields)

    @property
    def is_in(self) -> bool:
        return self.get("/admin/account").status_code == 200


def at_the_desk(world: World, role: Role = Role.OWNER, email: str = "", lists: Sequence[int] | None = None) -> Person:
    """Somebody who has just chosen a password."""
    person = Person(world)
    link = invited(world, email or f"{role}@example.org", role, lists)
    assert person.post(link, password=PASSWORD, csrf=None).status_code == 303
    return person


def second_factor(person: Person) -> tuple[str, list[str]]:
    """Set up: what the app's codes are made of, and the recovery codes."""
    secret, sealed = offered(person)
    answer = person.post("/admin/account/second-factor", sealed=sealed, code=code(person.world, secret))
    assert answer.status_code == 200, answer.text
    return secret, re.findall(r"<li><code>([0-9A-Z]{4}-[0-9A-Z]{4})</code>", answer.text)


def offered(person: Person) -> tuple[str, str]:
    """The key for the app, and the same sealed for the form."""
    page = person.get("/admin/account/second-factor").text
    [secret] = re.findall(r'class="copy"><code>([A-Z2-7]{32})</code>', page)
    [sealed] = re.findall(r'name="sealed" value="([^"]+)"', page)
    return secret, sealed


def code(world: World, secret: str, later: int = 0) -> str:
    """What the app shows; `later`: so many of its steps of 30 seconds ahead."""
    return str(pyotp.TOTP(secret).at(world.clock.now() + later * timedelta(seconds=30)))
