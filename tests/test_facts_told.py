"""Every fact has a sentence of its own: at a terminal, on pages, and in the proof; also in another language."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask_babel import force_locale

from subscriptions.cli.explain import in_english
from subscriptions.domain.evidence import DETAILS, Channel, Fact
from subscriptions.proof.words import Voice
from subscriptions.store.models import Evidence
from subscriptions.story import happened
from subscriptions.web.http import telling
from tests.builders import World
from tests.support.cases import ONE_DATABASE

pytestmark = ONE_DATABASE
SAID: dict[str, Any] = {
    "changed": ["name", "locale"], "told": "letter", "told_on": "2026-11-23", "review_on": "2027-03-01",
    "method": "button on the confirmation page", "mail": "confirm", "vouched": True,
}  # fmt: skip
_INNER = "FieldNames", "OfList", "Said(", "%(", "datetime", "[", "{", "None"


def told(world: World, fact: Fact, tag: str) -> dict[str, str]:
    """By who tells it."""
    details = {name: SAID.get(name, "so") for name in DETAILS[fact]}
    event = Evidence(fact=fact, at=datetime(2026, 11, 23, tzinfo=UTC), channel=Channel.DESK, details=details)
    row, said = world.parts.catalogue.lists[1], happened.sentence(event)
    with world.app.test_request_context("/"), force_locale(tag):
        return {"command": in_english(said), "page": str(telling.sentence(said.bare, row)),
                "proof": Voice(tag, row).sentence(said), "annex": Voice(tag, row).sentence(said.bare)}  # fmt: skip


@pytest.mark.parametrize("tag", ["en", "de", "fr", "es"])
def test_each_fact_has_a_sentence_of_its_own_wherever_it_is_told(world: World, tag: str) -> None:
    of = {fact: told(world, fact, tag) for fact in Fact}
    for who in ("command", "page", "proof", "annex"):
        sentences = {fact: said[who] for fact, said in of.items()}
        assert len({*sentences.values()}) == len(Fact), sentences
        bad = [said for said in sentences.values() if not said.endswith(".") or any(one in said for one in _INNER)]
        assert not bad, (who, bad)


@pytest.mark.parametrize("tag", ["de", "fr", "es"])
def test_none_of_them_is_english_where_another_language_is_read(world: World, tag: str) -> None:
    english, there = ({fact: told(world, fact, one)["annex"] for fact in Fact} for one in ("en", tag))
    assert [fact for fact in Fact if english[fact] == there[fact]] == []
