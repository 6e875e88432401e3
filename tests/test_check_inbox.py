"""The page after the form: what to look for, where the mail is read, and another mail within the budget."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from subscriptions.links.handles import MAILS
from subscriptions.settings import Abuse, Limits, Mail
from subscriptions.store.models import Address
from tests.builders import ANNE, BART, HIDDEN, NEWS, OFFERS, World
from tests.read_mails import timed
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_contracts import everything
from tests.typed import ask_again, code_in, handle_of, page, type_code, visit

pytestmark = BY_DAY_ON_SQLITE

SMTP = Mail(transport="smtp", sender="Example Society <letters+news@example.org>")
BUTTON = re.compile(r'<a class="button" href="(https://[^"]+)" target="_blank" rel="noopener noreferrer">([^<]+)</a>')


@pytest.fixture
def sending(make_app: Callable[..., Flask], world: World) -> World:
    """A world whose mails would leave by SMTP: its pages know no mailbox."""
    app = make_app(mail=SMTP)
    return World(app, app.test_client(), world.clock)


def test_the_page_says_what_to_look_for_and_until_when(world: World) -> None:
    text = page(world, visit(world)).text
    for said in (
        "newsletter@example.org",
        "Please confirm: Newsletter",
        timed("24 November 2026, 12:00 (UTC)"),
        "spam folder",
    ):
        assert said in text
    assert f'href="/subscribe/{NEWS}"' in text and 'autocomplete="one-time-code"' in text


@pytest.mark.parametrize(("age", "told"), [(0, True), (86399, True), (86400, False)])
def test_a_deadline_that_is_over_is_not_told(world: World, age: int, told: bool) -> None:
    handle = visit(world)
    world.clock.forward(seconds=age)
    text = page(world, handle).text
    assert ("24 November 2026" in text) is told and ("The time to confirm is over" in text) is not told


@pytest.mark.parametrize("query", ["", "?r=", "?r=x", "?r=" + "A" * 22, "?r=" + "A" * 40, "?r=%00&r=b"])
def test_a_handle_that_is_not_ours_gets_the_page_without_what_belongs_to_a_visit(world: World, query: str) -> None:
    answer = world.get(f"/subscribe/{NEWS}/check-inbox{query}")
    assert answer.status_code == 200 and "Now check your inbox" in answer.text
    assert "<form" not in answer.text and "<script" not in answer.text


DOMAINS = [
    ("anne@gmail.com", "https://mail.google.com/mail/u/0/#search/from%3Aletters%2Bnews%40example.org+in%3Aanywhere",
     "Find the email in Gmail"),
    ("anne@GoogleMail.com", "https://mail.google.com/mail/u/0/#search/from%3Aletters%2Bnews%40example.org+in%3Aanywhere",
     "Find the email in Gmail"),
    ("anne@yahoo.de", "https://mail.yahoo.com/d/search/keyword=from%253Aletters%252Bnews%2540example.org",
     "Find the email in Yahoo Mail"),
    ("anne@hotmail.com", "https://outlook.live.com/mail/0/inbox", "Open Outlook"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "url", "label"), DOMAINS)
def test_the_page_opens_the_webmail_of_the_typed_domain(sending: World, address: str, url: str, label: str) -> None:
    found = BUTTON.search(page(sending, visit(sending, address)).text)
    assert found and (unescape(found[1]), found[2]) == (url, label)
    assert sending.subscriptions() == []


@pytest.mark.parametrize("address", [ANNE, "gmail.com@example.org"])
def test_a_domain_that_is_not_in_the_table_gets_no_button(sending: World, address: str) -> None:
    assert not BUTTON.search(page(sending, visit(sending, address)).text)


def test_the_webmail_is_the_same_whatever_the_address_is(sending: World, world: World) -> None:
    world.subscribe("anne@gmail.com")
    found = [BUTTON.search(page(sending, visit(sending, one)).text) for one in ("anne@gmail.com", "bart@gmail.com")]
    assert found[0] and found[1] and found[0][0] == found[1][0]


def test_another_mail_is_a_fresh_registration_for_the_same_page(world: World) -> None:
    handle = visit(world, name="Anne", slug=OFFERS)
    world.clock.forward(minutes=15)
    answer = ask_again(world, handle, OFFERS)
    assert answer.status_code == 303 and handle_of(answer) == handle
    first, fresh = world.registrations()
    assert (fresh.address, fresh.name, fresh.list_id) == (ANNE, "Anne", first.list_id)
    assert (fresh.registered_at, first.ref == fresh.ref) == (world.clock.now(), False)
    said = world.get(answer.location).text
    assert "we are sending another email" in said and "at most one every 15 minutes" in said


@pytest.mark.parametrize("mail", [0, 1])
def test_the_code_of_either_mail_works_on_the_page(world: World, mail: int) -> None:
    handle = visit(world)
    world.clock.forward(minutes=15)
    ask_again(world, handle)
    codes = [code_in(one) for one in world.mails(ANNE)]
    assert len(set(codes)) == 2
    assert type_code(world, handle, codes[mail]).status_code == 200
    assert [one.state for one in world.registrations()] == ["confirmed" if n == mail else "pending" for n in range(2)]


def test_another_mail_keeps_to_the_budget_and_the_code_of_the_first_goes_on_working(world: World) -> None:
    handle = visit(world)
    assert [ask_again(world, handle).status_code for _ in range(3)] == [303] * 3
    [mail] = world.mails(ANNE)
    assert type_code(world, handle, code_in(mail)).status_code == 200


def test_another_mail_after_a_day_brings_a_fresh_day(world: World) -> None:
    handle = visit(world)
    world.clock.forward(hours=30)
    handle = parse_qs(urlsplit(ask_again(world, handle).location).query)["r"][0]
    assert type_code(world, handle, code_in(world.mails(ANNE)[-1])).status_code == 200


def test_another_mail_to_a_subscriber_says_that_there_is_a_subscription(world: World) -> None:
    handle = visit(world)
    type_code(world, handle, code_in(world.mails(ANNE)[-1]))
    world.clock.forward(minutes=15)
    ask_again(world, handle)
    assert [one["Subject"] for one in world.mails(ANNE)][1].startswith("You are already subscribed")
    assert len(world.registrations()) == 1


def disowned(world: World) -> str:
    handle = visit(world)
    world.post(world.not_me_link(ANNE))
    return handle


def never_registered(world: World) -> str:
    world.sign_up(ANNE)
    return visit(world)


def purged(world: World) -> str:
    handle = visit(world)
    world.clock.forward(days=30)
    world.run("purge")
    return handle


def of_another(world: World) -> str:
    return "A" * 40


@pytest.mark.parametrize("nobody", [disowned, never_registered, purged, of_another], ids=lambda one: one.__name__)
def test_where_nothing_is_left_another_mail_is_answered_and_writes_nothing(
    world: World, nobody: Callable[[World], str]
) -> None:
    handle = nobody(world)
    world.clock.forward(hours=1)
    without = ("counted_keys", "addresses")  # the sign-up is counted
    before = {name: rows for name, rows in everything().items() if name not in without}
    known = world.count(Address)
    answer = ask_again(world, handle)
    assert answer.status_code == 303 and answer.location.endswith("again=1")
    assert {name: rows for name, rows in everything().items() if name not in without} == before
    assert world.count(Address) == known


def test_a_visit_has_eight_mails_at_most(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(limits=Limits(confirmations_per_address=(), signups_per_network=""))
    with app.app_context():
        free = World(app, app.test_client(), world.clock)
        handle = visit(free)
        for _ in range(MAILS + 2):
            answer = ask_again(free, handle)
            assert answer.status_code == 303 and "at most one" not in free.get(answer.location).text
        assert len(free.registrations()) == MAILS == len({code_in(one) for one in free.mails(ANNE)})


def test_another_mail_counts_for_the_network_like_a_sign_up(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(limits=Limits(signups_per_network="2/1h"))
    with app.app_context():
        narrow = World(app, app.test_client(), world.clock)
        mine, nobodys = visit(narrow), visit(narrow, BART)
        assert [ask_again(narrow, one).status_code for one in (mine, nobodys)] == [429, 429]


def test_another_mail_is_never_asked_for_a_proof(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(abuse=Abuse(proof_of_work_from="1/1h"))
    with app.app_context():
        busy = World(app, app.test_client(), world.clock)
        handle = visit(busy)
        world.clock.forward(minutes=15)
        assert busy.sign_up(BART).status_code == 422
        assert ask_again(busy, handle).status_code == 303 and len(busy.mails(ANNE)) == 2


def test_another_mail_keeps_the_wording_that_was_shown_and_claims_none_that_was_not(world: World) -> None:
    shown = world.parts.catalogue.configured[0].wording_id
    handles = [visit(world, ANNE, wording=shown), visit(world, BART)]
    world.clock.forward(minutes=15)
    for handle in handles:
        ask_again(world, handle)
    assert [(row.wording_id, row.vouched) for row in world.registrations()] == [(shown, True), (shown, False)] * 2
    assert [one.details["vouched"] for one in world.evidence() if one.fact == "registered"] == [True, False] * 2


@pytest.mark.parametrize("path", ["check-inbox", "code"])
def test_a_list_that_takes_no_sign_ups_has_no_such_page(world: World, path: str) -> None:
    assert world.post(f"/subscribe/nowhere/{path}", data={"r": visit(world)}).status_code == 404
    assert world.post(f"/subscribe/{HIDDEN}/{path}", data={"r": "x"}).status_code in (303, 422)


def test_the_page_may_run_our_script_and_no_other(world: World) -> None:
    answer = page(world, visit(world))
    assert answer.headers["Content-Security-Policy"].endswith("; script-src 'self'")
    assert "connect-src" not in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script[^>]*>", answer.text) == re.findall(
        r'<script src="/static/open-tab\.js\?v=\w+" defer>', answer.text
    )


def test_looking_at_the_page_for_a_month_changes_nothing(world: World) -> None:
    handle = visit(world)
    before = everything()
    for _ in range(5):
        world.clock.forward(seconds=timedelta(days=6).total_seconds())
        assert page(world, handle).status_code == 200
    assert everything() == before


def test_a_french_subject_keeps_its_marks_beside_their_words_in_the_mail_and_on_the_page(world: World) -> None:
    sign_up = world.sign_up_by_form(locale="fr")
    subject = "À confirmer\u00a0: Newsletter"
    assert str(world.mails(ANNE)[0]["Subject"]) == subject
    assert subject in world.get(f"{sign_up.location}&lang=fr").text
    facts = world.get(f"/api/v1/lists/{NEWS}/form?lang=fr").get_json()["inbox"]["facts"]
    assert subject in [fact for _, fact in facts]
