"""Static files and scripts on the line: compressed as the visitor's browser likes it, the same for everyone."""

import gzip
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from subscriptions.web.embed.owner_page import SCRIPTS

HOME = Path(__file__).resolve().parents[1] / "subscriptions/web/static"
CSS, SCRIPT = "/static/style.css", "/embed/v2/yestwice.js"
FILES = {CSS: HOME / "style.css", SCRIPT: SCRIPTS / "v2" / "yestwice.js"}
UNDO: dict[str | None, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}


@pytest.fixture(params=["sqlite"])  # nothing is stored
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def get(client: FlaskClient, path: str, accepts: str | None, **headers: str) -> TestResponse:
    wished = {} if accepts is None else {"Accept-Encoding": accepts}
    return client.get(path, headers=wished | {name.replace("_", "-"): value for name, value in headers.items()})


CHOICES = {
    None: None, "": None, "gzip, deflate, br, zstd": "br", "gzip, deflate": "gzip", "br": "br", "GZIP": "gzip",
    "*": "br", "deflate, zstd": None, "identity": None, "br;q=0": None, "br;q=0, gzip": "gzip", "br;q=0, *": "gzip",
    "gzip;q=1.0, br;q=0.5": "gzip", "br;q=0.5": "br", "identity, gzip;q=0.5": None,
    "identity;q=0.5, gzip;q=0.5": "gzip", "gzip;q=0.001": "gzip",
    "gzip;q=0, br;q=0": None, "identity;q=0, gzip": "gzip", "*;q=0, gzip;q=0.1": "gzip",
    "br;q=abc": None, "brr": None, "x-br": None,
}  # fmt: skip


@pytest.mark.parametrize("path", FILES)
def test_the_coding_is_the_one_that_the_request_likes_best(client: FlaskClient, path: str) -> None:
    whole = FILES[path].read_bytes()
    wrong = {}
    for accepts, coding in CHOICES.items():
        answer = get(client, path, accepts)
        chosen = answer.headers.get("Content-Encoding")
        if (answer.status_code, chosen) != (200, coding) or UNDO[chosen](answer.data) != whole:
            wrong[accepts] = (answer.status_code, chosen)
        assert answer.headers["Vary"] == "Accept-Encoding" and int(answer.headers["Content-Length"]) == len(answer.data)
    assert wrong == {}


@pytest.mark.parametrize("accepts", ["identity;q=0", "*;q=0", "br;q=0, gzip;q=0, *;q=0", "identity;q=0, zstd"])
def test_who_refuses_every_coding_there_is_gets_406(client: FlaskClient, accepts: str) -> None:
    answer = get(client, CSS, accepts)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (406, "no-store")


@pytest.mark.parametrize("path", FILES)
def test_each_coding_has_a_strong_etag_of_its_own(client: FlaskClient, path: str) -> None:
    codings = ("identity", "gzip", "br")
    tags = {coding: get(client, path, coding).headers["ETag"] for coding in codings}
    assert len(set(tags.values())) == 3 and all(tag.startswith('"') for tag in tags.values())
    for coding, known in ((one, other) for one in codings for other in codings):
        answer = get(client, path, coding, If_None_Match=tags[known])
        assert answer.status_code == (304 if coding == known else 200), (coding, known)
        assert (answer.headers["ETag"], answer.headers["Vary"]) == (tags[coding], "Accept-Encoding")
        assert answer.status_code == 200 or (answer.data == b"" and "Content-Encoding" not in answer.headers)


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_a_part_is_a_part_of_what_would_have_been_sent_whole(client: FlaskClient, coding: str) -> None:
    whole = get(client, CSS, coding)
    part = get(client, CSS, coding, Range="bytes=10-19")
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
    assert part.headers.get("Content-Encoding") == whole.headers.get("Content-Encoding")
    of_another = get(client, CSS, coding, Range="bytes=10-19", If_Range='"another"')
    assert (of_another.status_code, of_another.data) == (200, whole.data)
    assert get(client, CSS, coding, Range="bytes=999999-").status_code == 416


def test_a_part_in_an_unknown_unit_or_of_a_head_is_no_wish(client: FlaskClient) -> None:
    """RFC 9110 14.2."""
    whole = get(client, CSS, "br")
    part = get(client, CSS, "br", Range="items=0-1")
    assert (part.status_code, part.data) == (200, whole.data)
    assert get(client, CSS, "br", Range="items=0-1", If_None_Match=whole.headers["ETag"]).status_code == 304
    assert client.head(CSS, headers={"Range": "bytes=0-1"}).status_code == 200


@pytest.mark.parametrize("path", FILES)
def test_a_head_request_tells_what_a_get_would(client: FlaskClient, path: str) -> None:
    head = client.head(path, headers={"Accept-Encoding": "br"})
    whole = get(client, path, "br")
    names = ("Content-Encoding", "Content-Length", "Content-Type", "ETag", "Vary", "Cache-Control")
    assert (head.status_code, head.data) == (200, b"")
    assert {name: head.headers[name] for name in names} == {name: whole.headers[name] for name in names}


def test_a_compressed_script_may_be_read_and_held_against_its_hash_by_other_sites(client: FlaskClient) -> None:
    for accepts in ("br", "gzip", "identity"):
        answer = get(client, SCRIPT, accepts)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert set(answer.headers["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
        assert answer.content_type == "text/javascript; charset=utf-8"


def test_the_script_for_other_sites_is_eight_kilobytes_on_the_line(client: FlaskClient) -> None:
    assert len(get(client, SCRIPT, "gzip").data) <= 8200
    assert len(get(client, SCRIPT, "gzip, br").data) <= 7600


def test_static_files_are_kept_for_a_day(client: FlaskClient) -> None:
    assert set(get(client, CSS, "br").headers["Cache-Control"].split(", ")) == {"public", "max-age=86400"}


@pytest.mark.parametrize("path", ["/", "/subscribe/newsletter", "/embed/newsletter", "/api/v1/lists/newsletter/form"])
def test_what_may_hold_a_secret_is_never_compressed(client: FlaskClient, path: str) -> None:
    answer = get(client, path, "gzip, br")
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)


@pytest.mark.parametrize("name", ["nope.css", "../headers.py", "..%2fheaders.py", "vendor", ""])
def test_nothing_but_the_files_of_the_folder_is_served(client: FlaskClient, name: str) -> None:
    assert get(client, f"/static/{name}", "br").status_code == 404
