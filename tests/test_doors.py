"""The two doors of the intake: whichever takes a request, the same octets are answered and the same rows stored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from subscriptions.parts import current_parts
from subscriptions.settings import Abuse, Limits
from subscriptions.settings import Mail as MailSettings
from subscriptions.store import mode
from subscriptions.store.engine import transaction
from subscriptions.web.http.incoming import Incoming
from tests.builders import ANNE, BART, CRIS, LISTS, NEWS, World
from tests.conftest import ManualClock
from tests.doors import BODIES, FORMS, HANDED_ON, HEADS, MORE, QUICK, ZONE, filled, said
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.doors import Case, Doors, form
from tests.support.names import NameServer
from tests.support.work import make_light, solved

pytestmark = BY_DAY_ON_SQLITE

SMTP = MailSettings(transport="smtp", host="127.0.0.1", port=9)


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer(ZONE) as server:
        yield server


@pytest.fixture
def make_doors(make_app: Callable[..., Flask], names: NameServer) -> Callable[..., Flask]:
    """An application that sends to a relay: in try-out mode nothing is quick."""

    def make(**sections: Any) -> Flask:
        abuse = replace(sections.pop("abuse", Abuse(proof_of_work_from="")), nameservers=(names.address,))
        return make_app(**({"mail": SMTP, "lists": MORE, "abuse": abuse} | sections))

    return make


@pytest.fixture
def doors(make_doors: Callable[..., Flask]) -> Iterator[Doors]:
    with Doors(make_doors()) as both:
        yield both


def told_apart(doors: Doors, cases: Mapping[str, tuple[bool, Case]]) -> dict[str, object]:
    """The cases in which the doors differ, or in which another one answered than is said."""
    found: dict[str, object] = {}
    for name, (expected, case) in cases.items():
        alone, in_front, by_itself = doors.both(case)
        if by_itself is not expected:
            found[name] = f"by itself: {by_itself}, {in_front.answer.status}"
        if alone != in_front:
            found[name] = alone, in_front
    return found


@pytest.mark.parametrize("database", ["sqlite"])  # what is read from a body is the same on both
@pytest.mark.parametrize("cases", [BODIES, HEADS, FORMS], ids=["bodies", "heads", "forms"])
def test_both_doors_answer_and_store_the_same(doors: Doors, cases: dict[str, tuple[bool, Case]]) -> None:
    assert told_apart(doors, cases) == {}


def test_both_doors_answer_the_same_whatever_is_known_of_an_address(
    world: World, make_doors: Callable[..., Flask], clock: ManualClock
) -> None:
    world.subscribe(BART)
    world.subscribe(CRIS)
    world.post(world.leave_link(CRIS))
    world.sign_up("asked@example.org")
    world.sign_up("gone@example.org")
    world.post(world.not_me_link("gone@example.org"))
    for _ in range(6):
        world.sign_up("often@example.org")
        clock.forward(minutes=16)
    world.sign_up(ANNE)
    known = [ANNE, BART, CRIS, "asked@example.org", "gone@example.org", "often@example.org"]
    cases = {f"{address} {kind}": (QUICK, case) for address in known for kind, case in {
        "by JSON": Case(said(email=address)), "for two": Case(said(email=address, lists=[NEWS, "offers"])),
        "by form": form(filled(email=address))}.items()}  # fmt: skip
    with transaction() as session:
        mode.note(session, mode.Mode.LIVE)  # as if a relay had taken their mails
    with Doors(make_doors()) as doors:
        assert told_apart(doors, cases) == {}


def test_both_doors_answer_the_same_to_a_wording_that_is_in_force_or_was(make_doors: Callable[..., Flask]) -> None:
    old, new = make_doors(), make_doors(lists=(replace(LISTS[0], wording="Another text."), *MORE[1:]))
    with old.app_context():
        ids = [current_parts(app).catalogue.configured[0].wording_id for app in (old, new)]
    assert ids[0] != ids[1]
    cases = {f"{kind} {id_}": (QUICK, case) for id_ in ids for kind, case in {
        "JSON": Case(said(wording=id_)), "form": form(filled(wording=str(id_)))}.items()}  # fmt: skip
    with Doors(new) as doors:
        assert told_apart(doors, cases) == {}


def test_both_doors_refuse_the_same_where_a_network_has_made_too_many(make_doors: Callable[..., Flask]) -> None:
    app = make_doors(limits=Limits(signups_per_network="2/1h"))
    cases = {"by JSON": (HANDED_ON, Case(said())), "by form": (HANDED_ON, form(filled()))}
    with Doors(app) as doors:
        for number in range(2):
            doors.in_front(Case(said(email=f"visitor-{number}@example.org")))
        assert told_apart(doors, cases) == {}
        assert [doors.in_front(case)[0].status for _, case in cases.values()] == [429, 429]


def test_both_doors_ask_the_same_for_a_proof_where_a_network_is_busy(make_doors: Callable[..., Flask]) -> None:
    app = make_doors(abuse=Abuse(proof_of_work_from="2/1h"))
    cases = {"by JSON": (HANDED_ON, Case(said())), "by form": (HANDED_ON, form(filled()))}
    with Doors(app) as doors:
        for number in range(2):
            doors.in_front(Case(said(email=f"visitor-{number}@example.org")))
        assert told_apart(doors, cases) == {}
        assert [doors.in_front(case)[0].status for _, case in cases.values()] == [422, 422]


def test_the_quick_door_asks_no_name_server_and_waits_for_none(doors: Doors, names: NameServer) -> None:
    for case in (Case(said(email="anne@gone.com")), form(filled(email="anne@gone.com"))):
        assert isinstance(doors.quick(case), Incoming)
    assert names.asked == []


def test_in_try_out_mode_everything_goes_to_flask(make_app: Callable[..., Flask]) -> None:
    with Doors(make_app(lists=MORE)) as doors:
        assert all(isinstance(doors.quick(case), Incoming) for case in (Case(said()), form(filled())))


def test_a_proof_of_work_lets_one_sign_up_through_and_no_other(make_doors: Callable[..., Flask]) -> None:
    app = make_doors(abuse=Abuse(proof_of_work="always"))
    make_light(current_parts(app))
    case = Case(said(altcha=solved(current_parts(app).work.challenge())))
    with Doors(app) as doors:
        assert [doors.in_front(case)[0].status for _ in range(3)] == [202, 422, 422]
