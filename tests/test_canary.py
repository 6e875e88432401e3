"""A canary goes through every flow and every error: no log, no metric and no error shows a person (G-01 … G-03)."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from subscriptions import logs
from subscriptions.store.engine import transaction
from tests.builders import NEWS, World

ADDRESS, NAME, IP = "canary.bird@example.org", "Canaria", "198.51.100.77"
HIDDEN = re.compile(r"canary|canaria|198\.51\.100\.77", re.IGNORECASE)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged, down to DEBUG, as the server writes it."""
    stream = io.StringIO()
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    logs.setup(stream, logging.DEBUG)
    yield stream
    root.handlers[:], root.level = kept, level


def through_everything(world: World) -> list[str]:
    """Each flow and each mistake; the tokens that it met, and the bodies of what went wrong."""
    for _ in range(2):
        world.sign_up(ADDRESS, name=NAME, remote_addr=IP)
    world.sign_up_by_form(ADDRESS, name=NAME, website="x")
    confirm, not_me = world.confirm_link(ADDRESS), world.not_me_link(ADDRESS)
    leave = world.leave_link(ADDRESS)
    wrong = [world.post(url, environ_base={"REMOTE_ADDR": IP}) for url in (confirm[:-2] + "xx", leave + "x")]
    for url in (confirm, confirm, leave, confirm, not_me, not_me + "/undo"):
        world.get(url)
        world.post(url, environ_base={"REMOTE_ADDR": IP})
    wrong += [
        world.sign_up(f"{ADDRESS} x", name=NAME),
        world.sign_up(ADDRESS, slug=ADDRESS),
        world.sign_up(ADDRESS, wording=ADDRESS),
        world.get(f"/subscribe/{ADDRESS}"),
        world.get("/api/v1/lists", headers={"Authorization": f"Bearer {ADDRESS}"}),
        world.client.get("/", base_url=f"http://{ADDRESS.replace('@', '.')}"),
        world.get("/nowhere", headers={"X-Request-ID": f"{ADDRESS}\n"[:-1]}),
    ]
    return [one.rpartition("/")[2] for one in (confirm, not_me, leave)] + [one.text for one in wrong]


def break_the_database() -> None:
    with transaction() as session:
        session.execute(sa.text("ALTER TABLE registrations RENAME TO elsewhere"))


def test_no_log_line_and_no_error_shows_a_person_or_a_token(world: World, lines: io.StringIO) -> None:
    *tokens, _first, _second = through_everything(world)[:5]
    bodies = through_everything(world)[3:]
    break_the_database()
    failed = [world.sign_up(ADDRESS, name=NAME, remote_addr=IP), world.sign_up_by_form(ADDRESS, name=NAME)]
    assert [one.status_code for one in failed] == [500, 500]
    logged = lines.getvalue()
    assert logged and not HIDDEN.search(logged)
    assert not [token for token in tokens if token in logged]
    assert not [body for body in (*bodies, *(one.text for one in failed)) if NAME in body or IP in body]


def test_problem_details_of_the_api_repeat_nothing(world: World) -> None:
    answers = [
        world.sign_up(f"{ADDRESS} x"), world.sign_up(ADDRESS, slug=ADDRESS), world.sign_up(ADDRESS, wording=ADDRESS),
        world.sign_up(ADDRESS, locale=f"{ADDRESS}!"),
    ]  # fmt: skip
    assert [one.status_code for one in answers] == [422, 404, 422, 422]
    assert not [one.text for one in answers if HIDDEN.search(one.text)]


def test_metrics_and_readiness_show_no_person(world: World) -> None:
    world.subscribe(ADDRESS, name=NAME, remote_addr=IP)
    shown = [world.client.get(path, environ_base={"REMOTE_ADDR": "127.0.0.1"}).text for path in ("/metrics", "/readyz")]
    assert NEWS in shown[0] and "jobs" in shown[1]
    assert not HIDDEN.search("".join(shown))


def test_every_log_line_is_json_with_time_level_event_and_request(world: World, lines: io.StringIO) -> None:
    world.get("/nowhere", headers={"X-Request-ID": "asked-1"})
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    asked = [one for one in found if one.get("request_id") == "asked-1"]
    assert asked and all({"time", "level", "event", "request_id"} <= one.keys() for one in asked)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", one["time"]) for one in found)
