"""Who guesses links is counted by network and answered like anybody else (K-08)."""

import logging

import pytest

from subscriptions.web.http.problems import MANY_GUESSES
from tests.builders import ANNE, World
from tests.test_health import metrics, readyz

HANDLE = f"/subscribe/newsletter/check-inbox?r={'x' * 40}"
GUESSES = ("/confirm/x", "/unsubscribe/x", "/not-me/x", "/preferences/x", HANDLE)


def guess(world: World, url: str, network: str) -> tuple[int, str]:
    answer = world.get(url, environ_base={"REMOTE_ADDR": network}, headers={"X-Request-ID": "of-the-test"})
    return answer.status_code, answer.text


def test_links_that_we_never_signed_are_counted_and_those_of_ours_are_not(world: World) -> None:
    world.sign_up(ANNE)
    assert world.get(world.confirm_link(ANNE)).status_code == 200
    assert metrics(world)["yestwice_bad_signatures_total"] == 0
    for number, url in enumerate(GUESSES, 1):
        guess(world, url, "203.0.113.8")
        assert metrics(world)["yestwice_bad_signatures_total"] == number
    code = {"registration": "x" * 40, "code": "K7QM-2XWD"}
    world.post("/api/v1/confirmations", json=code)
    assert metrics(world)["yestwice_bad_signatures_total"] == len(GUESSES) + 1


def test_many_of_one_network_are_a_finding_for_an_hour_and_change_no_answer(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "subscriptions")
    first = guess(world, GUESSES[0], "203.0.113.8")
    for number in range(MANY_GUESSES):
        assert guess(world, GUESSES[0], f"198.51.100.{number}")[0] == first[0]  # one each: a damaged link
    assert readyz(world).get_json()["warnings"] == []
    answers = {guess(world, GUESSES[0], "203.0.113.8") for _ in range(MANY_GUESSES)}
    assert answers == {first}
    assert [one for one in readyz(world).get_json()["warnings"] if "never signed" in one and "101" in one]
    assert len([record for record in caplog.records if "never signed" in record.getMessage()]) == 1
    assert not [record for record in caplog.records if "203.0.113" in record.getMessage()]
    world.clock.forward(hours=1)
    assert readyz(world).get_json()["warnings"] == []
