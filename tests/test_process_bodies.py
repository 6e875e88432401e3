"""Bodies that are slow, too large or cut off: they take no thread, are told so, and nothing of them is stored."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lines import FORM_HEAD, JSON_HEAD, SLOW, answered, called, chunked, heard, said, status_of
from tests.support.load import sign_up
from tests.support.relay import Relay
from tests.support.server import Server, until
from tests.support.sql import number, rows

URL = "sqlite:///bodies.db"
CHUNKS, CLOSE = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", b"Connection: close\r\n"
ANNE, BY_FORM, END = b'{"email": "anne@example.org"}', b"email=anne@example.org", b"0\r\n\r\n"
LARGE = 70_000


@pytest.fixture
def server(relay: Relay, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, URL, relay=relay) as server:
        yield server


def stored(tmp_path: Path) -> int:
    """Sign-ups, and what else one leaves behind."""
    return number(
        f"sqlite:///{tmp_path}/bodies.db",
        "SELECT (SELECT count(*) FROM registrations) + (SELECT count(*) FROM addresses)",
    )


def test_400_slow_bodies_hold_up_nobody_and_each_is_told_408(relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, URL, relay=relay) as server:
        until(lambda: server.get("/readyz") == 200)
        lines = [called(server, (JSON_HEAD, FORM_HEAD)[n % 2] + SLOW[n // 2 % 2]) for n in range(400)]
        assert (server.get("/healthz"), server.get("/readyz"), server.get("/subscribe/newsletter")) == (200, 200, 200)
        assert server.ask("POST", *sign_up("anne@example.org")[1:])[0] == 202
        assert answered(lines) == 0
        assert Counter(status_of(heard(line)) for line in lines) == {408: 400}
        assert server.get("/subscribe/newsletter") == 200


def test_bodies_whose_line_is_dead_hold_no_thread(server: Server, tmp_path: Path) -> None:
    for slow in SLOW:
        lines = [called(server, JSON_HEAD + slow) for _ in range(40)]
        for line in lines:
            line.close()
        assert server.get("/subscribe/newsletter") == 200
    assert stored(tmp_path) == 0


REFUSED = {
    "longer than it may be": (413, b"Content-Length: 70000\r\n\r\n"),  # before any of it has come
    "in chunks, too long": (413, CHUNKS + chunked(*[b" " * 1000] * 70) + END),
    "too long in one chunk": (413, CHUNKS + chunked(b"{" + b" " * LARGE) + END),
    "good, and blanks without an end": (413, CHUNKS + chunked(ANNE, *[b" " * 4000] * 50, b"garbage") + END),
    "in a bad chunk": (400, CHUNKS + chunked(ANNE) + b"zz\r\n"),
    "in a bad first chunk": (400, CHUNKS + b"zz\r\n"),
    "with a chunk larger than there are": (400, CHUNKS + b"f" * 17 + b"\r\n" + ANNE),
    "with trailers": (400, CHUNKS + chunked(ANNE) + b"0\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"),
    "in another coding": (501, b"Transfer-Encoding: gzip, chunked\r\n" + CLOSE + b"\r\n" + chunked(ANNE) + END),
    "of two lengths": (400, b"Content-Length: 29\r\nContent-Length: 30\r\n\r\n" + ANNE),
    "of a length and in long chunks": (
        413, b"Content-Length: 29\r\n" + CHUNKS + chunked(ANNE + b" " * LARGE) + END),
    "of no length that there is": (400, b"Content-Length: +29\r\n\r\n" + ANNE),
}  # fmt: skip


@pytest.mark.parametrize("head", [JSON_HEAD, FORM_HEAD], ids=["JSON", "form"])
def test_a_body_that_is_too_large_or_broken_is_refused_and_stores_nothing(
    head: bytes, server: Server, tmp_path: Path
) -> None:
    found = {name: status_of(said(server, head + rest)) for name, (_, rest) in REFUSED.items()}
    assert found == {name: status for name, (status, _) in REFUSED.items()}
    assert stored(tmp_path) == 0


@pytest.mark.parametrize("rest", [b"Content-Length: 29\r\n\r\n" + ANNE[:-1], CHUNKS + chunked(ANNE), CHUNKS[:-2]])
def test_a_body_that_is_cut_off_stores_nothing(rest: bytes, server: Server, tmp_path: Path) -> None:
    for head in (JSON_HEAD, FORM_HEAD):
        line = called(server, head + rest)
        line.shutdown(1)  # no more comes
        assert status_of(heard(line)) in (0, 400)
    assert stored(tmp_path) == 0


def test_a_body_in_chunks_is_taken_whichever_door_it_goes_through(server: Server, tmp_path: Path) -> None:
    pieces = CHUNKS + chunked(ANNE[:7], ANNE[7:]) + END
    by_flask = JSON_HEAD.replace(b"json\r\n", b"json; charset=utf-8\r\n")
    form = CHUNKS + chunked(BY_FORM[:7], BY_FORM[7:]) + END
    heads = {JSON_HEAD: (202, pieces), by_flask: (202, pieces), FORM_HEAD: (303, form)}
    assert {head: status_of(said(server, head + rest)) for head, (_, rest) in heads.items()} == {
        head: status for head, (status, _) in heads.items()
    }
    assert number(f"sqlite:///{tmp_path}/bodies.db", "SELECT sum(asked) FROM addresses") == 3


FORGED, REAL = b"X_Forwarded_For: 192.0.2.%d\r\n", b"X-Forwarded-For: 198.51.100.7\r\n"


@pytest.mark.parametrize(("proxies", "ip"), [("1", "198.51.100.7"), ("0", "127.0.0.1")])
def test_a_visitor_cannot_choose_an_ip_by_a_header_with_an_underscore(
    proxies: str, ip: str, relay: Relay, tmp_path: Path
) -> None:
    limited = {"SERVER__TRUSTED_PROXIES": proxies, "LIMITS__SIGNUPS_PER_NETWORK": '"3/1h"'}
    with Server(tmp_path, URL, relay=relay, **limited) as server:
        by_flask = JSON_HEAD.replace(b"json\r\n", b"json; charset=utf-8\r\n")
        bodies = {
            JSON_HEAD: ANNE,
            by_flask: ANNE.replace(b"anne", b"bart"),
            FORM_HEAD: BY_FORM.replace(b"anne", b"cris"),
        }
        statuses = []
        for number_, (head, body) in enumerate([*bodies.items(), *bodies.items()]):
            real = REAL if proxies == "1" else b""
            length = CLOSE + b"Content-Length: %d\r\n\r\n" % len(body)
            statuses.append(status_of(said(server, head + FORGED % number_ + real + length + body)))
    assert statuses == [202, 202, 303, 429, 429, 429]
    found = rows(f"sqlite:///{tmp_path}/bodies.db", "SELECT DISTINCT ip FROM evidence WHERE fact = 'registered'")
    assert found == [(ip,)]
    # whoever was refused has been counted, and only once
    assert rows(f"sqlite:///{tmp_path}/bodies.db", "SELECT count FROM counted_keys") == [(6,)]
