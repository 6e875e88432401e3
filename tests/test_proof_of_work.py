"""The proof of work: what a solution is worth, once, and how a program brings it."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import altcha
import pytest
from flask import Flask

from subscriptions.clock import Clock
from subscriptions.links.purposes import used_hash
from subscriptions.links.work import ALGORITHM, COST, TRIES, ProofOfWork
from subscriptions.settings import Abuse
from tests.builders import ANNE, BART, NEWS, World, bearer, rows_of_every_table
from tests.conftest import ManualClock
from tests.support.cases import each
from tests.support.work import KEYS, changed, make_light, solved

FORM = f"/subscribe/{NEWS}"


@pytest.fixture
def asking(make_app: Callable[..., Flask], clock: ManualClock) -> Any:
    """A world in which everybody is asked."""
    app = make_app(abuse=Abuse(proof_of_work="always"))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        make_light(world.parts)
        yield world


def work(clock: Clock, *keys: bytes) -> ProofOfWork:
    return ProofOfWork(keys or KEYS, clock, cost=1, tries=(0, 8))


# Challenges and solutions


def test_a_challenge_costs_about_a_second_and_no_visitor_is_unlucky(clock: ManualClock) -> None:
    parameters = ProofOfWork(KEYS, clock).challenge()["parameters"]
    assert (parameters["algorithm"], parameters["cost"]) == (ALGORITHM, COST) == ("PBKDF2/SHA-256", 2000)
    assert len(parameters["keyPrefix"]) == 32  # one number alone is right, and it lies between these
    assert TRIES == (400, 800)


def test_a_solved_challenge_is_believed_for_ten_minutes(clock: ManualClock) -> None:
    mine = work(clock)
    payload = solved(mine.challenge())
    clock.forward(minutes=9, seconds=59)
    found = mine.read(payload)
    assert found and found.until == clock.now() + timedelta(seconds=1)
    clock.forward(seconds=1)
    assert mine.read(payload) is None


def test_what_the_browser_is_told_goes_by_the_real_time(clock: ManualClock) -> None:
    """The clock of the try-out mode may stand in another year."""
    clock.forward(days=400)
    until = work(clock).challenge()["parameters"]["expiresAt"]
    assert abs(until - clock.real_now().timestamp() - 600) < 60


def test_a_solution_survives_a_rotation_of_the_keys_and_no_stranger_makes_one(clock: ManualClock) -> None:
    payload = solved(work(clock).challenge())
    assert work(clock, b"a newer key of the tests", *KEYS).read(payload)
    assert work(clock, b"the key of a stranger").read(payload) is None


def test_a_wrong_solution_proves_nothing(clock: ManualClock) -> None:
    mine = work(clock)
    payload = solved(mine.challenge())
    assert mine.read(changed(payload, {"counter": 1}, {}))  # what counts is the key that was found
    assert mine.read(changed(payload, {"derivedKey": "00" * 32}, {})) is None


@pytest.mark.parametrize(
    "change", [{"keyPrefix": ""}, {"cost": 2}, {"data": {"until": 9**15}}, {"nonce": "00" * 16}, {"expiresAt": 9**12}]
)
def test_a_challenge_that_was_changed_is_not_ours(clock: ManualClock, change: dict[str, Any]) -> None:
    mine = work(clock)
    payload = solved(mine.challenge())
    assert mine.read(changed(payload, {}, {})) and mine.read(changed(payload, {}, change)) is None


def test_an_unsigned_challenge_is_not_ours(clock: ManualClock) -> None:
    challenge = altcha.create_challenge(ALGORITHM, 1, key_prefix="").to_dict()
    assert work(clock).read(solved(challenge)) is None


def test_one_challenge_has_one_name_however_it_is_spelt(clock: ManualClock) -> None:
    mine = work(clock)
    payload = solved(mine.challenge())
    again = base64.b64encode(json.dumps(json.loads(base64.b64decode(payload)), indent=1).encode()).decode()
    found, other = mine.read(payload), mine.read(again)
    assert again != payload and found == other and found is not None
    nonce = json.loads(base64.b64decode(payload))["challenge"]["parameters"]["nonce"]
    assert found.hash == used_hash(b"work", bytes.fromhex(nonce))


def test_processes_of_every_version_believe_the_same_solutions(clock: ManualClock) -> None:
    """While one is upgraded, the other answers; so the keys are derived as they always were."""
    keys = [hashlib.sha256(b"proof of work\0%b\0%b" % (use, KEYS[0])).digest() for use in (b"challenge", b"solution")]
    assert altcha.verify_solution(solved(work(clock).challenge()), keys[0], hmac_key_secret=keys[1]).verified


def test_a_solution_has_4000_characters_at_most(clock: ManualClock) -> None:
    mine = work(clock)
    octets = base64.b64decode(solved(mine.challenge()))
    fits, long = (base64.b64encode(octets.ljust(size)).decode() for size in (3000, 3001))
    assert (len(fits), len(long)) == (4000, 4004)
    assert mine.read(fits) and mine.read(long) is None


GARBAGE = ("", "x", "ä", "e30=", "bnVsbA==", "W10=", "MQ==", "A" * 5000, "\x00", "=" * 9,
           base64.b64encode(b'{"challenge": 1, "solution": 2}').decode(),
           base64.b64encode(b'{"challenge": {"parameters": {}}, "solution": {}}').decode(),
           base64.b64encode(b'{"challenge": {"parameters": "x"}, "solution": []}').decode(),
           base64.b64encode(b"[" * 2000).decode(), base64.b64encode(b"\xff\xfe").decode())  # fmt: skip


@each("payload", GARBAGE)
def test_garbage_proves_nothing_and_breaks_nothing(asking: World, payload: str) -> None:
    assert asking.parts.work.read(payload) is None
    assert asking.sign_up(ANNE, altcha=payload).status_code == 422
    assert asking.post(FORM, data={"email": ANNE, "altcha": payload}).status_code == 422


# Programs


def test_a_program_is_told_what_is_asked_and_gets_a_challenge(asking: World) -> None:
    before = rows_of_every_table()
    answer = asking.sign_up(ANNE)
    body = json.loads(answer.data)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert (body["type"], body["status"]) == ("urn:yestwice:proof-of-work", 422)
    assert [one["pointer"] for one in body["errors"]] == ["/altcha"]
    assert asking.sign_up(ANNE, altcha=solved(body["challenge"])).status_code == 202
    assert (len(asking.registrations()), before["registrations"]) == (1, 0)


def test_a_challenge_may_be_fetched_beforehand(asking: World) -> None:
    answer = asking.get("/api/v1/challenge")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert asking.sign_up(ANNE, altcha=solved(answer.json)).status_code == 202  # type: ignore[arg-type]


def test_a_solution_is_good_once_by_json_and_by_form(asking: World) -> None:
    payload = solved(asking.parts.work.challenge())
    assert asking.sign_up(ANNE, altcha=payload).status_code == 202
    assert asking.sign_up(BART, altcha=payload).status_code == 422
    page = asking.post(FORM, data={"email": BART, "altcha": payload})
    assert (page.status_code, "it has been used" in page.text) == (422, True)
    assert [row.address for row in asking.registrations()] == [ANNE]


def test_a_solution_that_failed_with_its_batch_is_good_again(asking: World) -> None:
    """It is used up in the transaction of the sign-up, or not at all."""
    payload = solved(asking.parts.work.challenge())
    assert asking.sign_up(ANNE, altcha=payload, list="nowhere").status_code == 404
    assert asking.sign_up(ANNE, altcha=payload).status_code == 202


def test_who_has_a_token_is_never_asked(asking: World) -> None:
    assert asking.sign_up(ANNE, headers=bearer("subscribe")).status_code == 202
    assert asking.sign_up(BART, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_trap_is_no_member_of_the_json(asking: World) -> None:
    body = json.loads(asking.sign_up(ANNE, website="x").data)
    assert [one["pointer"] for one in body["errors"]] == ["/website"]


def test_the_form_brings_its_proof_with_it(asking: World) -> None:
    page = asking.get(FORM)
    assert 'auto="onsubmit"' in page.text and 'challenge="/api/v1/challenge"' in page.text
    assert "worker-src 'self'" in page.headers["Content-Security-Policy"]
    data = {"email": ANNE, "altcha": solved(asking.parts.work.challenge())}
    assert asking.post(FORM, data=data).status_code == 303


def test_the_buttons_of_mails_are_never_asked(asking: World) -> None:
    asking.sign_up(ANNE, altcha=solved(asking.parts.work.challenge()))
    link = asking.confirm_link(ANNE)
    asking.clock.forward(minutes=15)
    assert asking.post(f"{link}/again").status_code == 303
    assert asking.post(link).status_code == 200


def test_where_it_is_off_nobody_is_asked(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=Abuse(proof_of_work="off", proof_of_work_from="1/1h"))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        assert {world.sign_up(f"a{n}@example.org").status_code for n in range(3)} == {202}
        assert "altcha" not in world.get(FORM).text
