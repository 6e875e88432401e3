"""The example sender: what the export gives, a relay takes, and a mail program unsubscribes from."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import ANNE, BART, World
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.relay import Mail, Relay

pytestmark = BY_DAY_ON_SQLITE

SEND = Path(__file__).resolve().parents[1] / "examples" / "send.py"
TEXT = "Good news – at last.\n" + "A long line of it. " * 20
LIST_HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post")


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as running:
        yield running


def exported(world: World) -> bytes:
    done = world.app.test_cli_runner().invoke(args=["export", "newsletter", "--format", "jsonl"])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def started(relay: Relay, folder: Path, export: bytes, *more: str, text: str = TEXT) -> subprocess.Popen[bytes]:
    """The example at work on this export; `more`: options."""
    (folder / "issue.txt").write_text(text, "utf-8")
    (folder / "export").write_bytes(export)
    options = ["--subject", "May", "--text", str(folder / "issue.txt"), "--host", relay.host, "--port", str(relay.port)]
    command = [sys.executable, str(SEND), *options, *more]
    with (folder / "export").open("rb") as given:
        return subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def send(
    relay: Relay, folder: Path, export: bytes, *more: str, as_file: bool = False, text: str = TEXT
) -> subprocess.CompletedProcess[bytes]:
    named = [str(folder / "export")] if as_file else []
    running = started(relay, folder, export, *named, *more, text=text)
    output, errors = running.communicate(timeout=30)
    return subprocess.CompletedProcess(running.args, running.returncode, output, errors)


def header_of(mail: Mail, name: str) -> str:
    """As it is in the bytes: unfolded and not decoded."""
    head = mail.raw.split(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").decode("ascii")
    return next(line.partition(": ")[2] for line in head.split("\r\n") if line.startswith(f"{name}: "))


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "standard input"])
def test_an_issue_reaches_every_confirmed_subscriber(world: World, relay: Relay, tmp_path: Path, as_file: bool) -> None:
    world.subscribe(BART)
    world.sign_up(ANNE)
    assert send(relay, tmp_path, exported(world), as_file=as_file).returncode == 0
    (mail,) = relay.mails
    assert mail.recipients == (BART,)
    assert TEXT.strip() in str(mail.message.get_content()).replace("\r\n", "\n")


def test_one_click_from_the_received_header_unsubscribes(world: World, relay: Relay, tmp_path: Path) -> None:
    world.subscribe(BART)
    send(relay, tmp_path, exported(world))
    link, body = (header_of(relay.mails[0], name) for name in LIST_HEADERS)
    assert world.post(link.strip("<>"), data=dict([body.split("=")])).status_code == 200
    assert [one.state for one in world.subscriptions()] == ["unsubscribed"]
    assert exported(world) == b""


def test_each_mail_carries_the_pair_of_its_own_recipient(world: World, relay: Relay, tmp_path: Path) -> None:
    world.subscribe(ANNE)
    world.subscribe(BART)
    send(relay, tmp_path, exported(world))
    pairs = {mail.recipients[0]: header_of(mail, "List-Unsubscribe") for mail in relay.mails}
    assert pairs == {ANNE: f"<{world.leave_link(ANNE)}>", BART: f"<{world.leave_link(BART)}>"}


def test_a_refused_recipient_is_named_and_stops_nobody_else(world: World, relay: Relay, tmp_path: Path) -> None:
    world.subscribe(ANNE)
    world.subscribe(BART)
    relay.behave("rcpt", "550 5.1.1 no such user", match=ANNE)
    done = send(relay, tmp_path, exported(world))
    assert (done.returncode, ANNE in done.stderr.decode()) == (1, True)
    assert [mail.recipients for mail in relay.mails] == [(BART,)]


def test_no_line_of_the_mail_is_longer_than_the_standard_allows(world: World, relay: Relay, tmp_path: Path) -> None:
    world.subscribe(BART)
    send(relay, tmp_path, exported(world))
    body = relay.mails[0].raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
