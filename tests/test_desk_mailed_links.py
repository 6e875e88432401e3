"""Links of the desk by mail: invitations, and another password for whoever asks for it; strangers learn nothing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from subscriptions.domain.roles import Role
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Account, AccountLink, Owed, db
from tests.builders import World, text_of
from tests.desk import OLA, PASSWORD, Person, at_the_desk, invited
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_commands import run

pytestmark = BY_DAY_ON_SQLITE
EVA, LONG = "eva@example.org", "another five words it is"
FORGOTTEN = "/admin/forgotten"


@pytest.fixture
def ola(world: World) -> Person:
    return at_the_desk(world, email=OLA)


@pytest.fixture
def statements(world: World) -> Iterator[list[str]]:
    """What is said to the database."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", hear)
    yield said
    sa.event.remove(db.engine, "before_cursor_execute", hear)


def link_of(world: World, to: str = OLA) -> str:
    """The path of the link in the newest mail to that address: the same in both parts."""
    mail = world.mails(to)[-1]
    found = {
        link for kind in ("plain", "html") for link in re.findall(r"/admin/come-in/[\w-]{43}", text_of(mail, kind))
    }
    [path] = found
    return str(path)


def ask(world: World, email: str, ip: str = "203.0.113.7") -> str:
    answer = Person(world, ip).post(FORGOTTEN, email=email, csrf=None)
    assert answer.status_code == 200, answer.text
    return answer.text.replace(email, "")


def test_an_invitation_from_the_desk_or_by_command_comes_by_mail_with_the_link_that_is_shown(
    world: World, ola: Person
) -> None:
    page = ola.post("/admin/accounts/invite", email=EVA, role="viewer").text
    path = link_of(world, EVA)
    assert path in page and "Your invitation to the desk" in str(world.mails(EVA)[-1]["Subject"])
    said = run(world, "accounts", "invite", EVA, "--role", "viewer")
    assert said.stdout.splitlines() == [f"{world.base_url}{link_of(world, EVA)}"] and "mailbox" in said.stderr
    assert Person(world).get(path).status_code == 410, "the next one ended it"
    eva = Person(world)
    eva.post(link_of(world, EVA), password=PASSWORD, csrf=None)
    assert eva.is_in


def test_whoever_asks_for_another_password_is_told_the_same_and_only_an_account_gets_a_mail(
    world: World, ola: Person
) -> None:
    invited(world, "invited@example.org")
    at_the_desk(world, Role.VIEWER, "closed@example.org")
    with transaction() as session:
        session.query(Account).filter_by(email="closed@example.org").update({"disabled_at": world.clock.now()})
    asked = [OLA, "nobody@example.org", "invited@example.org", "closed@example.org"]
    assert len({ask(world, email) for email in asked}) == 1
    assert [mail["To"] for mail in world.mails()] == [OLA]
    assert ola.is_in
    fresh = Person(world)
    assert fresh.post(link_of(world), password=LONG, csrf=None).status_code == 303
    assert [fresh.is_in, ola.is_in, Person(world).sign_in().status_code] == [True, False, 422]
    assert "chose a new password." in fresh.get("/admin/audit").text


def test_the_statements_are_the_same_for_every_address(world: World, ola: Person, statements: list[str]) -> None:
    seen = []
    for email in (OLA, "nobody@example.org", OLA):
        statements.clear()
        ask(world, email)
        seen.append([one for one in statements if "SAVEPOINT" not in one])
    assert seen[0] == seen[1] == seen[2] and any("account_links" in one for one in seen[1])


def test_an_account_is_mailed_once_in_five_minutes_and_three_times_a_day(world: World, ola: Person) -> None:
    asked = []
    for minutes in (0, 4, 1, 5, 5, 24 * 60 - 11):
        world.clock.forward(minutes=minutes)
        ask(world, OLA)
        asked.append(len(world.mails(OLA)))
    assert asked == [1, 1, 2, 3, 3, 4]


def test_a_network_asks_twenty_times_in_a_quarter_of_an_hour(world: World, ola: Person) -> None:
    for n in range(20):
        ask(world, f"guess{n}@example.org")
    late = Person(world).post(FORGOTTEN, email=OLA, csrf=None)
    assert late.status_code == 429 and int(late.headers["Retry-After"]) > 0 and OLA in late.text
    assert world.mails() == []
    ask(world, OLA, "192.0.2.9")


def test_a_closed_account_gets_no_mail_that_was_owed_before(world: World, ola: Person) -> None:
    ask(world, OLA)
    with transaction() as session:
        session.query(Account).filter_by(email=OLA).update({"disabled_at": world.clock.now()})
    assert world.mails(OLA) == []


def test_an_account_that_has_chosen_a_language_gets_every_mail_in_it(world: World, ola: Person) -> None:
    ola.post("/admin/numbers", {"Accept-Language": "de"}, how_often="each")
    ask(world, OLA)
    assert world.mails(OLA)[-1]["Content-Language"] == "de"


def test_what_waits_to_be_sent_holds_no_link_and_is_not_sent_after_its_hour(world: World, ola: Person) -> None:
    ask(world, OLA)
    with reading() as session:
        [owed], [link] = session.query(Owed).all(), session.query(AccountLink).all()
    assert owed.address == OLA and owed.drop_at == world.clock.now() + timedelta(hours=1) == link.until
    assert bytes.fromhex(owed.mid) not in link.hash
    world.clock.forward(hours=1)
    assert world.mails(OLA) == []


def test_whoever_wants_no_newsletter_gets_the_link_to_the_desk_all_the_same(world: World, ola: Person) -> None:
    assert run(world, "suppressions", "add", OLA, "--scope", "all", "--reason", "x", "--yes").exit_code == 0
    ask(world, OLA)
    assert link_of(world)


@pytest.mark.parametrize("typed", ["", "no address", "\0@example.org", "x" * 10_000, "ä\udcff@example.org"])
def test_what_is_no_address_is_said_in_a_sentence_and_stays(world: World, ola: Person, typed: str) -> None:
    body, where = f"email={quote(typed, errors='surrogateescape')}", {"base_url": world.base_url}
    kind = "application/x-www-form-urlencoded"
    answer = world.client.post(FORGOTTEN, data=body, content_type=kind, headers={"Origin": world.base_url}, **where)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
