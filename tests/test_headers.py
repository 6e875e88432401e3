"""What stands on every answer, whatever its status, and whose requests are answered at all."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import EnvironBuilder, TestResponse

from subscriptions.settings import Limits, Mail, Server
from subscriptions.store.engine import transaction
from subscriptions.store.models import CountedKey
from tests.builders import ANNE, BART, NEWS, World, bearer, take_database_away, text_of
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each

pytestmark = BY_DAY_ON_SQLITE

FORM = f"/subscribe/{NEWS}"
API = "/api/v1/subscriptions"
FORMS = {"index", "form", "problems"}  # Firefox must be able to say of what follows that they led there
OUTSIDE = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}


def broken(world: World, path: str) -> TestResponse:
    with transaction() as session:
        session.execute(sa.text("DROP TABLE evidence"))
    return world.post(path, data={"email": ANNE}) if path == FORM else world.sign_up(ANNE)


def outage(world: World, path: str) -> TestResponse:
    world.get("/")
    take_database_away()
    return world.post(path, data={"email": ANNE}) if path == FORM else world.sign_up(ANNE)


def crowded(world: World, path: str) -> TestResponse:
    world.sign_up(BART)
    with transaction() as session:
        session.execute(sa.update(CountedKey).values(count=200))
    return world.post(path, data={"email": ANNE}) if path == FORM else world.sign_up(ANNE)


ANSWERS: dict[str, tuple[int, Callable[[World], TestResponse]]] = {
    "index": (200, lambda world: world.get("/")),
    "form": (200, lambda world: world.get(FORM)),
    "check your inbox": (200, lambda world: world.get(f"{FORM}/check-inbox")),
    "mailbox": (200, lambda world: world.get("/mailbox")),
    "style": (200, lambda world: world.get("/static/style.css")),
    "live": (200, lambda world: world.get("/healthz")),
    "metrics": (200, lambda world: world.get("/metrics")),
    "lists": (200, lambda world: world.get("/api/v1/lists", headers=bearer("read"))),
    "export": (200, lambda world: world.get(f"/api/v1/lists/{NEWS}/export", headers=bearer("export"))),
    "options": (200, lambda world: world.client.options(API)),
    "unsubscribe": (200, lambda world: world.post(world.leave_link(ANNE))),
    "taken": (202, lambda world: world.sign_up(ANNE)),
    "form taken": (303, lambda world: world.sign_up_by_form(ANNE)),
    "unknown host": (400, lambda world: world.client.get("/", headers={"Host": "evil.example"})),
    "no token": (401, lambda world: world.get("/api/v1/lists")),
    "wrong scope": (403, lambda world: world.get("/api/v1/lists", headers=bearer("export"))),
    "no page": (404, lambda world: world.get("/nope")),
    "no such api": (404, lambda world: world.get("/api/nope")),
    "no such style": (404, lambda world: world.get("/static/nope.css")),
    "forged": (404, lambda world: world.get("/confirm/x.y.z")),
    "method": (405, lambda world: world.client.put(FORM)),
    "api method": (405, lambda world: world.client.put(API)),
    "row gone": (410, lambda world: world.get(world.parts.links.confirm_url(b"\0" * 16))),
    "too much": (413, lambda world: world.post(FORM, data={"email": "x" * 70_000})),
    "api too much": (413, lambda world: world.post(API, data="x" * 70_000, content_type="application/json")),
    "media type": (415, lambda world: world.post(API, data="{}", content_type="text/plain")),
    "problems": (422, lambda world: world.sign_up_by_form("x")),
    "api problems": (422, lambda world: world.sign_up("x")),
    "limit": (429, lambda world: crowded(world, FORM)),
    "api limit": (429, lambda world: crowded(world, API)),
    "fault": (500, lambda world: broken(world, FORM)),
    "api fault": (500, lambda world: broken(world, API)),
    "outage": (503, lambda world: outage(world, FORM)),
    "api outage": (503, lambda world: outage(world, API)),
    "not ready": (503, lambda world: world.clock.forward(hours=4) and world.get("/readyz")),
}


BREAKING = {"limit", "api limit", "fault", "api fault", "outage", "api outage"}  # what follows would be another answer


@each("name", [name for name in ANSWERS if name not in BREAKING])
def test_every_answer_has_its_status_and_the_headers_that_protect(world: World, name: str) -> None:
    holds(world, name)


@pytest.mark.parametrize("name", sorted(BREAKING))
def test_an_answer_in_need_has_its_status_and_the_headers_that_protect(world: World, name: str) -> None:
    holds(world, name)


def holds(world: World, name: str) -> None:
    status, ask = ANSWERS[name]
    answer = ask(world)
    assert answer.status_code == status
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == ("same-origin" if name in (*FORMS, "mailbox") else "no-referrer")
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy and "*" not in policy
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", headers["X-Request-ID"])
    assert "Set-Cookie" not in headers and "Server" not in headers and "X-Powered-By" not in headers
    assert len({key.lower() for key, _ in headers}) == len(list(headers))
    assert name == "style" or "no-store" in headers["Cache-Control"]
    assert status not in (429, 503) or name == "not ready" or int(headers["Retry-After"]) > 0
    assert not re.search(r"Traceback|sqlalchemy|sqlite|psycopg|werkzeug|\.py", answer.text, re.I)
    answer.close()


def test_a_mail_is_shown_without_scripts_and_framed_by_us_alone(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    policy = world.get("/mailbox/1/body").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "script" not in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy


@ONE_DATABASE
@each("path", ["/", FORM, f"{FORM}/check-inbox", "/mailbox/", "/nope"])
def test_a_page_has_no_script_no_inline_style_and_nothing_of_others(world: World, path: str) -> None:
    page = world.get(path).text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r'(?:src|action)="(?:https?:)?//', page)
    assert set(re.findall(r'href="(https?://[^"]+)"', page)) <= {"https://example.org/privacy"}


@ONE_DATABASE
@each("path", ["/confirm/x", "/unsubscribe/x", "/not-me/x", "/mailbox/", "/nope", "/api/v1/lists"])
def test_what_is_about_a_person_is_no_search_result(world: World, path: str) -> None:
    assert world.get(path).headers["X-Robots-Tag"] == "noindex"
    assert "X-Robots-Tag" not in world.get(FORM).headers


@ONE_DATABASE
@each("given", ["abc-1.2_3", "x" * 64])
def test_a_request_id_that_is_one_is_echoed(world: World, given: str) -> None:
    assert world.get("/", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given
    assert world.get("/api/nope", headers={"X-Request-ID": given}).get_json(force=True)["instance"].endswith(given)


@ONE_DATABASE
@each("given", ["", "a b", "x" * 65, "a@b", "<script>", "ü", "a;b", "../x", "a%0db"])
def test_another_request_id_is_replaced(world: World, given: str) -> None:
    made = world.get("/", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


FORGED = [
    "evil.example",
    "evil@127.0.0.1",
    "127.0.0.1/evil",
    "127.0.0.1.evil.example",
    "127.0.0.1:x",
    "[::1",
    "a b",
    "",
    "127.0.0.1#x",
]


@ONE_DATABASE
@each("host", FORGED)
@each("path", ["/", FORM, "/api/v1/lists", "/static/style.css", "/metrics", "/nope"])
def test_an_unknown_host_is_refused(world: World, path: str, host: str) -> None:
    assert world.client.get(path, headers={"Host": host}, **OUTSIDE).status_code == 400


@ONE_DATABASE
@each("host", FORGED)
def test_health_checks_may_name_any_host(world: World, host: str) -> None:
    assert world.client.get("/healthz", headers={"Host": host}, **OUTSIDE).status_code == 200
    assert world.client.get("/readyz", headers={"Host": host}, **OUTSIDE).status_code == 200


@pytest.fixture
def public(make_app: Callable[..., Flask], world: World) -> Flask:
    server = world.parts.settings.server
    known: dict[str, Any] = {"data_dir": server.data_dir, "pepper": server.pepper, "secret_keys": server.secret_keys}
    address = Server(
        base_url="https://news.example.org", trusted_hosts=("inside.example.org", "[2001:db8::1]"), **known
    )
    return make_app(server=address, mail=Mail(transport="smtp"), limits=Limits())


@ONE_DATABASE
@each(
    "host",
    [
        "news.example.org",
        "NEWS.example.org:443",
        "inside.example.org",
        "inside.example.org:8443",
        "[2001:db8::1]:80",
        "news.example.org.",
        "NEWS.example.org.:443",
        "Inside.Example.org.",
    ],
)
def test_its_own_names_are_known_on_any_port(public: Flask, host: str) -> None:
    assert public.test_client().get("/", headers={"Host": host}, **OUTSIDE).status_code == 200


@ONE_DATABASE
@each("host", ["localhost", "localhost.", "LOCALHOST", "127.0.0.1", "[::1]:8000", "127.0.0.2"])
def test_loopback_names_are_known_from_loopback_alone(public: Flask, host: str) -> None:
    client = public.test_client()
    assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.get("/", headers={"Host": host}, **OUTSIDE).status_code == 400
    assert client.get("/", headers={"Host": host, "X-Forwarded-For": "203.0.113.9"}).status_code == 400


def test_an_address_in_https_is_kept_for_a_year(public: Flask, world: World) -> None:
    host = {"Host": "news.example.org"}
    for path in ("/", "/nope", "/api/v1/lists", "/healthz"):
        age = public.test_client().get(path, headers=host).headers["Strict-Transport-Security"]
        assert int(age.removeprefix("max-age=")) >= 31536000
    assert "Strict-Transport-Security" not in world.get("/").headers


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Forwarded-Server", "Forwarded", "X-Original-URL", "X-Host", "Referer"]
)
def test_no_header_of_a_request_finds_its_way_into_a_mail(world: World, name: str) -> None:
    value = "host=evil.example" if name == "Forwarded" else "evil.example"
    world.sign_up(ANNE, headers={name: value})
    answer = world.post(FORM, data={"email": BART}, headers={name: value})
    world.clock.forward(minutes=15)
    mails = world.mails()
    assert len(mails) == 2 and all("evil" not in str(mail) + text_of(mail) + text_of(mail, "html") for mail in mails)
    assert "evil" not in answer.location


def test_an_answer_of_known_length_leaves_in_one_piece_and_an_export_as_a_stream(world: World) -> None:
    def answer(path: str, **headers: str) -> Any:
        environ = EnvironBuilder(path, base_url=world.base_url, headers=headers).get_environ()
        return world.app.wsgi_app(environ, lambda status, headers: None)

    assert isinstance(answer(FORM), list)
    stream = answer(f"/api/v1/lists/{NEWS}/export", **bearer("export"))
    assert not isinstance(stream, list)
    stream.close()
