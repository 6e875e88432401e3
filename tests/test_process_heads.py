"""Heads as an attacker writes them: what cannot be read is nothing to decide by, behind a proxy and without one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lines import JSON_HEAD, said, status_of
from tests.support.relay import Relay
from tests.support.server import Server
from tests.support.sql import number

CLOSE, HOST = b"Connection: close\r\n\r\n", b"Host: 127.0.0.1\r\n"
NAMES = "X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Real-IP Forwarded Via Authorization Origin Sec-Fetch-Site"
HARMLESS = "Referer User-Agent Accept-Language Cookie X-Anything X-Request-ID Accept-Encoding Range If-None-Match"


@pytest.fixture(params=["0", "1"])
def server(request: pytest.FixtureRequest, relay: Relay, tmp_path: Path) -> Iterator[Server]:
    with Server(
        tmp_path, f"sqlite:///{tmp_path}/heads.db", relay=relay, SERVER__TRUSTED_PROXIES=request.param
    ) as server:
        yield server


def get(server: Server, head: bytes, path: bytes = b"/metrics", version: bytes = b"1.1") -> int:
    return status_of(said(server, b"GET %s HTTP/%s\r\n" % (path, version) + head + CLOSE))


def test_a_header_that_decides_and_cannot_be_read_is_400(server: Server) -> None:
    assert get(server, HOST) == 200  # from this machine
    assert get(server, HOST + b"X-Forwarded-For: 203.0.113.5\r\n") == 401
    for name in map(str.encode, NAMES.split()):
        for value in (b"\xff", b"\xff, 203.0.113.5", "é".encode(), b"\xff\r\n%s: 203.0.113.5" % name):
            assert get(server, HOST + b"%s: %s\r\n" % (name, value)) == 400, (name, value)


def test_a_sign_up_through_a_proxy_is_never_taken_for_one_of_this_machine(server: Server, tmp_path: Path) -> None:
    octets = b'{"email": "anne@example.org"}'
    head = JSON_HEAD + b"Content-Length: %d\r\n" % len(octets)
    for forwarded in (b"\xff, 203.0.113.5", b"\xff\r\nX-Forwarded-For: 203.0.113.5"):
        asked = head + b"X-Forwarded-For: %s\r\n" % forwarded + CLOSE + octets
        assert status_of(said(server, asked)) == 400
    assert number(f"sqlite:///{tmp_path}/heads.db", "SELECT count(*) FROM registrations") == 0


def test_of_two_lines_the_last_is_the_nearest_proxys_and_one_before_it_is_still_seen(server: Server) -> None:
    assert get(server, HOST + b"X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-For: \xff\r\n") == 401


def test_a_harmless_header_that_cannot_be_read_is_as_good_as_none(server: Server) -> None:
    for name in map(str.encode, HARMLESS.split()):
        assert get(server, HOST + name + b": https://example.org/caf\xc3\xa9\xff\r\n", b"/subscribe/newsletter") == 200


def test_a_request_names_its_host_but_for_http_1_0(server: Server) -> None:
    page = b"/subscribe/newsletter"
    assert [get(server, head, page) for head in (b"", b"Host: \xff\r\n", b"Host:\r\n")] == [400] * 3
    assert get(server, b"", b"http://127.0.0.1/subscribe/newsletter") == 400
    assert get(server, HOST, b"http://127.0.0.1/subscribe/newsletter") == 200
    assert [get(server, head, page, b"1.0") for head in (b"", HOST, b"Host: \xff\r\n")] == [200, 200, 400]
