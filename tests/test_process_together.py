"""Two processes on one database, twenty people at once on one address (X-14)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.builders import link_in
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.load import Load, Request, sign_up
from tests.support.relay import Relay
from tests.support.server import PATIENCE, Server, until
from tests.support.sql import execute, number, rows

ANNE = "anne@example.org"
EVIDENCE = "SELECT count(*) FROM evidence WHERE fact = :fact"


@pytest.fixture
def ports(database_url: str, relay: Relay, tmp_path: Path) -> Iterator[list[int]]:
    """Two servers on one database, started at once."""
    with ExitStack() as stack:
        servers = [Server(tmp_path, database_url, relay=relay).launch() for _ in range(2)]
        yield [stack.enter_context(server).wait_ready().port for server in servers]


def at_once(ports: list[int], requests: list[Request]) -> Load:
    return Load(ports, requests, at_once=len(requests)).run()


@BY_DAY_ON_SQLITE
def test_20_sign_ups_of_one_address_for_two_lists_are_one_mail_now_and_the_other_in_15_minutes(
    ports: list[int], database_url: str, relay: Relay
) -> None:
    asks = [sign_up(ANNE, slug) for _ in range(10) for slug in ("newsletter", "offers")]
    assert at_once(ports, asks).counts == {202: 20}
    assert rows(database_url, "SELECT l.slug, count(*) FROM registrations r JOIN lists l ON l.id = r.list_id "
                              "GROUP BY l.slug ORDER BY l.slug") == [("newsletter", 1), ("offers", 1)]  # fmt: skip
    assert number(database_url, "SELECT asked FROM addresses") == 20
    (now,) = relay.wait_for(1)
    until(lambda: number(database_url, EVIDENCE, fact="mailed") == 1)
    ((later,),) = rows(database_url, "SELECT due_at FROM outbox")
    ((first_at,),) = rows(
        database_url, "SELECT registered_at FROM registrations WHERE id NOT IN (SELECT registration_id FROM outbox)"
    )
    assert _seconds(database_url, later, first_at) == pytest.approx(15 * 60, abs=0.002)  # budgets keep milliseconds

    execute(database_url, "UPDATE outbox SET due_at = owed_at")  # as if the 15 minutes were over
    first, second = relay.wait_for(2, PATIENCE)
    assert first == now and second.recipients == (ANNE,)
    assert first.message["List-Id"] != second.message["List-Id"]
    until(lambda: number(database_url, EVIDENCE, fact="mailed") == 2)
    assert len(relay.mails) == 2


def _seconds(url: str, later: object, earlier: object) -> float:
    if url.startswith("sqlite"):
        return float(rows(url, "SELECT (julianday(:a) - julianday(:b)) * 86400", a=later, b=earlier)[0][0])
    return float(rows(url, "SELECT extract(epoch FROM CAST(:a AS timestamptz) - :b)", a=later, b=earlier)[0][0])


def test_20_confirmations_at_once_are_one_subscription_and_one_event(
    ports: list[int], database_url: str, relay: Relay
) -> None:
    at_once(ports, [sign_up(ANNE)])
    path = urlsplit(link_in(relay.wait_for(1)[0].message, "confirm")).path
    until(lambda: number(database_url, "SELECT count(*) FROM outbox") == 0)
    assert at_once(ports, [("press", path, None)] * 20).counts == {200: 20}
    assert number(database_url, "SELECT count(*) FROM subscriptions WHERE state = 'confirmed'") == 1
    assert number(database_url, EVIDENCE, fact="confirmed") == 1
    assert number(database_url, "SELECT sum(value) FROM counters WHERE name = 'confirmations'") == 1


def test_20_people_who_sign_up_and_leave_on_both_processes_meet_no_deadlock(
    ports: list[int], database_url: str, relay: Relay
) -> None:
    people = [f"person-{number}@example.org" for number in range(20)]
    at_once(ports, [sign_up(person) for person in people])
    mails = relay.wait_for(20)
    pressed = [("press", urlsplit(link_in(mail.message, kind)).path, None)
               for mail in mails for kind in ("confirm", "not-me")]  # fmt: skip
    again = [sign_up(person, "offers") for person in people]
    load = Load(ports, [one for three in zip(pressed[::2], again, pressed[1::2], strict=True) for one in three]).run()
    # whoever disowned first had no registration left to confirm: 410
    assert set(load.counts) <= {200, 202, 410}
    assert number(database_url, "SELECT count(*) FROM subscriptions WHERE state = 'confirmed'") == 0
    assert number(database_url, "SELECT count(*) FROM suppressions") == 20
