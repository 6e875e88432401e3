"""Events of a program that sends: what came back, who reported spam, who left there."""

import base64
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from subscriptions.store.models import Audit, Evidence, Suppression
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Office, World, bearer
from tests.preferences import key
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each

pytestmark = BY_DAY_ON_SQLITE


def tell(world: World, *events: dict[str, Any], query: str = f"?list={NEWS}", **headers: str) -> TestResponse:
    body = events[0] if len(events) == 1 else list(events)
    return world.post(f"/api/v1/events{query}", json=body, headers=headers or bearer("manage"))


def counts(answer: TestResponse) -> tuple[int, int, int]:
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    return found["ended"], found["noted"], found["unchanged"]


def states(world: World) -> dict[str, str]:
    return {row.address or "": str(row.state) for row in world.subscriptions()}


def test_each_kind_of_event_ends_a_subscription_and_says_it_twice_without_harm(world: World) -> None:
    for address in (ANNE, BART, CRIS):
        world.subscribe(address)
    told = (
        {"type": "bounce", "email": ANNE, "hard": True, "reason": f"550 5.1.1 <{ANNE}>: User unknown"},
        {"type": "complaint", "email": BART},
        {"type": "unsubscribe", "email": CRIS},
    )
    assert counts(tell(world, *told)) == (3, 0, 0)
    assert states(world) == {ANNE: "bounced", BART: "unsubscribed", CRIS: "unsubscribed"}
    ends = [one for one in world.evidence() if one.subscription_id and one.fact in ("bounced", "unsubscribed")]
    assert [(one.fact, one.channel) for one in ends] == [
        ("bounced", "api"), ("unsubscribed", "api"), ("unsubscribed", "api"),
    ]  # fmt: skip
    assert ANNE not in str([one.details for one in ends])
    assert counts(tell(world, *told)) == (0, 1, 2)
    assert world.count(Suppression) == 1
    assert world.count(Audit, Audit.act == "events") == 2


def test_a_person_is_found_by_the_id_of_the_export(world: World) -> None:
    world.subscribe(BART)
    world.subscribe(BART, OFFERS)
    line = json.loads(Office(world).get(f"/api/v1/lists/{NEWS}/export?format=jsonl", "export").get_data())
    assert counts(tell(world, {"type": "unsubscribe", "id": line["id"]}, {"type": "bounce", "id": "0" * 32})) == (
        1,
        0,
        1,
    )
    assert [str(row.state) for row in world.subscriptions()] == ["unsubscribed", "confirmed"]


def test_soft_bounces_end_it_on_the_fifth_day_within_thirty(world: World) -> None:
    world.subscribe(BART)
    soft = {"type": "bounce", "email": BART, "status": "4.2.2", "reason": "mailbox full"}
    for day in range(4):
        assert counts(tell(world, soft)) == (0, 1, 0), day
        assert counts(tell(world, soft)) == (0, 0, 1), day  # once a day
        world.clock.forward(days=7)
    world.clock.forward(days=3)  # 31 days after the first
    assert counts(tell(world, soft)) == (0, 1, 0)
    world.clock.forward(days=1)
    assert counts(tell(world, soft)) == (1, 0, 0)
    assert states(world) == {BART: "bounced"}
    assert world.evidence()[-1].details["days"] == "5"


def test_a_refusal_of_us_never_ends_anything_however_often_it_comes(world: World) -> None:
    world.subscribe(BART)
    for _ in range(7):
        tell(world, {"type": "bounce", "email": BART, "hard": True, "status": "5.7.1", "reason": "blocked as spam"})
        world.clock.forward(days=1)
    assert states(world) == {BART: "confirmed"}
    assert world.count(Evidence, Evidence.fact == "returned") == 7


def test_what_happened_before_somebody_came_back_is_about_their_earlier_subscription(world: World) -> None:
    world.subscribe(BART)
    told = {"email": BART, "hard": True, "at": world.clock.now().isoformat()}
    world.clock.forward(days=1)
    assert world.post(world.leave_link(BART)).status_code == 200
    world.clock.forward(days=1)
    world.subscribe(BART)
    for kind in ("bounce", "complaint", "unsubscribe"):
        assert counts(tell(world, told | {"type": kind})) == (0, 0, 1), kind
    assert states(world) == {BART: "confirmed"}


WHEN = ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00.2735393+01:00", "2026-11-23T12:00:00.123Z", "2999-01-01T00:00:00Z"]


@each("at", WHEN)
@ONE_DATABASE
def test_times_are_taken_as_providers_write_them_and_never_lie_ahead(world: World, at: str) -> None:
    assert counts(tell(world, {"type": "complaint", "email": ANNE, "at": at})) == (0, 1, 0)


WRONG = {
    "type": {"type": "click", "email": BART},
    "email": {"type": "bounce", "email": "nobody"},
    "list": {"type": "bounce", "email": BART, "list": "gone"},
    "at": {"type": "bounce", "email": BART, "at": "yesterday"},
    "status": {"type": "bounce", "email": BART, "status": "550"},
    "hard": {"type": "bounce", "email": BART, "hard": "yes"},
    "reason": {"type": "bounce", "email": BART, "reason": "x" * 2001},
    "ip": {"type": "bounce", "email": BART, "ip": "192.0.2.1"},
}


def test_what_is_wrong_is_pointed_at_and_the_rest_is_done(world: World) -> None:
    world.subscribe(BART)
    answer = tell(world, *WRONG.values(), {"type": "unsubscribe", "email": BART})
    assert counts(answer) == (1, 0, 0)
    pointers = [one["pointer"] for one in answer.get_json()["problems"]]
    assert pointers == [f"/{number}/{name}" for number, name in enumerate(WRONG)]
    for name, event in WRONG.items():
        alone = tell(world, event)
        assert (alone.status_code, alone.get_json()["errors"][0]["pointer"]) == (422, f"/{name}")


@each(
    "body",
    [
        b"[]",
        b"7",
        b"[7]",
        b'[{"type": "bounce"}]',
        b"[" + b'{"type":"bounce","email":"a@example.org"},' * 1000 + b"{}]",
    ],
)
@ONE_DATABASE
def test_a_body_without_an_event_or_with_too_many_is_refused_as_a_whole(world: World, body: bytes) -> None:
    headers = bearer("manage") | {"Content-Type": "application/json"}
    answer = world.post(f"/api/v1/events?list={NEWS}", data=body, headers=headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("way", ["bearer", "basic"])
def test_the_token_may_be_the_password_here_and_nowhere_else(world: World, way: str) -> None:
    world.subscribe(BART)
    secret = bearer("manage")["Authorization"].partition(" ")[2]
    basic = base64.b64encode(f"anything:{secret}".encode()).decode()
    shown = f"Bearer {secret}" if way == "bearer" else f"Basic {basic}"
    assert counts(tell(world, {"type": "unsubscribe", "email": BART}, Authorization=shown)) == (1, 0, 0)
    reads = world.get("/api/v1/lists", headers={"Authorization": shown})
    assert (reads.status_code, "Basic" in reads.headers.get("WWW-Authenticate", "")) == (
        403 if way == "bearer" else 401,
        False,
    )


def test_without_a_token_of_that_scope_nothing_is_told(world: World) -> None:
    world.subscribe(BART)
    event = {"type": "unsubscribe", "email": BART}
    without = world.post("/api/v1/events", json=event)
    assert (without.status_code, without.headers["WWW-Authenticate"]) == (401, 'Bearer realm="api", Basic realm="api"')
    assert world.post("/api/v1/events", json=event, headers={"Authorization": "Basic !"}).status_code == 401
    assert tell(world, event, **bearer("export")).status_code == 403
    assert states(world) == {BART: "confirmed"} and key(world, BART)
