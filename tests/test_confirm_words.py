"""The page behind the confirmation mail: what is agreed to, one button, and no lecture."""

import re

import pytest

from tests.builders import ANNE, NEWS, OFFERS, World
from tests.several import ask
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE


def card(world: World, tag: str) -> str:
    page = world.get(f"{world.confirm_link()}?lang={tag}").text
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("tag", ["en", "de", "fr", "es"])
def test_the_page_of_one_list_has_one_button_and_few_words(world: World, tag: str) -> None:
    world.sign_up()
    page = card(world, tag)
    said = re.sub("<[^>]+>", " ", page).split()
    assert page.count("<button") == page.count("<form") == 1
    assert len(said) < 90, " ".join(said)
    assert f"<bdi>{ANNE}</bdi>" in page and "Newsletter" in page


def test_the_page_of_several_lists_asks_to_choose(world: World) -> None:
    ask(world, NEWS, OFFERS)
    page = card(world, "en")
    assert "<h1>Choose what to subscribe to</h1>" in page
    assert [*re.findall(r"<button[^>]*>([^<]+)</button>", page)] == [
        "Only Newsletter",
        "Only Offers",
        "Subscribe to both",
    ]


def test_no_page_of_a_confirm_link_lectures(world: World) -> None:
    world.sign_up()
    ask(world, NEWS, OFFERS, address="bart@example.org")
    for link in (world.confirm_link(), world.confirm_link("bart@example.org")):
        assert not re.search("(?i)nothing has happened|if you press|each button", world.get(link).text)
