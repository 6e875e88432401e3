"""A relay that is mad: replies without end and replies without haste cost little, no mail, and not the process."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.builders import ANNE, BART, Movable, World, owed, through
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.faults import Stage
from tests.support.load import sign_up
from tests.support.relay import DRIP, ENDLESS, FLOOD, HANG, JUNK, Relay
from tests.support.server import PATIENCE, Server, until
from tests.support.smtp_session import Security
from tests.test_relay_faults import facts, pause

pytestmark = BY_DAY_ON_SQLITE

HOSTILE = "a\0b\x1b[2Jc\x7f\x9b\u2028\udcff\udced\udca0\udc80 end"  # NUL, ESC, C1, octets that are no UTF-8
BEFORE_THE_END: list[Stage] = ["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data"]
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PATIENT = {"MAIL__TIMEOUT_SECONDS": "300"}
ONE_BY_ONE_TOO = pytest.mark.parametrize("relay", ["starttls", "one by one"], indirect=True)
MEGABYTE = 1 << 20


@pytest.fixture
def relay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    how = getattr(request, "param", "starttls")
    one_by_one = how == "one by one"
    security: Security = "starttls" if one_by_one else how
    with Relay(security=security, login=("anne", "s3cret"), pipelining=not one_by_one) as relay:
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        yield relay


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    account = {"username": "anne", "password": "s3cret"}
    with through(relay, make_app, clock, connections=1, security=relay.offers.security, **account) as world:
        yield world


@pytest.mark.parametrize(
    ("relay", "stage"),
    [("tls", "connect"), *(("starttls", stage) for stage in (*BEFORE_THE_END, "end"))],
    indirect=["relay"],
)
def test_a_reply_without_end_pauses_the_queue_and_bounces_nothing(world: World, relay: Relay, stage: Stage) -> None:
    for address, act in ((ANNE, f"{FLOOD} 550"), (BART, f"{ENDLESS} 450")):
        relay.hang_up()
        relay.behave(stage, act)
        world.sign_up(address)
        assert world.deliver() == 0
        paused, why = pause()
        assert paused
        assert "longer than 100 lines or 64 KiB" in str(why)
        relay.accept()
        world.clock.forward(minutes=5)
        assert world.deliver() == 1
        assert relay.mails[-1].recipients == (address,)
    assert (len(relay.mails), relay.played(stage), pause()) == (2, 2, (False, None))
    assert "mail given up" not in facts(world)


def test_a_mail_that_was_taken_with_words_without_end_leaves_once(world: World, relay: Relay) -> None:
    relay.behave("end", f"{FLOOD} 250", keep=True)
    world.sign_up(ANNE)
    assert world.deliver() == 1
    relay.accept()
    world.clock.forward(hours=1)
    world.deliver()
    assert len(relay.mails) == 1
    assert pause() == (False, None)


@ONE_DATABASE
@pytest.mark.parametrize("stage", [*BEFORE_THE_END, "end"])
def test_a_reply_without_haste_is_given_up_at_the_deadline_and_the_mail_leaves_later(
    world: World, relay: Relay, stage: Stage
) -> None:
    relay.behave(stage, f"{DRIP} 250")
    world.sign_up(ANNE)
    world.deliver()
    assert relay.mails == []
    relay.accept()
    world.clock.forward(minutes=20)
    world.deliver()
    assert [mail.recipients for mail in relay.mails] == [(ANNE,)]
    assert "mail given up" not in facts(world)


@ONE_DATABASE
def test_a_relay_of_many_lines_is_a_relay_all_the_same(world: World, relay: Relay) -> None:
    long = "\r\n".join(["250-" + "x" * 600] * 99 + ["250 2.0.0 taken"])
    relay.behave("end", long, keep=True)
    world.sign_up(ANNE)
    assert world.deliver() == 1
    assert pause() == (False, None)
    assert len(relay.mails) == 1


@pytest.mark.parametrize(
    ("stage", "act", "fact"),
    [("end", "250", "mailed"), ("end", "450", ""), ("rcpt", "450", ""), ("rcpt", "550", "mail given up"),
     ("end", "550", "mail given up"), ("mail", "450", ""), ("connect", "550", ""), ("auth", "535", "")],
)  # fmt: skip
def test_a_reply_with_control_characters_is_stored_without_them(
    world: World, relay: Relay, stage: Stage, act: str, fact: str
) -> None:
    relay.behave(stage, f"{act} {HOSTILE}", keep=act == "250")
    world.sign_up(ANNE)
    world.deliver()
    if fact == "mail given up":  # when it is known to be of this mail alone
        world.clock.forward(hours=1)
        world.deliver()
    said = [str(row.details["reply"]) for row in world.evidence() if row.fact == fact]
    said += [str(mail.note) for mail in owed()] if not fact else []
    assert len(said) == 1 and "a b [2Jc   \ufffd\ufffd\ufffd\ufffd end" in said[0]
    assert fact or owed()[0].taken_by is None


@ONE_BY_ONE_TOO
@pytest.mark.parametrize(
    ("stage", "act"),
    [("mail", JUNK), ("mail", "354 go on"), ("rcpt", JUNK), ("rcpt", "354 go on"), ("data", JUNK), ("data", "250 ok"),
     ("data", "600 no"), ("end", JUNK), ("end", "354 go on"), ("end", "999 no")],
)  # fmt: skip
def test_a_reply_that_makes_no_sense_ends_the_line_and_the_mail_leaves_later(
    world: World, relay: Relay, stage: Stage, act: str
) -> None:
    relay.behave(stage, act)
    world.sign_up(ANNE)
    assert world.deliver() == 0
    assert ([mail.tries for mail in owed()], facts(world), pause()) == ([1], ["registered"], (False, None))
    assert act in str(owed()[0].note)
    relay.wait_until(lambda: not relay.open_connections)
    assert [command for command in relay.commands if command.startswith(("Subject:", "To:"))] == []
    relay.accept()
    world.clock.forward(minutes=20)
    assert world.deliver() == 1
    assert [mail.recipients for mail in relay.mails] == [(ANNE,)]


def test_a_line_that_is_out_of_step_is_not_used_again(world: World, relay: Relay) -> None:
    relay.behave("rcpt", "550 5.1.1 no such user", times=1)
    relay.behave("data", JUNK, times=1)
    world.sign_up(ANNE)
    world.sign_up(BART)
    assert world.deliver() == 1
    assert (relay.connections, facts(world).count("mail given up")) == (2, 1)


def most_memory(server: Server) -> int:
    """The most that one of its processes has held at once, in octets."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in (server.pid, *server.children)]
    return 1024 * max(int(found) for text in texts for found in re.findall(r"VmHWM:\s*(\d+) kB", text))


@pytest.mark.parametrize(("stage", "act"), [("connect", f"{FLOOD} 220"), ("rcpt", f"{FLOOD} 550")])
def test_a_reply_without_end_takes_no_memory(stage: Stage, act: str, tmp_path: Path) -> None:
    with Relay() as relay, Server(tmp_path, "sqlite:///flood.db", relay=relay) as server:
        server.ask("POST", *sign_up("warm-up@example.org")[1:])
        relay.wait_for(1)
        before = most_memory(server)
        relay.behave(stage, act)
        relay.hang_up()
        server.ask("POST", *sign_up("anne@example.org")[1:])
        relay.wait_until(lambda: relay.played(stage) > 0 and not relay.open_connections, 60)
        assert most_memory(server) - before < 30 * MEGABYTE
        assert server.stop() == 0


SLOW: list[tuple[Stage, str]] = [
    ("connect", f"{DRIP} 220"), ("ehlo", HANG), ("rcpt", f"{DRIP} 250"), ("end", HANG), ("quit", f"{DRIP} 221"),
]  # fmt: skip


def test_a_stop_waits_for_no_relay(tmp_path: Path) -> None:
    """All at once: each may take the seconds that a mail on the line is given."""
    with ExitStack() as stack:
        relays = {fault: stack.enter_context(Relay()) for fault in SLOW}
        servers = {fault: stack.enter_context(_amid(fault, relay, tmp_path)) for fault, relay in relays.items()}
        for server in servers.values():
            server.process.send_signal(signal.SIGTERM)
        assert {fault: server.wait() for fault, server in servers.items()} == dict.fromkeys(SLOW, 0)
        assert [fault for fault, server in servers.items() if "Traceback" in server.errors] == []
        for relay in relays.values():
            relay.accept()
            until(lambda relay=relay: not relay.open_connections)  # type: ignore[misc]
        for server in servers.values():
            server.launch()
        for fault, relay in relays.items():
            relay.wait_for(1, PATIENCE)
            assert {mail.recipients for mail in relay.mails} == {("anne@example.org",)}, fault


@contextmanager
def _amid(fault: tuple[Stage, str], relay: Relay, tmp_path: Path) -> Iterator[Server]:
    """A server whose relay does that to its first mail."""
    stage, act = fault
    relay.behave(stage, act)
    (folder := tmp_path / stage).mkdir()
    with Server(folder, "sqlite:///stop.db", relay=relay, **PATIENT) as server:
        server.ask("POST", *sign_up("anne@example.org")[1:])
        relay.wait_until(lambda: relay.played(stage) > 0 or len(relay.mails) > 0)
        yield server
