"""Numbers by email: who wants them gets them, of their own lists, and nothing that names anybody."""

import re
from email.message import EmailMessage

from subscriptions.domain.figures import HowOften
from subscriptions.domain.roles import Role
from subscriptions.store import audit, meta
from subscriptions.store.accounts import all_of
from subscriptions.store.engine import reading
from subscriptions.store.models import Account, Owed
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World, text_of
from tests.desk import OLA, PASSWORD, Person, at_the_desk
from tests.support.cases import each


def wants(world: World, how_often: str, email: str = OLA, **more: object) -> Person:
    person = at_the_desk(world, email=email, **more)  # type: ignore[arg-type]
    answer = person.post("/admin/numbers", how_often=how_often)
    assert answer.status_code == 200 and "Done." in answer.text
    return person


def told(world: World, to: str = OLA) -> list[EmailMessage]:
    """The emails with numbers that have come, after a run of the job."""
    world.run("numbers")
    return world.mails(to)


def lines(mail: EmailMessage) -> list[str]:
    return [line for line in text_of(mail).splitlines() if " in all" in line]


def accounts() -> list[Account]:
    with reading() as session:
        return [*all_of(session)]


def test_each_new_subscriber_is_told_within_a_quarter_of_an_hour_and_once(world: World) -> None:
    wants(world, "each")
    world.subscribe(BART)
    world.subscribe(CRIS)
    [mail] = told(world)
    assert lines(mail) == ["Newsletter: 2 new, 0 left, 2 in all", "Offers: 0 new, 0 left, 0 in all",
                           "Hidden: 0 new, 0 left, 0 in all"]  # fmt: skip
    assert "since\n23 November 2026, 12:00 (UTC):" in text_of(mail)
    assert not [who for who in (BART, CRIS) if who in mail.as_string()]
    world.post(world.leave_link(BART))
    assert len(told(world)) == 1, "who leaves is no new subscriber"
    world.subscribe(ANNE)
    assert lines(told(world)[-1])[0] == "Newsletter: 1 new, 1 left, 2 in all"
    assert "since\n23 November 2026, 12:30 (UTC):" in text_of(told(world)[-1])


def test_an_email_to_an_account_calls_for_no_vacuum(world: World) -> None:
    wants(world, "each")
    world.subscribe(BART)
    assert len(told(world)) == 1
    with reading() as session:
        assert meta.get(session, "vacuum_due") is None


def test_an_account_is_told_of_its_own_lists_alone(world: World) -> None:
    row = world.parts.catalogue.by_slug(OFFERS)
    assert row is not None
    wants(world, "each", role=Role.MANAGER, lists=[row.id])
    world.subscribe(BART, NEWS)
    assert told(world) == []
    world.subscribe(BART, OFFERS)
    assert lines(told(world)[0]) == ["Offers: 1 new, 0 left, 1 in all"]


def test_numbers_of_a_day_come_the_next_morning_if_there_are_any(world: World) -> None:
    wants(world, "daily")
    world.subscribe(BART)
    counts = []
    for hours in (17, 1, 24, 24):  # 5:15 and 6:15 of the next day, then two days on which nothing happens
        world.clock.forward(hours=hours)
        counts.append(len(told(world)))
    assert counts == [0, 1, 1, 1]
    world.post(world.leave_link(BART))
    world.clock.forward(days=1)
    assert lines(told(world)[-1])[0] == "Newsletter: 0 new, 1 left, 0 in all"


def test_numbers_of_a_week_come_on_mondays_and_say_once_that_nothing_is_new(world: World) -> None:
    wants(world, "weekly")
    counts = []
    for days in (6, 1, 7, 7):
        world.clock.forward(days=days)
        counts.append(len(told(world)))
    assert counts == [0, 1, 1, 1]
    world.subscribe(BART)
    world.clock.forward(days=7)
    assert lines(told(world)[-1])[0] == "Newsletter: 1 new, 0 left, 1 in all"
    world.clock.forward(days=7)
    assert len(told(world)) == 3


def test_who_wants_none_gets_none(world: World) -> None:
    at_the_desk(world, email=OLA)
    world.subscribe(BART)
    world.clock.forward(days=8)
    assert told(world) == [] and accounts()[0].numbers is HowOften.NEVER


def test_while_an_email_waits_no_other_is_owed_and_the_next_one_tells_the_rest(world: World) -> None:
    wants(world, "each")
    world.subscribe(BART)
    world.run("numbers")
    world.sign_up(CRIS)
    world.post(world.parts.links.confirm_url(world.registrations()[-1].ref))
    before = world.count(Owed, Owed.mail == "numbers")
    assert (before, world.run("numbers")) == (1, 0)
    assert lines(world.mails(OLA)[0])[0] == "Newsletter: 1 new, 0 left, 1 in all"
    assert lines(told(world)[-1])[0] == "Newsletter: 1 new, 0 left, 2 in all"


def test_the_link_in_the_email_turns_them_off_without_signing_in(world: World) -> None:
    wants(world, "each")
    world.subscribe(BART)
    [link] = re.findall(r"https?://[^/\s]+(/admin/no-numbers/\S+)", text_of(told(world)[0]))
    nobody = Person(world)
    assert "Send me no more" in nobody.get(link).text and accounts()[0].numbers is HowOften.EACH
    for _ in range(2):
        assert "You get no more of these emails." in nobody.post(link, csrf=None).text
    assert accounts()[0].numbers is HowOften.NEVER
    world.subscribe(CRIS)
    assert len(told(world)) == 1
    assert nobody.post(link, {"Sec-Fetch-Site": "cross-site"}, csrf=None).status_code == 403
    assert {nobody.get(f"{link[:-9]}AAAAAAAAA").status_code, nobody.get("/admin/no-numbers/x").status_code} == {404}


def test_what_was_owed_leaves_no_more_once_somebody_wants_none_or_the_account_is_closed(world: World) -> None:
    ola, boss = wants(world, "each"), at_the_desk(world, email="boss@example.org")
    other, third = wants(world, "each", "other@example.org"), wants(world, "each", "third@example.org")
    world.subscribe(BART)
    world.run("numbers")
    assert world.count(Owed) == 3
    ola.post("/admin/numbers", how_often="never")
    third.post("/admin/numbers", how_often="daily")
    number = next(row.id for row in accounts() if row.email == "other@example.org")
    assert "closed" in boss.post(f"/admin/accounts/{number}/disable", proof=PASSWORD).text and not other.is_in
    found = [world.mails(to) for to in (OLA, "other@example.org", "third@example.org")]
    assert found == [[], [], []] and world.count(Owed) == 0
    world.subscribe(CRIS)
    assert world.run("numbers") == 0


@each("typed", ["", "hourly", "\0", "each\0", "x" * 10_000])
def test_another_choice_than_those_of_the_page_changes_nothing(world: World, typed: str) -> None:
    ola = Person(world) if accounts() else at_the_desk(world, email=OLA)
    ola.sign_in()
    answer = ola.post("/admin/numbers", how_often=typed)
    assert answer.status_code == 422 and "Please choose how often." in answer.text
    assert accounts()[0].numbers is HowOften.NEVER


def test_whoever_sits_at_the_machine_without_an_account_is_told_that_there_is_no_address(world: World) -> None:
    here = Person(world, "127.0.0.1")
    here.post("/admin/from-here", csrf=None)
    assert "no address to send them to" in here.get("/admin/numbers").text
    assert here.post("/admin/numbers", how_often="daily").status_code == 422


def test_a_choice_stands_in_the_audit_whichever_way_it_was_made(world: World) -> None:
    wants(world, "weekly")
    token = world.parts.links.no_numbers_token(accounts()[0].id)
    Person(world).post(f"/admin/no-numbers/{token}", csrf=None)
    with reading() as session:
        acts = [(row.actor, row.act, row.details) for row in audit.newest(session, 2)]
    assert acts == [("1", "numbers choose", {"by": "link"}), ("1", "numbers choose", {"how_often": "weekly"})]


def test_numbers_come_in_the_language_of_the_page_on_which_they_were_chosen(world: World) -> None:
    ola = at_the_desk(world, email=OLA)
    ola.post("/admin/numbers", {"Accept-Language": "de"}, how_often="each")
    world.subscribe(BART)
    [mail] = told(world)
    assert mail["Content-Language"] == "de" and "Guten Tag" in text_of(mail)
