"""The same answer for every state of an address (X-01, H-09): what a stranger sees tells nothing."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from subscriptions.actions.leave import Withdrawal, leave
from subscriptions.actions.suppress import suppress
from subscriptions.domain.address import parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.store import counters
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import CountedKey, Subscription
from tests.builders import ANNE, BART, NEWS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE, crossed
from tests.typed import WRONG, ask_again, handle_of, send_code, type_code, visit

pytestmark = BY_DAY_ON_SQLITE


def key(world: World) -> bytes:
    return world.parts.links.key(parse(ANNE).folded)


def confirmed(world: World) -> None:
    world.subscribe(ANNE)


def blocked(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=24)
    world.block()


def bounced(world: World) -> None:
    world.subscribe(ANNE)
    leave(key(world), None, Withdrawal(Event.BOUNCE, Channel.RELAY, "550"), world.clock.now(), world.parts.policy)


def unsubscribed(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))


def restricted(world: World) -> None:
    world.subscribe(ANNE)
    with transaction() as session:
        session.execute(sa.update(Subscription).values(restricted=True))


def disowned(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE))


def out_of_budget(world: World) -> None:
    for _ in range(3):
        world.sign_up(ANNE, OFFERS)
        world.clock.forward(minutes=15)


def told_lately(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE)
    world.clock.forward(minutes=15)


STATES: dict[str, Callable[[World], object]] = {
    "new": lambda world: None,
    "pending": lambda world: world.sign_up(ANNE),
    "confirmed": confirmed,
    "blocked": blocked,
    "unsubscribed": unsubscribed,
    "bounced": bounced,
    "asked not to be asked": disowned,
    "suppressed": lambda world: suppress(key(world), "all", "objection", world.clock.now(), world.parts.policy, "test"),
    "restricted": restricted,
    "told lately": told_lately,
    "out of budget": out_of_budget,
    "pending on another list": lambda world: world.sign_up(ANNE, OFFERS),
    "pending on several lists": lambda world: by_json_for_several(world, ANNE),
}
HANDLE = re.compile(rb"[\w-]{40}(?![\w-])")
SEALED = re.compile(rb"""(?<=[?&;]a=)[\w-]+|(?<=name="a" value=")[\w-]+""")  # the address, in the redirect alone
OF_OURS = {"Sec-Fetch-Site": "same-origin"}  # as a browser opens the page after the form
MARKS = re.compile(rb'(?<=data-marks=")[0-9a-f ]+')  # of the handle


def seen(answer: TestResponse, typed: str = "-") -> tuple[int, list[tuple[str, str]], bytes, int]:
    """Status, headers and bytes, less what is random for everyone, and less what the visitor has `typed`."""
    headers = [(name, _plain(value.encode()).decode()) for name, value in answer.headers if name != "Content-Length"]
    told = [one for one in headers if one[0] not in ("X-Request-ID", "Date")]
    data = answer.data.replace(f"<bdi>{typed}</bdi>".encode(), b"typed")
    return answer.status_code, told, MARKS.sub(b"*", _plain(data)), len(data)


def _plain(text: bytes) -> bytes:
    return SEALED.sub(b"*", HANDLE.sub(b"*", text))


def by_form(world: World, address: str) -> tuple[object, ...]:
    answer = world.sign_up_by_form(address, name="Anne")
    return seen(answer), seen(world.get(answer.location, headers=OF_OURS), address)


def by_json(world: World, address: str) -> tuple[object, ...]:
    return (seen(world.sign_up(address, NEWS, name="Anne")),)


def by_form_of_several(world: World, address: str) -> tuple[object, ...]:
    answer = world.post("/subscribe", data={"email": address, "lists": [NEWS, OFFERS]})
    return seen(answer), seen(world.get(answer.location, headers=OF_OURS), address)


def by_json_for_several(world: World, address: str) -> tuple[object, ...]:
    return (seen(world.post("/api/v1/subscriptions", json={"email": address, "lists": [NEWS, OFFERS]})),)


def then_wrong_codes(world: World, address: str) -> tuple[object, ...]:
    handle = visit(world, address)
    typed = [type_code(world, handle, code) for code in ("", WRONG, WRONG, WRONG, WRONG)]
    return tuple(map(seen, typed))


def then_wrong_codes_by_json(world: World, address: str) -> tuple[object, ...]:
    handle = handle_of(world.sign_up(address))
    sent = [send_code(world, handle, code) for code in ("", WRONG, WRONG, WRONG, WRONG)]
    return tuple((one.status_code, one.get_json()["errors"]) for one in sent)


def then_another_mail(world: World, address: str) -> tuple[object, ...]:
    handle = visit(world, address)
    world.clock.forward(minutes=15)
    asked = [ask_again(world, handle) for _ in range(2)]
    return tuple(map(seen, [*asked, world.get(asked[0].location), type_code(world, handle, WRONG)]))


ASKS = [by_form, by_json, by_form_of_several, by_json_for_several, then_wrong_codes, then_wrong_codes_by_json,
        then_another_mail]  # fmt: skip


@crossed(state=STATES, ask=ASKS)
def test_the_answer_does_not_tell_what_an_address_is(
    world: World, state: str, ask: Callable[[World, str], tuple[object, ...]]
) -> None:
    STATES[state](world)
    at = world.clock.now()
    known = ask(world, ANNE)
    world.clock.forward(seconds=(at - world.clock.now()).total_seconds())
    assert known == ask(world, "nobody@example.org")


@pytest.mark.parametrize("state", STATES)
def test_nor_does_it_tell_what_another_spelling_of_its_mailbox_is(world: World, state: str) -> None:
    STATES[state](world)
    asked, counts = [], [counted(world)]
    for name in ("anne", "nobody"):
        asked.append(by_json(world, f"{name}+tag@example.org"))
        counts.append(counted(world))
    steps = [{name: after[name] - before[name] for name in after} for before, after in pairwise(counts)]
    assert (asked[0], steps[0]) == (asked[1], steps[1])


@pytest.mark.parametrize("state", STATES)
def test_every_sign_up_counts_the_same(world: World, state: str) -> None:
    STATES[state](world)
    before = counted(world)
    ask_again(world, handle_of(world.sign_up(ANNE)))
    known = {name: number - before.get(name, 0) for name, number in counted(world).items()}
    before = counted(world)
    ask_again(world, handle_of(world.sign_up("nobody@example.org")))
    assert known == {name: number - before.get(name, 0) for name, number in counted(world).items()}


def counted(world: World) -> dict[str, int]:
    with reading() as session:
        return counters.totals(session)


def test_a_handle_is_of_one_form_and_never_the_same_twice(world: World) -> None:
    handles = [world.sign_up(address).get_json()["registration"] for address in (ANNE, ANNE, BART)]
    assert len(set(handles)) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{40}", handle) for handle in handles)


def test_the_page_after_the_form_is_the_same_for_any_handle(world: World) -> None:
    world.sign_up(ANNE)
    pages = {world.get(f"/subscribe/{NEWS}/check-inbox{query}").data for query in ("", "?r=x", "?r=%00", "?r=a&r=b")}
    assert len(pages) == 1


@pytest.mark.parametrize("state", STATES)
def test_a_wrong_code_writes_as_many_counts_whatever_the_address_is(world: World, state: str) -> None:
    STATES[state](world)
    handles = [visit(world, ANNE), visit(world, "nobody@example.org")]
    written = []
    for handle in handles:
        before = world.count(CountedKey)
        type_code(world, handle, WRONG)
        written.append(world.count(CountedKey) - before)
    assert written == [2, 2]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", f"/subscribe/{NEWS}", "/"])
def test_what_anybody_may_read_does_not_change_with_a_sign_up(world: World, path: str) -> None:
    for name in ("block", "purge", "deliver", "tidy"):
        world.run(name)
    world.clock.forward(hours=4)  # jobs are late before and after
    before = read(world, path)
    world.subscribe(ANNE)
    assert read(world, path) == before


def read(world: World, path: str) -> tuple[int, bytes]:
    """As a stranger reads it, less when that was."""
    answer = world.get(path, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    return answer.status_code, re.sub(rb'name="t" value="[^"]+"', b"", answer.data)
