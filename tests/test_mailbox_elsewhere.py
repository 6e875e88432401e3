"""The mailbox of the try-out mode is there for this machine alone, whatever server listens on whatever address."""

import http.client
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from subscriptions.settings import BadSettings
from subscriptions.settings.file import load
from tests.builders import ANNE, NEWS, World
from tests.support.ports import LOOPBACK
from tests.support.relay import Relay
from tests.support.server import Server, flask
from tests.test_process_refused import refused
from tests.test_process_start import WSGIREF

HERE = ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1")
ELSEWHERE = ("192.0.2.9", "10.0.0.9", "172.17.0.1", "fd00::2", "fe80::1%eth0", "::ffff:192.0.2.9", "")
FORWARDING = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
HOSTS = ("127.0.0.1:8000", "localhost:5000", "[::1]:8000", "127.0.0.1")
FIRST = f"/mailbox/templates/{NEWS}/confirm/en"
PATHS = (
    "/mailbox", "/mailbox/", "/mailbox/1", "/mailbox/1/body", "/mailbox/1/source", "/mailbox/clock", "/mailbox/none",
    "/mailbox/templates", "/mailbox/templates/", FIRST, f"{FIRST}/body", f"{FIRST}/source", "//mailbox", "/mailbox//1",
)  # fmt: skip
OFFERING = ("/", f"/subscribe/{NEWS}", f"/embed/{NEWS}", "/preferences", "/nothing-here")
ALL = "0.0.0.0"  # noqa: S104
EVERYWHERE = (*flask("run", "--port", "{port}", "--host"), ALL)
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # nothing of it is stored


def asked(world: World, path: str, peer: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Status and page, without the number of the request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    environ = {"REQUEST_METHOD": method, "REMOTE_ADDR": peer, "PATH_INFO": path}
    form = {"forward": "24h"} if method == "POST" else None
    answer = world.client.open(
        "/", base_url="http://127.0.0.1:8000", method=method, headers=named, data=form, environ_overrides=environ
    )
    return answer.status_code, re.sub(r"[0-9a-f]{16}", "", answer.get_data(as_text=True))


def strangers() -> Iterator[tuple[str, dict[str, str]]]:
    """Peers and headers that are not straight from this machine."""
    yield from ((peer, {"Host": host}) for peer in ELSEWHERE for host in HOSTS)
    yield from ((peer, {name: "127.0.0.1"}) for peer in ("127.0.0.1", "::1") for name in FORWARDING)


@pytest.fixture
def tried(world: World) -> World:
    world.sign_up(ANNE)
    world.deliver()
    return world


@ONE_DATABASE
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_to_others_there_is_no_mailbox_no_preview_and_no_time_machine(tried: World, method: str) -> None:
    before = tried.clock.now()
    for peer, headers in strangers():
        nothing = asked(tried, "/nothing-here", peer, method, **headers)
        told = {path for path in PATHS if asked(tried, path, peer, method, **headers) != nothing}
        assert (nothing[0] in (400, 404), told) == (True, set()), (peer, headers)
    assert tried.clock.now() == before


@ONE_DATABASE
def test_from_this_machine_it_is_there_by_every_name_of_it(tried: World) -> None:
    there = ("/mailbox", "/mailbox/1", f"{FIRST}/source")
    found = {(path, peer, host): asked(tried, path, peer, Host=host)[0]
             for path in there for peer, host in zip(HERE, HOSTS, strict=True)}  # fmt: skip
    assert set(found.values()) == {200}


@ONE_DATABASE
def test_pages_lead_to_the_mailbox_only_who_may_read_it(tried: World) -> None:
    for path in OFFERING:
        assert "/mailbox" in asked(tried, path, "127.0.0.1")[1]
        for peer, headers in (("192.0.2.9", {}), ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"})):
            page = asked(tried, path, peer, **headers)[1]
            assert "/mailbox" not in page
            assert "only be read on the machine that runs this service" in page


@ONE_DATABASE
def test_who_signs_up_elsewhere_is_not_sent_to_a_webmail_where_no_mail_comes(world: World) -> None:
    answer = world.post(f"/subscribe/{NEWS}", data={"email": "anne@gmail.com"})
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    inbox = world.client.get(answer.headers["Location"], base_url=world.base_url, environ_base=elsewhere)
    assert "Now check your inbox" in inbox.text
    assert "mail.google.com" not in inbox.text


def other_address() -> str:
    """An address of this machine that is not loopback: the one from which it would send. Nothing is sent."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])


def status(address: str, port: int, path: str) -> int:
    with closing(http.client.HTTPConnection(address, port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": f"127.0.0.1:{port}"})
        return connection.getresponse().status


def test_another_server_that_listens_everywhere_shows_it_to_this_machine_alone(tmp_path: Path) -> None:
    everywhere = (sys.executable, "-c", WSGIREF.replace(LOOPBACK, ALL))
    with Server(tmp_path, "sqlite:///everywhere.db", command=everywhere) as server:
        found = {address: status(address, server.port, "/mailbox") for address in (LOOPBACK, other_address())}
        assert list(found.values()) == [200, 404]
        assert status(other_address(), server.port, "/healthz") == 200


@pytest.mark.parametrize(
    "command",
    [EVERYWHERE, (*EVERYWHERE[:-1], "::"), ("env", f"FLASK_RUN_HOST={ALL}", *EVERYWHERE[:-2])],
    ids=["--host", "IPv6", "FLASK_RUN_HOST"],
)
def test_flask_run_refuses_to_show_it_to_everybody(command: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as configured:
        load({"SUBSCRIPTIONS_SERVER__HOST": ALL}, tmp_path)
    said = refused(Server(tmp_path, "sqlite:///never.db", command=command, alone=True))
    assert said.rpartition(" (")[0] == str(configured.value).rpartition(" (")[0]
    assert said.startswith("host in [server] is not a loopback address")


def test_flask_run_shows_it_at_another_name_of_this_machine(tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///name.db", command=(*EVERYWHERE[:-1], "localhost")) as server:
        assert server.get("/mailbox") == 200


def test_flask_run_listens_everywhere_where_mails_go_to_a_relay(relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///relay.db", command=EVERYWHERE, relay=relay) as server:
        assert status(other_address(), server.port, f"/subscribe/{NEWS}") == 200
        assert (server.get("/healthz"), server.get("/mailbox")) == (200, 404)
