"""Legal holds at the desk, by command and where people are told of them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from subscriptions.actions import erase
from subscriptions.domain.evidence import Fact
from subscriptions.domain.roles import Role
from subscriptions.store import holds
from subscriptions.store.engine import reading
from subscriptions.store.models import Hold
from tests.builders import ANNE, BART, NEWS, World, rows_of_every_table, text_of
from tests.desk import PASSWORD, at_the_desk
from tests.losses import hold, lift, sweep
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_audit import key
from tests.test_commands import good, logging_as_it_was, refused, run
from tests.test_desk_people import page_of

pytestmark = BY_DAY_ON_SQLITE
__all__ = ["logging_as_it_was"]
WANTED = {"reason": "case 12 C 34/26", "review": "2027-03-01", "list": ""}
ADD = ("hold", "add", ANNE, "--reason", "a dispute", "--review", "2027-03-01")


def test_a_hold_is_placed_and_lifted_on_the_persons_page_and_the_page_of_all_names_it(world: World) -> None:
    world.subscribe(ANNE)
    pia, page = at_the_desk(world, Role.PRIVACY), page_of(world, ANNE)
    assert "everything of this address" in pia.get(f"{page}/hold").text
    answer = pia.post(f"{page}/hold", **WANTED)
    assert "On hold" in pia.get(answer.location).text
    assert "Legal hold since" in pia.get(page).text and "held for legal reasons" in pia.get(page).text.casefold()
    shown = pia.get("/admin/holds").text
    assert ANNE in shown and "case 12 C 34/26" in shown and "privacy@example.org" in shown and "1 March 2027" in shown
    assert pia.post(f"{page}/hold", **WANTED).status_code == 409
    answer = pia.post(f"{page}/release", reason="over")
    assert "The hold is lifted." in pia.get(answer.location).text
    assert pia.post(f"{page}/release", reason="over").status_code == 409
    facts = [(row.fact, row.details["reason"]) for row in world.evidence() if row.fact in (Fact.HELD, Fact.RELEASED)]
    assert facts == [(Fact.HELD, "case 12 C 34/26"), (Fact.RELEASED, "over")]


def test_an_address_that_nobody_knows_yet_is_put_on_hold_at_the_desk(world: World) -> None:
    pia = at_the_desk(world, Role.PRIVACY)
    assert pia.post("/admin/holds", email=ANNE, **WANTED).status_code == 303
    shown = pia.get("/admin/holds").text
    assert "An address that is not stored" in shown
    assert "is on no list" in pia.get(f"/admin/people/{key(world, ANNE).hex()}").text
    assert pia.post("/admin/holds", email=ANNE, **WANTED).status_code == 409


WRONG = [
    ("reason", " ", "cannot be empty"), ("reason", "x" * 10_000, "at most 200"), ("reason", "a\0b", "a single line"),
    ("review", "", "as in the example"), ("review", "soon", "as in the example"),
    ("review", "2026-11-23", "later than"), ("review", "2207-01-01", "three years"),
    ("list", "none", "at least one list"), ("email", "%", "@"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "said"), WRONG)
def test_what_is_not_filled_in_rightly_holds_nothing_and_says_what_is_wrong(
    world: World, name: str, text: str, said: str
) -> None:
    pia = at_the_desk(world, Role.PRIVACY)
    before = rows_of_every_table()
    answer = pia.post("/admin/holds", **({"email": ANNE} | WANTED | {name: text}))
    assert answer.status_code == 422 and said in answer.text
    assert world.count(Hold) == 0 and before["holds"] == 0


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MANAGER])
def test_holds_are_for_privacy_officers_alone(world: World, role: Role) -> None:
    assert at_the_desk(world, role).get("/admin/holds").status_code == 403


def test_a_hold_asks_for_the_password_again(world: World) -> None:
    world.subscribe(ANNE)
    pia = at_the_desk(world, Role.PRIVACY)
    world.clock.forward(minutes=10)
    assert "password" in pia.post("/admin/holds", email=ANNE, **WANTED).text.casefold() and world.count(Hold) == 0
    assert PASSWORD


def test_a_review_that_is_overdue_needs_somebody_and_readyz_warns(world: World) -> None:
    hold(world)
    pia = at_the_desk(world, Role.PRIVACY)
    assert "overdue" not in pia.get("/admin").text
    world.clock.forward(days=800)
    late = at_the_desk(world, Role.PRIVACY, "late@example.org")
    assert "The review of 1 legal hold is overdue." in late.get("/admin").text
    assert "The review is overdue" in late.get("/admin/holds").text
    warnings = world.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_json()["warnings"]
    assert any("legal holds whose review is overdue: 1" in one for one in warnings)


def test_the_command_places_shows_and_lifts_and_says_what_is_there_already(world: World) -> None:
    assert "On hold. The review is on 2027-03-01." in good(world, *ADD)
    assert "on hold since" in refused(world, *ADD)
    [row] = json.loads(good(world, "hold", "show", "--json"))
    assert (row["reason"], row["review_on"], row["overdue"], row["list"]) == ("a dispute", "2027-03-01", False, None)
    assert "1 hold lifted" in good(world, "hold", "lift", ANNE, "--reason", "over")
    assert "no such hold" in refused(world, "hold", "lift", ANNE, "--reason", "over")
    assert json.loads(good(world, "hold", "show", "--json")) == []


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        (("--reason", ""), 2, "cannot be empty"), (("--reason", "x" * 10_000), 2, "at most 200"),
        (("--review", "2026-11-23"), 1, "later than today"), (("--review", "1 March"), 2, "not a day"),
        (("--list", "none"), 1, "no list"),
    ],
)  # fmt: skip
def test_the_command_names_what_is_wrong(world: World, wrong: tuple[str, str], code: int, said: str) -> None:
    result = run(world, *ADD, *wrong)
    assert result.exit_code == code and said in result.stderr
    assert world.count(Hold) == 0


def test_two_at_once_place_one_hold(world: World) -> None:
    def place(_: int) -> object:
        with world.app.app_context():
            return hold(world)

    with ThreadPoolExecutor(2) as pool:
        since = list(pool.map(place, range(2)))
    assert world.count(Hold) == 1 and since.count(None) == 1


def test_explain_and_the_person_who_asks_for_erasure_are_told_that_a_hold_keeps_it(world: World) -> None:
    world.subscribe(ANNE)
    hold(world)
    assert "Legal hold since" in good(world, "explain", ANNE)
    said = run(world, "erase", ANNE, "--yes").output
    world.parts.sender.begin_anew()
    mail = text_of(world.mails(ANNE)[-1])
    for text in (said, mail):
        assert "some of your data is needed in a legal dispute" in " ".join(text.split())
    assert "Erasure was requested: it is done when the hold is lifted." in good(world, "explain", ANNE)


def test_an_erasure_asked_for_again_while_it_waits_sends_no_second_mail(world: World) -> None:
    world.subscribe(ANNE)
    hold(world)
    for _ in range(2):
        run(world, "erase", ANNE, "--yes")
        world.parts.sender.begin_anew()
    subjects = [mail["Subject"] for mail in world.mails(ANNE)]
    assert sum("erasing" in subject for subject in subjects) == 1


def test_a_hold_placed_between_the_request_and_its_hour_stops_the_erasure(world: World) -> None:
    world.subscribe(ANNE)
    pia = at_the_desk(world, Role.PRIVACY)
    assert pia.post(f"{page_of(world, ANNE)}/erase", reason="asked").status_code == 303
    hold(world)
    world.clock.forward(hours=2)
    sweep(world)
    [row] = world.subscriptions()
    assert row.address == ANNE and not row.is_open


def test_what_they_sign_up_for_after_the_request_outlives_the_erasure_that_waited(world: World) -> None:
    world.subscribe(ANNE)
    hold(world, slug=NEWS)
    run(world, "erase", ANNE, "--yes")
    world.parts.sender.begin_anew()
    world.clock.forward(days=31)
    world.subscribe(ANNE)
    lift(world)
    sweep(world)
    assert [(row.address, row.is_open) for row in world.subscriptions()] == [(None, False), (ANNE, True)]


def test_two_that_resume_an_erasure_do_it_once(world: World) -> None:
    world.subscribe(ANNE)
    hold(world)
    run(world, "erase", ANNE, "--yes")
    world.parts.sender.begin_anew()
    lift(world)
    [(who, asked)] = erase.released().items()
    for _ in range(2):
        erase.resume(who, asked, world.clock.now())
    assert [row.fact for row in world.evidence()].count(Fact.ERASED) == 1
    assert erase.released() == {}


def test_a_clock_that_goes_back_frees_nothing_and_breaks_nothing(world: World) -> None:
    world.sign_up(ANNE)
    world.sign_up(BART)
    hold(world)
    world.clock.forward(days=-3)
    sweep(world)
    with reading() as session:
        assert len(holds.active(session, key(world, ANNE), world.clock.now())) == 1
    world.clock.forward(days=40)
    sweep(world)
    assert [row.address for row in world.registrations()] == [ANNE]
