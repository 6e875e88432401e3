"""Requests at the desk: what is due first, one button each, letters, two at once, and what is overdue."""

from datetime import date

import pytest

from subscriptions.domain.roles import Role
from subscriptions.store import requests as rows
from subscriptions.store.engine import reading
from subscriptions.store.models import Request
from tests.builders import ANNE, BART, NEWS, OFFERS, World, at, link_in, text_of
from tests.desk import Person, at_the_desk
from tests.preferences import Page, key
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_people import page_of
from tests.test_requests import PRIVACY, flat, stored, written

pytestmark = BY_DAY_ON_SQLITE
LETTER = {"kind": "erasure", "list": NEWS, "channel": "letter", "received": "2026-11-20", "person": "A. Beispiel",
          "email": BART, "identity": "called back", "words": "Please erase me."}  # fmt: skip


def settled(who: Person, row: Request, step: str, words: str = "Because.") -> str:
    answer = who.post(f"/admin/requests/{row.id}/{step}", words=words)
    assert answer.status_code == 303, answer.text
    return who.get(answer.location).text


def test_the_officer_sees_what_is_due_first_and_answers_on_the_persons_page(world: World) -> None:
    page, otto = written(world), at_the_desk(world, Role.PRIVACY)
    otto.post("/admin/requests/new", **LETTER)
    listed = otto.get("/admin/requests").text
    assert listed.index("Erasure, <bdi>A. Beispiel</bdi>, due in 27 days") < listed.index(
        f"Complaint, <bdi>{ANNE}</bdi>, due in 30 days"
    )
    with reading() as session:
        row = next(row for row in rows.waiting(session) if row.key == key(world, ANNE))
    assert "What is &lt;b&gt;this&lt;/b&gt;?" in otto.get(f"/admin/requests/{row.id}").text
    letter = otto.get(f"/admin/requests/{row.id + 1}").text
    assert "<dd>20 November 2026, by letter</dd>" in letter, "nobody knows the hour of a letter"
    assert "The request is answered." in settled(otto, row, "answer", "It is our newsletter.")
    mail = world.mails(ANNE)[-1]
    assert mail["Subject"] == "We have answered your request: Example Society" and "our newsletter" not in flat(mail)
    assert "It is our newsletter." in page.act("show").text


def test_a_request_is_extended_once_with_the_reason_that_the_person_is_told(world: World) -> None:
    written(world)
    otto, row = at_the_desk(world, Role.PRIVACY), stored(world)
    settled(otto, row, "extend", "We ask three providers.")
    assert stored(world).until == date(2027, 2, 23)
    text = text_of(world.mails(ANNE)[-1])
    assert "23 February 2027" in text and "We ask three providers." in text
    again = otto.post(f"/admin/requests/{row.id}/extend", words="Once more")
    assert again.status_code == 409 and "The law allows that once." in again.text and "Once more" in again.text


def test_it_is_too_late_to_extend_when_the_month_is_over(world: World) -> None:
    written(world)
    world.clock.forward(days=31)
    answer = at_the_desk(world, Role.PRIVACY).post(f"/admin/requests/{stored(world).id}/extend", words="Sorry")
    assert answer.status_code == 409 and stored(world).extended_until is None


def test_a_refusal_tells_the_reason_the_authority_and_the_court(world: World) -> None:
    page, otto = written(world), at_the_desk(world, Role.PRIVACY)
    settled(otto, stored(world), "refuse", "The third this week,\nand the same words.")
    mail = world.mails(ANNE)[-1]
    assert "The third this week,\nand the same words." in text_of(mail)
    assert "complain to a data protection supervisory authority" in flat(mail) and "go to court" in flat(mail)
    assert "Articles 77 and 79 GDPR" in page.act("show").text


def test_of_two_officers_at_once_the_second_is_told_and_nothing_changes_twice(world: World) -> None:
    written(world)
    row, otto = stored(world), at_the_desk(world, Role.PRIVACY)
    settled(otto, row, "answer", "First.")
    mails = len(world.mails(ANNE))
    late = at_the_desk(world, Role.OWNER).post(f"/admin/requests/{row.id}/refuse", words="Second.")
    assert late.status_code == 409 and "Someone has settled this request in the meantime." in late.text
    assert (stored(world).answer, len(world.mails(ANNE))) == ("First.", mails)


@pytest.mark.parametrize("words", ["", "x" * 5001, "a\0b"], ids=["empty", "long", "NUL"])
def test_an_answer_that_cannot_be_stays_in_its_form(world: World, words: str) -> None:
    written(world)
    row, otto = stored(world), at_the_desk(world, Role.PRIVACY)
    answer = otto.post(f"/admin/requests/{row.id}/answer", words=words)
    assert answer.status_code == 422 and "<details open>" in answer.text and stored(world).outcome is None


def test_an_answer_with_the_spaces_that_french_sets_before_its_signs_is_taken(world: World) -> None:
    written(world)
    row, otto = stored(world), at_the_desk(world, Role.PRIVACY)
    settled(otto, row, "answer", "Notre réponse\u00a0: « oui\u202f».")
    assert stored(world).answer == "Notre réponse\u00a0: « oui\u202f»."


WRONG = [({"identity": ""}, "cannot be empty"), ({"kind": "x"}, "what it is about"), ({"channel": "owl"}, "told you"),
         ({"received": "2027-01-01"}, "in the future"), ({"person": "", "email": ""}, "who asks"),
         ({"email": "nobody"}, "@"), ({"words": ""}, "Please write"), ({"identity": "a\nb"}, "a single line"),
         ({"words": "y" * 10_000}, "10000 characters")]  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_a_letter_that_is_not_filled_in_rightly_changes_nothing(world: World, wrong: dict[str, str], said: str) -> None:
    otto = at_the_desk(world, Role.PRIVACY)
    answer = otto.post("/admin/requests/new", **(LETTER | wrong))
    assert answer.status_code == 422 and said in answer.text and world.count(Request) == 0


def test_who_sees_some_lists_finds_no_request_of_others(world: World) -> None:
    written(world)
    row = stored(world)
    offers = world.parts.catalogue.by_slug(OFFERS)
    assert offers is not None
    otto = at_the_desk(world, Role.PRIVACY, lists=[offers.id])
    assert ANNE not in otto.get("/admin/requests").text and "(1)" not in otto.get("/admin/requests").text
    assert otto.get(f"/admin/requests/{row.id}").status_code == 404
    assert otto.post(f"/admin/requests/{row.id}/answer", words="x").status_code == 404
    assert otto.post("/admin/requests/new", **LETTER).status_code == 404
    assert at_the_desk(world, Role.MANAGER).get("/admin/requests").status_code == 403


def test_what_is_overdue_is_said_by_readyz_the_start_page_the_menu_and_a_mail_a_day(world: World) -> None:
    written(world)
    otto = at_the_desk(world, Role.PRIVACY)
    assert "Requests (" not in otto.get("/admin/").text and world.run("requests") == 0
    at(world, "2026-12-20T08:00")
    otto = at_the_desk(world, Role.PRIVACY, "olga@example.org")
    assert "Requests (1)" in (page := otto.get("/admin/").text) and "is due this week" in page
    at(world, "2026-12-24T08:00")
    otto = at_the_desk(world, Role.PRIVACY, "otto@example.org")
    assert "1 request about personal data is overdue." in otto.get("/admin/").text
    ready = world.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"}).json
    assert ready["requests"] == {"due": 1, "overdue": 1}
    assert any("requests of people about their data are overdue: 1" in one for one in ready["warnings"])
    for _ in range(3):
        world.run("requests")
        world.clock.forward(hours=1)
    [mail] = world.mails("otto@example.org")
    assert "/admin/requests\n" in text_of(mail) and len(world.mails("olga@example.org")) == 1
    world.clock.forward(days=1)
    assert world.run("requests") == 3  # three who answer requests
    assert not world.mails("manager@example.org")


def test_an_overdue_mail_is_not_sent_where_it_was_answered_meanwhile(world: World) -> None:
    written(world)
    at(world, "2026-12-24T08:00")
    otto = at_the_desk(world, Role.PRIVACY)
    world.run("requests")
    settled(otto, stored(world), "answer")
    assert world.mails("privacy@example.org")[-1]["Subject"].startswith("A request")


def test_an_erasure_at_ones_page_is_done_at_once_and_is_no_open_request(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    asked = page.act("erase").text
    assert "Nothing has happened yet." in asked and "proof of your consent" in asked
    assert "We are erasing your data now." in page.told("erase-surely", never="1")
    assert "It contains no address, name or IP address." in flat(world.mails(ANNE)[-1])
    world.run("deliver")
    assert [row.address for row in world.subscriptions()] == [None] and world.count(Request) == 0


def test_what_an_erased_person_wrote_goes_a_day_after_it_is_answered(world: World) -> None:
    page = written(world)
    page.act("erase-surely")
    world.run("deliver")
    assert (stored(world).words, stored(world).address) == ("What is <b>this</b>?", ANNE)
    settled(at_the_desk(world, Role.PRIVACY), stored(world), "answer")
    world.deliver()
    world.clock.forward(days=1)
    world.run("purge")
    row = stored(world)
    assert (row.words, row.address, row.answer, row.key) == (None, None, None, key(world, ANNE))


def test_requests_are_kept_three_years_after_the_year_in_which_they_were_settled(world: World) -> None:
    written(world)
    settled(at_the_desk(world, Role.PRIVACY), stored(world), "answer")
    at(world, "2029-12-31T23:59")
    world.run("purge")
    assert world.count(Request) == 1
    world.clock.forward(minutes=1)
    world.run("purge")
    assert world.count(Request) == 0


def test_ready_answers_say_what_is_known_and_where_from_in_the_persons_language(world: World) -> None:
    world.subscribe(ANNE, name="Anne <Bonny>", locale="de", remote_addr="198.51.100.4")
    page = at_the_desk(world, Role.PRIVACY).get(f"{page_of(world, ANNE)}/answers").text
    assert ANNE in page and "Anne &lt;Bonny&gt;" in page and "Newsletter" in page and 'lang="de"' in page
    known = page.partition('id="answer-2"')[0]
    assert "23. November 2026" in page and "I would like to receive" in known and f"{world.base_url}/my-data" in known
    assert "IP-Adresse: 203.0.113.7" in known and "198.51.100.4" not in page, "that one may be somebody else's"
    assert at_the_desk(world, Role.MANAGER).get(f"{page_of(world, ANNE)}/answers").status_code == 403


def test_the_link_in_the_mail_to_the_officer_leads_to_the_way_in(world: World) -> None:
    written(world)
    link = link_in(world.mails(PRIVACY)[-1], "admin/requests")
    assert world.get(link).status_code == 303
