"""The code of a confirmation mail: how it is made, how forgivingly it is read, and for how long."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.domain import codes
from subscriptions.domain.policy import Policy, Rate
from subscriptions.links.handles import Codes
from tests.builders import ANNE, HIDDEN, NEWS, OFFERS, World
from tests.support.cases import each
from tests.test_enter_code import BOTH, Way, code, tries
from tests.typed import WRONG, visit

REFS = [bytes([n]) * 16 for n in range(200)]
MADE = Codes([b"the key of the tests"])


@given(st.binary(min_size=16, max_size=16))
def test_a_code_is_eight_characters_that_nobody_mistakes(ref: bytes) -> None:
    code = MADE.code(ref)
    assert len(code) == 8 and set(code) <= set("23456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_every_character_comes_at_every_place() -> None:
    found = [MADE.code(n.to_bytes(16)) for n in range(2000)]
    assert [set(place) for place in zip(*found, strict=True)] == [set(codes.ALPHABET)] * 8


def test_each_registration_has_a_code_of_its_own() -> None:
    assert len({MADE.code(ref) for ref in REFS}) == len(REFS)
    assert not {MADE.code(ref) for ref in REFS} & {Codes([b"another"]).code(ref) for ref in REFS}


FORMS = ["K7QM2XWD", "K7QM-2XWD", "k7qm-2xwd", " k7 qm 2x wd ", "K7QM\u20132XWD", "\uff2b\uff17\uff31\uff2d-2XWD",
         "K7QM-2XWD\r\n", "K7QM\u00a02XWD", "\u200bK7QM-2XWD"]  # fmt: skip


@pytest.mark.parametrize("typed", FORMS)
def test_a_code_is_read_however_it_is_typed_or_pasted(typed: str) -> None:
    assert codes.read(typed) == "K7QM2XWD"


NONE = ["", "K7QM", "K7QM-2XWDD", "K7QM-2XW0", "K7QM-2XWO", "K7QM-2XW1", "K7QM-2XWI", "K7QM-2XWL", "K7QM-2XWU",
        "K7QM-2XW\u00df", "K7QM-2XW\u0130", "K7QM-2XW\u00b2\u00b2", "K7QM2XWD" + " " * 100,
        "\x00", "\ud800"]  # fmt: skip


@each("typed", NONE)
def test_what_can_be_no_code_is_noticed(typed: str) -> None:
    assert codes.read(typed) is None


def test_a_hundred_characters_are_looked_through_for_a_code_and_not_more() -> None:
    assert codes.read("K7QM2XWD".ljust(100)) == "K7QM2XWD" and codes.read("K7QM2XWD".ljust(101)) is None


@given(st.text(max_size=120))
@example("ﷺ" * 30)
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    assert (found := codes.read(typed)) is None or codes.read(codes.for_reading(found)) == found


@given(st.binary(min_size=16, max_size=16))
def test_a_code_comes_back_as_a_mail_shows_it(ref: bytes) -> None:
    shown = codes.for_reading(MADE.code(ref))
    assert len(shown) == 9 and shown[4] == "-" and codes.read(shown) == MADE.code(ref)


def test_a_code_leads_to_its_reference_among_several() -> None:
    assert all(MADE.ref_of(MADE.code(ref), REFS[:8]) == ref for ref in REFS[:8])
    assert MADE.ref_of(MADE.code(REFS[8]), REFS[:8]) is None and MADE.ref_of("", REFS[:8]) is None


def test_codes_of_every_key_that_we_ever_had_are_right() -> None:
    keys = [b"key number %d" % n for n in range(5)]
    rotated = Codes(keys)
    assert rotated.code(REFS[0]) == Codes(keys[:1]).code(REFS[0])
    assert all(rotated.ref_of(Codes([key]).code(REFS[1]), REFS[:8]) == REFS[1] for key in keys)
    assert Codes(keys[1:]).ref_of(rotated.code(REFS[1]), REFS[:8]) is None


@pytest.mark.parametrize(("within", "counted"), [(1, 24), (24, 24), (72, 72)])
def test_three_tries_of_a_visit_are_counted_while_it_can_be_confirmed_and_a_day_at_least(
    within: int, counted: int
) -> None:
    rate = codes.visit_tries(Policy(confirm_within=timedelta(hours=within)))
    assert rate == Rate(3, timedelta(hours=counted))


MAILS = {
    (): 18,
    ((1, 15, "m"), (3, 24, "h"), (5, 30, "d")): 18,
    ((3, 24, "h"),): 18,
    ((5, 24, "h"), (9, 30, "d")): 27,
    ((10, 24, "h"),): 60,
    ((1, 30, "d"),): 18,
}


@each(("mails", "tries"), MAILS.items())
def test_an_address_has_the_tries_of_all_visits_whose_codes_may_be_typed_in_a_day(
    mails: tuple[tuple[int, int, str], ...], tries: int
) -> None:
    periods = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
    policy = Policy(mails=tuple(Rate(count, number * periods[unit]) for count, number, unit in mails))
    assert codes.address_tries(policy) == Rate(tries, timedelta(days=1))


@BOTH
def test_a_stranger_leaves_the_owner_of_a_mailbox_her_tries_on_the_edge_of_a_day_too(world: World, way: Way) -> None:
    def three_wrong(handle: str) -> None:
        assert {way(world, handle, WRONG).status_code for _ in range(4)} == {422}

    world.clock.forward(minutes=15)
    theirs = []
    for slug in (NEWS, OFFERS, HIDDEN):
        theirs.append(visit(world, ANNE, slug))
        world.clock.forward(minutes=15)
    world.clock.forward(hours=23, minutes=10)
    for handle in theirs:
        three_wrong(handle)
    world.clock.forward(minutes=6)
    mine = visit(world)
    world.deliver()
    right = code(world)
    for slug in (OFFERS, HIDDEN):
        world.clock.forward(minutes=15)
        three_wrong(visit(world, ANNE, slug))
    assert way(world, mine, right).status_code == 200


@BOTH
def test_a_visit_that_can_no_longer_confirm_has_no_tries_and_counts_nothing(world: World, way: Way) -> None:
    """So no stranger locks the code of a victim on the second day with visits of the first."""
    old = [visit(world)]
    for _ in range(2):
        world.clock.forward(minutes=15)
        old.append(visit(world))
    world.clock.forward(hours=24)
    answers = [way(world, handle, WRONG) for handle in old for _ in range(4)]
    assert {answer.status_code for answer in answers} == {422} and tries(world) == 0
    assert 'id="code"' not in world.get(f"/subscribe/{NEWS}/check-inbox?r={old[0]}").text
    handle = visit(world)
    assert way(world, handle, code(world)).status_code == 200
