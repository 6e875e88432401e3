"""A canary goes through every flow and every error: no log line, metric or error says who it was (G-01 … G-03)."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions import logs
from subscriptions.jobs.jobs import NAMED
from subscriptions.start import Background
from subscriptions.store.engine import transaction
from tests.builders import NEWS, OFFERS, World, bearer, take_database_away, through
from tests.support.relay import Relay

CANARY, NAME, IP = "canary.kv47@example.org", "Zwitscher", "198.51.100.77"
PERSON = ("canary", "kv47", NAME.lower(), IP)
FORM, API = f"/subscribe/{NEWS}", "/api/v1/subscriptions"
PEER = {"environ_base": {"REMOTE_ADDR": IP}}
HEADERS = {"User-Agent": CANARY, "Referer": f"http://127.0.0.1/?email={CANARY}", "Cookie": f"email={CANARY}"}
Answers = list[TestResponse]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Every log line of the process, down to debug."""
    root, stream = logging.getLogger(), io.StringIO()
    kept, level, root.handlers = root.handlers, root.level, []
    logs.setup(stream, logging.DEBUG)
    yield stream
    root.handlers = kept
    root.setLevel(level)


def sign_up(world: World, slug: str = NEWS) -> Answers:
    fields = {"email": CANARY, "name": NAME}
    return [
        world.post(f"/subscribe/{slug}", data=fields, headers=HEADERS, **PEER),
        world.post(API, json=fields | {"list": slug}, headers=HEADERS, **PEER),
    ]


def tokens(world: World) -> list[str]:
    """The secret part of every link that this person has ever got."""
    links = [world.confirm_link(CANARY), world.not_me_link(CANARY), world.leave_link(CANARY)]
    return [link.rpartition("/")[2] for link in links]


def life(world: World) -> Answers:
    """From the sign-up to the end, by every button; then the same links, a character short."""
    sign_up(world)
    confirm, not_me, leave = tokens(world)
    links = [f"/confirm/{confirm}", f"/unsubscribe/{leave}", f"/not-me/{not_me}", f"/not-me/{not_me}/undo"]
    for path in (links[0], f"{links[0]}/again", *links):
        world.get(path, headers=HEADERS, **PEER)
        assert world.post(path, headers=HEADERS, **PEER).status_code < 500
    return [world.post(path[:-1], headers=HEADERS, **PEER) for path in links]


def late(world: World) -> Answers:
    sign_up(world)
    confirm = f"/confirm/{tokens(world)[0]}"
    world.clock.forward(hours=24)
    world.block()
    pages = [world.post(confirm, **PEER)]
    world.clock.forward(days=30)
    world.run("purge")
    return [*pages, world.post(confirm, **PEER), world.post(f"{confirm}/again", **PEER)]


def office(world: World) -> Answers:
    world.subscribe(CANARY, name=NAME, remote_addr=IP)
    paths = {
        f"/api/v1/lists/{NEWS}/subscriptions": "read",
        f"/api/v1/lists/{NEWS}/export": "export",
        "/metrics": "read",
    }
    taken = [world.get(path, headers=bearer(scope)).status_code for path, scope in paths.items()]
    assert taken == [200] * 3
    return [world.get(path, headers=HEADERS | {"Authorization": f"Bearer {CANARY}"}) for path in paths][:2]


WRONG = (
    "canarykv47", "canarykv47@canarykv47", "canarykv47@canarykv47..org", "canarykv47@canary_kv47.org",
    "canarykv47@-canarykv47.org", "canarykv47@canarykv47\u2488.org", "canarykv47@xn--canarykv47-\u00fc.org",
    "canarykv47@canarykv47.test", "canary kv47@example.org", "canarykv47@" + "canarykv47" * 9 + ".org",
    "<canarykv47@example.org>", "canarykv47@[192.0.2.1]",
)  # fmt: skip


def mistyped(world: World) -> Answers:
    return [world.post(API, json={"email": text, "name": NAME}, headers=HEADERS, **PEER) for text in WRONG]


def wrong(world: World) -> Answers:
    fields = [
        {"name": f"{NAME}\n{CANARY}"},
        {"wording": CANARY},
        {"locale": CANARY},
        {"list": CANARY},
        {"name": NAME * 99},
    ]
    return [world.post(API, json={"email": CANARY, **field}, headers=HEADERS, **PEER) for field in fields]


def astray(world: World) -> Answers:
    paths = [
        f"{above}/{CANARY}" for above in ("", "/subscribe", "/confirm", "/unsubscribe", "/static", "/mailbox", "/api")
    ]
    paths += [f"/not-me/{CANARY}/undo", f"/api/v1/lists/{CANARY}/export"]
    answers = [
        ask(f"{path}?email={CANARY}", headers=HEADERS, **PEER) for path in paths for ask in (world.get, world.post)
    ]
    answers.append(world.client.get("/", headers={"Host": CANARY}))
    return [*answers, world.client.open(f"/?{CANARY}", method="CANARYkv47")]


def unreadable(world: World) -> Answers:
    bodies = [
        f'{{"email": "{CANARY}"',
        f'["{CANARY}"]',
        f'{{"email": "{CANARY}", "email": "x"}}',
        CANARY,
        CANARY * 9999,
    ]
    sent = [world.post(API, data=body, content_type="application/json", **PEER) for body in bodies]
    return [
        *sent,
        world.post(API, data=CANARY, content_type=CANARY),
        world.post(FORM, data={"email": CANARY * 9999}, **PEER),
    ]


def faults(world: World) -> Answers:
    """Each table missing in turn: errors whose own text holds the values of the statement."""
    answers = []
    for table in ("outbox", "counters", "suppressions", "registrations"):
        with transaction() as session:
            session.execute(sa.text(f"ALTER TABLE {table} RENAME TO away"))
        answers += sign_up(world)
        with transaction() as session:
            session.execute(sa.text(f"ALTER TABLE away RENAME TO {table}"))
    assert {answer.status_code for answer in answers} == {500}
    return answers


def refused_by_the_data(world: World) -> Answers:
    with transaction() as session:
        session.execute(sa.text("CREATE UNIQUE INDEX one_only ON registrations (address)"))
    sign_up(world)
    world.clock.forward(minutes=15)
    answers = sign_up(world)
    assert [answer.status_code for answer in answers] == [500, 500]
    return answers


def outage(world: World) -> Answers:
    sign_up(world)
    paths = [
        f"/{page}/{token}" for page, token in zip(("confirm", "not-me", "unsubscribe"), tokens(world), strict=True)
    ]
    take_database_away()
    answers = [world.post(path, headers=HEADERS, **PEER) for path in paths] + sign_up(world)
    assert {answer.status_code for answer in answers} == {503}
    return answers


def failing_jobs(world: World) -> Answers:
    sign_up(world)
    background = Background(world.app)
    for table in ("letters", "addresses", "registrations"):
        with transaction() as session:
            session.execute(sa.text(f"ALTER TABLE {table} RENAME TO away_{table}"))
        for name in ("deliver", "block", "purge", "tidy"):
            run_like_the_scheduler(background, name)
    return [world.get("/readyz", **PEER)]


def run_like_the_scheduler(background: Background, name: str) -> None:
    try:
        background._run(NAMED[name])
    except Exception:
        logging.getLogger("apscheduler.executors.default").exception('Job "%s" raised an exception', name)


FLOWS = [life, late, office, mistyped, wrong, astray, unreadable, faults, refused_by_the_data, outage, failing_jobs]


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda one: one.__name__)
def test_nothing_that_is_logged_or_answered_as_an_error_says_who_it_was(
    world: World, logged: io.StringIO, flow: Callable[[World], Answers]
) -> None:
    errors = flow(world)
    assert logged.getvalue() and errors
    named = PERSON[:2] if flow is mistyped else ()  # what is wrong in an address, to whoever typed it
    assert [word for word in PERSON if word in logged.getvalue().lower()] == []
    for answer in errors:
        assert [word for word in PERSON if word in answer.text.lower() and word not in named] == []


@pytest.mark.parametrize("flow", FLOWS, ids=lambda one: one.__name__)
def test_every_log_line_is_json_with_time_level_and_event(
    world: World, logged: io.StringIO, flow: Callable[[World], Answers]
) -> None:
    flow(world)
    for line in lines(logged):
        assert {"time", "level", "event", "logger"} <= line.keys() and str(line["time"]).endswith("Z")
        assert "request_id" in line or not str(line["logger"]).startswith("subscriptions.web")


def test_no_token_of_a_link_and_no_secret_is_logged(world: World, logged: io.StringIO) -> None:
    sign_up(world)
    secrets = [*tokens(world), bearer("read")["Authorization"].partition(" ")[2]]
    world.get("/api/v1/lists", headers={"Authorization": f"Bearer {secrets[-1]}"})
    for page, token in zip(("confirm", "not-me", "unsubscribe"), secrets, strict=False):
        whole = f"/{page}/{token}"
        for path in (whole, f"{whole}/nope", f"{whole}x", f"/{whole}", f"/?next={token}"):
            world.get(path)
            world.post(path)
    assert [one for one in secrets if one in logged.getvalue()] == []


def test_a_line_of_a_request_carries_the_id_that_its_answer_has(world: World, logged: io.StringIO) -> None:
    answer = world.get("/nope")
    assert [line["request_id"] for line in lines(logged)] == [answer.headers["X-Request-ID"]]


def test_a_line_break_in_a_value_makes_no_second_line(logged: io.StringIO) -> None:
    logging.getLogger("test").warning("a\nb\r\n%s", "c\u2028d\x00")
    assert [line["event"] for line in lines(logged)] == ["a\nb\r\nc\u2028d\x00"]


@pytest.mark.parametrize("reply", ["550 5.1.1 <{}> unknown", "451 4.7.1 {} greylisted", "554 no {} here"])
def test_what_a_relay_says_about_an_address_is_not_logged(
    make_app: Callable[..., Flask], world: World, logged: io.StringIO, reply: str
) -> None:
    with Relay() as relay, through(relay, make_app, world.clock) as sending:
        relay.behave("rcpt", reply.format(CANARY))
        sign_up(sending, OFFERS)
        run_like_the_scheduler(Background(sending.app), "deliver")
        shown = sending.get("/readyz").text + sending.get("/metrics").text
    assert [word for word in PERSON if word in (logged.getvalue() + shown).lower()] == []
