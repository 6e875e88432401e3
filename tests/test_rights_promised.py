"""What pages promise of rights: no identity card, no decision by a machine, and a way back for who has left."""

import re

from tests.builders import ANNE, World
from tests.preferences import Page
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE


def test_nobody_is_asked_for_an_identity_card_or_a_date_of_birth(world: World) -> None:
    """EDPB guidelines 01/2022, 3.3: who reads the mailbox needs no other proof."""
    world.subscribe(ANNE)
    page = Page.of(world, ANNE).act("show").text
    assert not re.search(r'type="(file|date)"', world.get("/my-data").text + page)
    assert "we need no identity card" in page


def test_that_nothing_is_decided_by_a_machine_stands_where_the_data_is_shown(world: World) -> None:
    """GDPR 22 and 15(1)(h)."""
    world.subscribe(ANNE)
    assert "We make no automated decisions about you." in Page.of(world, ANNE).act("stored").text


def test_the_page_after_leaving_names_the_list_and_the_way_back(world: World) -> None:
    world.subscribe(ANNE)
    left = world.post(world.leave_link(ANNE)).text
    assert "You are no longer on the list" in left and "Newsletter" in left
    back = re.search(r'href="([^"]+)">Sign up again', left)
    assert back is not None and 'type="email"' in world.get(back[1]).text
