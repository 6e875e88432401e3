"""Under attack: who is asked for the proof of work, from when on, and that nobody else is."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions import busy
from subscriptions.actions.gate import Limited, ProofNeeded
from subscriptions.actions.subscribe import subscribe
from subscriptions.settings import Abuse, Limits
from subscriptions.watch import Watch
from tests.builders import ANNE, NEWS, OFFERS, World, rows_of_every_table
from tests.conftest import ManualClock
from tests.support.work import fields_of, make_light, solved
from tests.test_group_commit_stored import ask
from tests.test_uniform import HANDLE, STATES

FORM = f"/subscribe/{NEWS}"
BUSY, QUIET = "203.0.113.50", "203.0.113.51"
Make = Callable[..., World]


@pytest.fixture
def make(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[Make]:
    """Worlds on one database: several processes of one service."""
    contexts = []

    def made(network: str = "200/1h", **abuse: object) -> World:
        app = make_app(abuse=Abuse(**abuse), limits=Limits(signups_per_network=network))  # type: ignore[arg-type]
        contexts.append(app.app_context())
        contexts[-1].push()
        world = World(app, app.test_client(), clock)
        make_light(world.parts)
        return world

    yield made
    for context in reversed(contexts):
        context.pop()


class Alarm(Watch):
    """A breaker that is on where the test says so."""

    def __init__(self, on: set[object]) -> None:
        self.on, self.watches = on, False

    def is_on(self, list_id: int, domain: str) -> bool:
        return bool(self.on & {list_id, domain, "everybody"})


def crowd(world: World, count: int, remote: str = BUSY) -> list[int]:
    return [world.sign_up(f"a{n}@example.org", remote_addr=remote).status_code for n in range(count)]


def test_a_network_is_asked_from_its_twenty_first_sign_up_on(make: Make) -> None:
    world = make()
    assert crowd(world, 23) == [202] * 20 + [422] * 3
    assert len(world.registrations()) == 20
    assert world.sign_up("b@example.org", remote_addr=QUIET).status_code == 202


def test_with_a_proof_a_busy_network_goes_on(make: Make) -> None:
    world = make(proof_of_work_from="1/1h")
    crowd(world, 2)
    for address in ("b@example.org", "c@example.org"):
        answer = world.sign_up(address, remote_addr=BUSY)
        challenge = json.loads(answer.data)["challenge"]
        assert world.sign_up(address, remote_addr=BUSY, altcha=solved(challenge)).status_code == 202


def test_the_hour_of_a_network_ends(make: Make) -> None:
    world = make(proof_of_work_from="1/1h")
    assert crowd(world, 2) == [202, 422]
    world.clock.forward(hours=1)
    assert crowd(world, 2) == [202, 422]


def test_the_count_is_exact_within_a_batch(make: Make) -> None:
    world = make(network="4/1h", proof_of_work_from="2/1h")
    asks = [ask(world, f"a{n}@example.org", bytes([n]) * 16) for n in range(5)]
    asks = [one._replace(origin=replace(one.origin, network=b"n" * 16)) for one in asks]
    answers = subscribe(asks, world.clock.now(), world.parts.policy)
    assert [type(one) for one in answers] == [type(None), type(None), ProofNeeded, ProofNeeded, Limited]


def test_an_ask_without_proof_leaves_no_trace(make: Make) -> None:
    world = make(proof_of_work_from="1/1h")
    crowd(world, 1)
    before = {name: rows for name, rows in rows_of_every_table().items() if name != "counters"}
    assert world.sign_up(ANNE, remote_addr=BUSY).status_code == 422
    assert {name: rows_of_every_table()[name] for name in before} == before


def test_another_process_notices_a_busy_network_with_the_form_and_with_the_sign_up(make: Make) -> None:
    one, other, third = (make(proof_of_work_from="2/1h") for _ in range(3))
    assert "altcha-widget" not in shown(one)
    crowd(one, 2)
    assert "altcha-widget" in shown(other) and "altcha-widget" not in shown(other, QUIET)
    assert third.sign_up(ANNE, remote_addr=BUSY).status_code == 422


def shown(world: World, remote: str = BUSY) -> str:
    return world.get(FORM, environ_base={"REMOTE_ADDR": remote}).text


def test_a_busy_network_is_asked_before_it_is_counted_again(make: Make) -> None:
    """Whoever is asked, and comes back with the proof, has made one sign-up and not two."""
    world = make(network="4/1h", proof_of_work_from="2/1h")
    assert crowd(world, 9) == [202, 202] + [422] * 7  # the third was counted: the batch noticed
    payload = solved(world.parts.work.challenge())
    assert world.sign_up(ANNE, remote_addr=BUSY, altcha=payload).status_code == 202
    payload = solved(world.parts.work.challenge())
    assert world.sign_up(ANNE, remote_addr=BUSY, altcha=payload).status_code == 429


def test_the_memory_of_busy_networks_is_bounded(make: Make) -> None:
    world, memory = make(), busy.BusyNetworks()
    until = world.clock.now() + world.parts.policy.network.period  # type: ignore[union-attr]
    for n in range(2 * busy.REMEMBERED):
        memory.note(n.to_bytes(16), until)
    assert len(memory) <= busy.REMEMBERED
    assert memory.has((2 * busy.REMEMBERED - 1).to_bytes(16), world.clock.now())


@pytest.mark.parametrize("on", ["everybody", "list", "domain"])
def test_while_the_breaker_is_on_those_whom_it_concerns_are_asked(make: Make, on: str) -> None:
    world = make()
    row = world.parts.catalogue.configured[0]
    world.parts.watch = Alarm({{"list": row.id, "domain": "example.org"}.get(on, on)})
    assert world.sign_up(ANNE).status_code == 422
    assert world.sign_up_by_form(ANNE).status_code == 422
    assert world.sign_up("a@example.net", OFFERS).status_code == (422 if on == "everybody" else 202)
    assert world.sign_up(ANNE, altcha=solved(world.parts.work.challenge())).status_code == 202


def test_the_form_of_a_list_under_attack_computes_and_that_of_another_does_not(make: Make) -> None:
    world = make()
    world.parts.watch = Alarm({world.parts.catalogue.configured[0].id})
    assert ["altcha-widget" in world.get(f"/subscribe/{slug}").text for slug in (NEWS, OFFERS)] == [True, False]
    start = world.get("/")
    assert start.text.count("<altcha-widget") == 1 and start.text.count("<script") == 1
    assert "worker-src 'self'" in start.headers["Content-Security-Policy"]


def test_without_a_limit_there_is_no_breaker(make: Make) -> None:
    world = make(network="")
    world.parts.watch = Alarm({"everybody"})
    assert set(crowd(world, 25)) == {202}
    assert "altcha-widget" not in shown(world)


def test_always_holds_without_a_limit_too(make: Make) -> None:
    assert crowd(make(network="", proof_of_work="always"), 2) == [422, 422]


def test_the_number_is_counted_in_the_time_of_the_networks_limit(make: Make) -> None:
    assert make(network="500/1d").parts.policy.proof_from == 480
    assert make(network="9/1m").parts.policy.proof_from == 1
    assert make(proof_of_work_from="").parts.policy.proof_from is None
    assert make(proof_of_work="always").parts.policy.proof_from is None


def test_a_form_of_a_busy_network_gets_the_step_and_not_a_second_one(make: Make) -> None:
    world = make(proof_of_work_from="1/1h")
    crowd(world, 1, "203.0.113.7")  # of whom the batch alone knows yet
    page = world.sign_up_by_form(ANNE, name="Anne")
    assert (page.status_code, "stops programs from flooding" in page.text) == (422, True)
    world.clock.forward(seconds=10)
    assert world.post(FORM, data=fields_of(page.text)).status_code == 303


@pytest.mark.parametrize("state", STATES)
def test_what_is_asked_does_not_tell_what_an_address_is(make: Make, state: str) -> None:
    world = make(proof_of_work_from="20/1h")
    STATES[state](world)
    world.parts.watch = Alarm({"everybody"})
    pages = [world.sign_up_by_form(address) for address in (ANNE, "bert@example.org")]
    bodies = [json.loads(world.sign_up(address).data) for address in (ANNE, "bert@example.org")]
    told = [HANDLE.sub(b"*", re.sub(rb'"step" value="[^"]+"|\w+@example.org', b"", page.data)) for page in pages]
    assert told[0] == told[1] and pages[0].status_code == pages[1].status_code == 422
    known, unknown = (one | {"challenge": 0, "instance": 0} for one in bodies)
    assert known == unknown


def test_the_counters_tell_who_was_suspected_asked_and_let_through(make: Make) -> None:
    world = make(proof_of_work_from="1/1h")
    page = world.sign_up_by_form(ANNE, website="x")
    world.clock.forward(seconds=10)
    assert world.post(FORM, data=fields_of(page.text)).status_code == 303
    world.clock.forward(hours=1)
    crowd(world, 4, "203.0.113.7")
    assert told(world) == {"suspected": 1, "passed": 1, "proof_asked": 3, "sign_ups": 2}


def test_a_form_that_the_batch_refuses_is_counted_once_as_json_is(make: Make) -> None:
    world = make(proof_of_work_from="1/1h")
    crowd(world, 1, "203.0.113.7")  # of whom the batch alone knows yet
    assert world.sign_up_by_form(ANNE).status_code == 422
    assert told(world)["proof_asked"] == 1


def told(world: World) -> dict[str, int]:
    text = world.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    names = ("suspected", "passed", "proof_asked", "sign_ups")
    return {name: int(float(re.findall(rf"^yestwice_{name}_total (\S+)", text, re.M)[0])) for name in names}


def test_counts_that_wait_in_memory_are_written_with_the_next_sign_up(make: Make) -> None:
    world, other = make(), make()
    world.sign_up_by_form(ANNE, website="x")
    assert (told(world)["suspected"], told(other)["suspected"]) == (1, 0)
    world.sign_up(ANNE)
    assert (told(world)["suspected"], told(other)["suspected"]) == (1, 1)
