"""Proofs as tests take them: by the command, through the relay, read as a person and as a program would."""

import json
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from re import DOTALL, sub
from typing import Any

from click.testing import Result

from tests.builders import ANNE, NEWS, World, link_in
from tests.support.relay import Relay


@dataclass(frozen=True)
class Proof:
    """What the command has written to a folder."""

    folder: Path

    @property
    def html(self) -> str:
        return (self.folder / "proof.html").read_text("utf-8")

    @property
    def words(self) -> str:
        """What the document says, without its elements."""
        text = sub(r"<style>.*?</style>", "", self.html, flags=DOTALL)
        return " ".join(unescape(sub(r"<[^>]+>", " ", text)).split())

    @property
    def record(self) -> Any:
        return json.loads((self.folder / "proof.json").read_bytes())

    @property
    def mail(self) -> bytes:
        return (self.folder / "confirmation.eml").read_bytes()

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


def asked(world: World, folder: Path, *more: str, address: str = ANNE, slug: str = NEWS) -> Result:
    return world.app.test_cli_runner().invoke(args=["proof", address, "--list", slug, "-o", str(folder), *more])


def proof(world: World, folder: Path, *more: str, address: str = ANNE, slug: str = NEWS) -> Proof:
    result = asked(world, folder, *more, address=address, slug=slug)
    assert result.exit_code == 0, result.output
    return Proof(folder)


def subscribe(world: World, relay: Relay, address: str = ANNE, slug: str = NEWS, **fields: Any) -> None:
    """Sign up from one place and confirm from another, through the relay."""
    fields.setdefault("remote_addr", "192.0.2.1")
    assert world.sign_up(address, slug, **fields).status_code == 202
    world.deliver()
    world.clock.forward(minutes=7, seconds=5)
    confirm = link_in(relay.mails[-1].message, "confirm")
    assert world.post(confirm, environ_base={"REMOTE_ADDR": "2001:db8::7"}).status_code == 200
    world.clock.forward(minutes=15)
    world.deliver()
