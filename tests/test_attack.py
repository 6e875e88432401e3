"""The scripted attack in small: the whole of it is `python -m tests.attack`."""

from pathlib import Path

import pytest

from tests.attack import OPERATOR, VICTIM, Plan, attack
from tests.support.relay import Relay

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.timeout(300)]


def test_an_attack_opens_the_breaker_bombs_nobody_and_keeps_no_person_out(
    database_url: str, tmp_path: Path, relay: Relay
) -> None:
    plan = Plan(sign_ups=1500, addresses=300, networks=100, lists=50, people=10)
    outcome = attack(plan, tmp_path, relay, database_url)
    assert outcome.wrong(plan) == []
    assert (outcome.mails[VICTIM], outcome.mails[OPERATOR], outcome.served) == (1, 1, plan.people)
