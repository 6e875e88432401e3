"""A policy's page is fetched as somebody who trusts it with nothing would: each way to go wrong ends in a sentence."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from subscriptions import fetch
from subscriptions.domain.readable import Unreadable
from subscriptions.domain.sites import is_example
from tests.support.cases import each
from tests.support.certificates import Certificate, ca_file
from tests.support.https_site import Answer, HttpsSite

PAGE = "<nav>Menu</nav><h1>Privacy</h1><p>We store your <b>address</b>.</p><ul><li>One<li>Two</ul><script>no()</script>"
TEXT = "# Privacy\n\nWe store your address.\n\n- One\n- Two"
HTML = {"Content-Type": "text/html"}


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file()))


@pytest.fixture
def site() -> Iterator[HttpsSite]:
    with HttpsSite(policy=Answer(PAGE.encode())) as site:
        yield site


def read(source: str, *, near: bool = True, seconds: float = 5.0, root: Path = Path()) -> str:
    return fetch.read(source, root, near=near, seconds=seconds)[0]


def refused(source: str, **more: bool | float) -> str:
    with pytest.raises(Unreadable) as caught:
        read(source, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_page_becomes_what_a_person_reads_and_is_kept_as_it_came(site: HttpsSite) -> None:
    text, raw = fetch.read(site.url(), Path(), near=True)
    assert (text, zlib.decompress(raw)) == (TEXT, PAGE.encode())
    [asked] = site.asked
    assert asked["User-Agent"].startswith("Yestwice") and not {"Cookie", "Referer", "Authorization"} & asked.keys()
    assert asked["Host"] == f"localhost:{site.port}"


ODD: list[tuple[str, Answer, str]] = [
    ("gzip", Answer(gzip.compress(PAGE.encode()), headers=HTML | {"Content-Encoding": "gzip"}), TEXT),
    ("latin", Answer("Häuser".encode("latin-1"), headers={"Content-Type": "text/plain"}), "Häuser"),
    ("named", Answer("Häuser".encode("utf-16"), headers={"Content-Type": 'text/plain; charset="UTF-16"'}), "Häuser"),
    ("meta", Answer(b"<meta charset=iso-8859-15><p>\xa4 5", headers=HTML), "€ 5"),
    ("wrong", Answer("<p>Häuser".encode(), headers={"Content-Type": "text/html; charset=punycode"}), "Häuser"),
    ("nul", Answer(b"<p>a\0b\x1bc", headers=HTML), "abc"),
    ("main", Answer(b"<p>12:00<main><h2>Policy</h2></main><p>(c)", headers=HTML), "## Policy"),
    ("furniture", Answer(b"<nav>All of it", headers=HTML), "All of it"),
    ("link", Answer(b'<a href="/more">more</a> <a href="#top">top</a>', headers=HTML), "more <{site}/more> top"),
]


@each(("name", "answer", "says"), ODD)
def test_what_is_written_in_odd_ways_is_read_as_well(site: HttpsSite, name: str, answer: Answer, says: str) -> None:
    site.pages[f"/{name}"] = answer
    assert read(site.url(name)) == says.format(site=f"https://localhost:{site.port}")


def to(url: str) -> Answer:
    return Answer(b"", 302, {"Location": url})


def _without_end(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"x" * (3 * 1024 * 1024))


BAD: list[tuple[str, Answer | Callable[[BaseHTTPRequestHandler], None], str]] = [
    ("nowhere", Answer(b"", 404), "status 404"), ("broken", Answer(b"", 500), "status 500"),
    ("empty", Answer(b""), "has no text"), ("blank", Answer(b"<script>x</script>\n "), "has no text"),
    ("picture", Answer(b"x", headers={"Content-Type": "image/png"}), "is not text/html"),
    ("untold", Answer(b"x", headers={}), "is not text/html"),
    ("huge", Answer(b"x" * (2 * 1024 * 1024 + 1)), "larger than 2 MiB"), ("endless", _without_end, "larger than 2 MiB"),
    ("bomb", Answer(gzip.compress(b"x" * 5 * 10**7), headers=HTML | {"Content-Encoding": "gzip"}), "larger than 2 MiB"),
    ("half", Answer(gzip.compress(PAGE.encode())[:-9], headers=HTML | {"Content-Encoding": "gzip"}), "ends too early"),
    ("unpacked", Answer(b"plain", headers=HTML | {"Content-Encoding": "gzip"}), "packed badly"),
    ("brotli", Answer(b"x", headers=HTML | {"Content-Encoding": "br"}), "nobody asked for"),
    ("short", Answer(b"x", headers=HTML | {"Transfer-Encoding": "chunked"}), "cannot be reached"),
    ("circle", to("/circle"), "more than 3 times"), ("back", to(""), "more than 3 times"),
    ("plain", to("http://localhost/policy"), "https://"), ("file", to("file:///etc/passwd"), "https://"),
    ("metadata", to("https://169.254.169.254/latest"), "visitors cannot reach"),
    ("number", to("https://2852039166/latest"), "visitors cannot reach"),
    ("neighbour", to("https://10.0.0.1/"), "visitors cannot reach"),
    ("strange", to("https://[::ffff:169.254.169.254]/"), "visitors cannot reach"),
    ("odd", to("https://[x/"), "no web address"), ("dots", to("https://a..b/"), "no web address"),
]  # fmt: skip


@each(("name", "answer", "says"), BAD)
def test_a_page_that_is_none_is_refused_with_the_reason(site: HttpsSite, name: str, answer: Answer, says: str) -> None:
    site.pages[f"/{name}"] = answer
    assert says in refused(site.url(name))


def test_three_redirects_are_followed_and_each_is_a_page_of_its_own(site: HttpsSite) -> None:
    site.pages |= {"/1": to("/2"), "/2": to(site.url("3")), "/3": to("policy")}
    assert read(site.url("1")) == TEXT and len(site.asked) == 4


def test_no_page_of_this_machine_is_read_for_a_service_that_is_in_the_open(site: HttpsSite) -> None:
    for host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "127.1"):  # noqa: S104
        assert "visitors cannot reach" in refused(f"https://{host}:{site.port}/policy", near=False), host
    assert site.asked == []


OUTSIDE = {
    "fec0::1": False, "3fff::1": False, "64:ff9b:1::7f00:1": False, "192.0.0.192": False, "192.88.99.1": False,
    "93.184.215.14": True, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": True, "100.64.0.1": False, "192.168.1.1": False,
    "169.254.169.254": False, "fd00:ec2::254": False, "fe80::1%eth0": False, "::ffff:10.0.0.1": False,
    "64:ff9b::7f00:1": False, "2002:7f00:1::": False, "224.0.0.1": False, "0.0.0.0": False, "::": False,  # noqa: S104
}  # fmt: skip


@each(("ip", "expected"), OUTSIDE.items())
def test_an_address_is_outside_or_it_is_not(ip: str, expected: bool) -> None:
    assert fetch.is_outside(ip) is expected


def test_of_several_addresses_each_must_be_outside_and_the_one_that_was_checked_is_called(
    site: HttpsSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked up once: a name server that answers twice in two ways gains nothing (DNS rebinding)."""
    known, asked = socket.getaddrinfo, list[str]()

    def answer(host: str, *more: object, **named: object) -> object:
        asked.append(host)
        if host != "policy.club.example":
            return known(host, *more, **named)  # type: ignore[arg-type]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert "visitors cannot reach" in refused(f"https://policy.club.example:{site.port}/policy")
    assert (asked, site.asked) == (["policy.club.example"], [])
    assert read(site.url()) == TEXT and asked[1:] == ["localhost", "127.0.0.1"]


@each("certificate", [Certificate.OTHER_HOST, Certificate.UNKNOWN_CA])
def test_a_wrong_certificate_is_named(certificate: Certificate) -> None:
    with HttpsSite(certificate, policy=Answer(PAGE.encode())) as site:
        assert "cannot be reached (its certificate: " in refused(site.url()) and site.asked == []


def test_whoever_only_sends_a_byte_now_and_then_is_cut_off_wherever_they_are(site: HttpsSite) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
        handler.wfile.write(b"\r\n" if handler.path == "/body" else b"X-Long: ")
        while not site.over.wait(0.05):
            handler.wfile.write(b"x")

    site.pages |= {"/body": drip, "/head": drip}
    for path in ("body", "head"):
        assert refused(site.url(path), seconds=0.6) == "did not answer in time", path


def test_a_handshake_that_never_ends_is_cut_off() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"\x16\x03\x03\x3f\xff")
                while not over.wait(0.05):
                    connection.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        assert refused(f"https://localhost:{server.getsockname()[1]}/", seconds=0.6) == "did not answer in time"
        over.set()


def test_nobody_there_is_said_without_an_address() -> None:
    assert refused("https://localhost:9/") == "cannot be reached (NewConnectionError)"
    assert "DNS does not know" in refused("https://nowhere.invalid/")


def test_a_pdf_is_named_by_the_hash_of_its_bytes(site: HttpsSite) -> None:
    site.pages["/policy"] = Answer(b"%PDF-1.7 x", headers={"Content-Type": "application/pdf"})
    text, raw = fetch.read(site.url(), Path(), near=True)
    assert text.startswith("This policy is a PDF of 10 bytes.\nSHA-256: ") and zlib.decompress(raw) == b"%PDF-1.7 x"


def test_a_file_is_read_as_its_name_says(tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text("# Privacy\n\nWe *store*.\n")
    (tmp_path / "policy.html").write_text(PAGE)
    (tmp_path / "huge.txt").write_bytes(b"x" * (2 * 1024 * 1024 + 1))
    assert read("policy.md", root=tmp_path) == "# Privacy\n\nWe *store*." and read("policy.html", root=tmp_path) == TEXT
    for name, says in (("gone.txt", "is not a file"), (".", "is not a file"), ("huge.txt", "larger than 2 MiB")):
        with pytest.raises(Unreadable, match=says):
            read(name, root=tmp_path)


@each("piece", ["<!--", "<![a", "</", "<a ", "<a b='", "<?", "&#", "<script><", "<p></"])
def test_html_that_is_all_beginning_keeps_nobody_busy(site: HttpsSite, piece: str) -> None:
    site.pages["/odd"] = Answer((piece * 600_000)[: 2 * 1024 * 1024].encode())
    assert refused(site.url("odd"), seconds=60.0) in ("is not HTML that can be read", "has no text")


def test_addresses_of_documentation_are_nobodys() -> None:
    named = ("https://example.org/privacy", "https://www.example.com", "https://a.test/x", "https://club.example")
    assert all(map(is_example, named))
    assert not any(map(is_example, ("https://myexample.org/", "https://example.org.uk", "policy.md", "https://[x")))
