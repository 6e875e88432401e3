"""A mail waits for the end of the 15 minutes for another list alone, whatever spelling of the mailbox asks."""

import pytest

from tests.builders import NEWS, OFFERS, World

A, B, PLAIN = "victim+a@gmail.com", "vic.tim+b@googlemail.com", "victim@gmail.com"


def registered(world: World) -> list[tuple[str, str]]:
    slugs = {row.id: row.slug for row in world.parts.catalogue.lists.values()}
    return [(row.address or "", slugs[row.list_id]) for row in world.registrations()]


def mails_of_an_hour(world: World) -> int:
    for _ in range(4):
        world.deliver()
        world.clock.forward(minutes=15)
    return len(world.mails())


@pytest.mark.parametrize("first", [A, PLAIN])
@pytest.mark.parametrize("form", [False, True])
def test_other_spellings_book_no_further_mail_for_a_list_that_is_waited_for(
    world: World, first: str, form: bool
) -> None:
    for address in (first, A, B, PLAIN, "victim+c@gmail.com"):
        if form:
            assert world.post(f"/subscribe/{NEWS}", data={"email": address}).status_code == 303
        else:
            assert world.sign_up(address).status_code == 202
    assert registered(world) == [(first, NEWS)]
    assert mails_of_an_hour(world) == 1


def test_another_spelling_may_wait_for_another_list_once(world: World) -> None:
    world.sign_up(A)
    for address in (B, B, PLAIN, A):
        world.sign_up(address, OFFERS)
    assert registered(world) == [(A, NEWS), (B, OFFERS)]
    assert mails_of_an_hour(world) == 2


def test_what_one_spelling_has_just_confirmed_no_other_waits_for(world: World) -> None:
    world.sign_up(A)
    world.post(world.confirm_link(A))
    for address in (B, PLAIN):
        world.sign_up(address)
    assert len(registered(world)) == 1
    world.sign_up(B, OFFERS)
    assert registered(world)[1:] == [(B, OFFERS)]


def test_once_the_time_to_confirm_is_over_another_spelling_may_wait_for_the_list(world: World) -> None:
    world.sign_up(A)
    world.clock.forward(hours=24)
    world.sign_up(PLAIN, OFFERS)
    world.sign_up(B)
    assert registered(world)[1:] == [(PLAIN, OFFERS), (B, NEWS)]
