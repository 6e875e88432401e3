"""Mail that came back: sorted by what the other side says, and nothing ends by what is not signed by us."""

import json
import re
from collections.abc import Callable
from email.utils import format_datetime
from functools import partial

import pytest
from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.bounces import Weight, reply_of, weight_of
from subscriptions.inbound import door
from subscriptions.inbound.house import house_of
from subscriptions.inbound.message import read
from subscriptions.inbound.returned import bounce_of
from subscriptions.links import Links
from subscriptions.settings import Inbound
from subscriptions.store.models import Suppression
from tests.builders import ANNE, BART, NEWS, Office, World, link_in, parse_mail, through
from tests.conftest import ManualClock
from tests.preferences import key
from tests.returned import GONE, Case, bounce, cases, hotmail_report, spam_report
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.support.relay import Relay

pytestmark = BY_DAY_ON_SQLITE
HARD = Case("postfix", "postfix", "5.1.1", "hard", "smtp; 550 5.1.1 <{to}>: Recipient address rejected: User unknown")
SOFT = Case("postfix", "postfix", "4.2.2", "soft", "smtp; 452 4.2.2 <{to}>: over quota")


def take(world: World, octets: bytes, to: str | None = None) -> Outcome:
    return door.take(read(octets, envelope_to=to), house_of(world.parts))


def anew(mail: bytes, world: World, number: int = 0) -> bytes:
    """The same as another message, of now."""
    date = f"Date: {format_datetime(world.clock.now())}".encode()
    mail = mail.replace(b"Date: Mon, 30 Nov 2026 09:00:05 +0000", date)
    return mail.replace(b"<b1@", f"<{world.clock.now():%d%H}-{number}@".encode()) + b"\r\n"


def state(world: World) -> str:
    return str(world.subscriptions()[-1].state)


@each("case", cases())
@ONE_DATABASE
def test_what_servers_and_providers_say_is_weighed_as_they_mean_it(world: World, case: Case) -> None:
    found = bounce_of(read(bounce(case, world.leave_link(GONE))), house_of(world.parts))
    assert found is not None and found.mail.about is not None
    assert (found.mail.weight, found.mail.about.key) == (case.weight, key(world, GONE))
    assert "@" not in found.mail.reply and "nobody" not in found.mail.reply


def test_the_corpus_has_the_forms_of_the_large_providers() -> None:
    assert len([*cases()]) >= 60
    assert len({case.of for case in cases()}) >= 25


def test_a_mailbox_that_does_not_exist_ends_the_subscription_once(world: World) -> None:
    world.subscribe(BART)
    world.clock.forward(days=7)
    mail = bounce(HARD, world.leave_link(BART), to=BART)
    assert [take(world, mail) for _ in range(3)] == [Outcome.DONE, Outcome.REPEATED, Outcome.REPEATED]
    assert state(world) == "bounced"
    end = world.evidence()[-1]
    assert (end.fact, end.channel, end.details["reply"]) == (
        "bounced", "bounce", "550 5.1.1 …: Recipient address rejected: User unknown",
    )  # fmt: skip
    assert len(end.details["message"]) == 64 and BART not in str(end.details)


FORGED = {
    "no token": "https://news.example/",
    "another token": "https://news.example/unsubscribe/" + "A" * 60 + "." + "B" * 43,
}


@pytest.mark.parametrize("link", FORGED.values(), ids=FORGED)
def test_a_forged_bounce_changes_nothing_and_is_no_letter_for_anybody(world: World, link: str) -> None:
    world.subscribe(BART)
    assert take(world, bounce(HARD, link, to=BART)) is Outcome.NOTHING
    assert (state(world), len(world.evidence())) == ("confirmed", 3)


def test_a_token_of_another_installation_changes_nothing(world: World) -> None:
    world.subscribe(BART)
    theirs = Links(world.base_url, [b"of somebody else" * 2], b"", world.parts.clock, world.parts.policy.confirm_within)
    assert take(world, bounce(HARD, theirs.leave_url(1, key(world, BART)), to=BART)) is Outcome.NOTHING
    assert state(world) == "confirmed"


UNHURT = {
    "for another mailbox": lambda link: bounce(HARD, link, to="next@example.org"),
    "only late": lambda link: bounce(SOFT, link, to=BART, action="delayed"),
    "an out-of-office": lambda link: (
        f"From: {BART}\r\nTo: bounces@news.example\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\n"
        f"I am away. User unknown to you may help.\r\n> {link}\r\n"
    ).encode(),
    "a reply that quotes it": lambda link: (
        f"From: {BART}\r\nTo: news@news.example\r\nSubject: Re: May\r\n\r\n"
        f"My friend says: mailbox does not exist, user unknown.\r\n> Unsubscribe: {link}\r\n"
    ).encode(),
}


@pytest.mark.parametrize("name", UNHURT)
def test_what_says_nothing_of_this_mailbox_ends_nothing(world: World, name: str) -> None:
    world.subscribe(BART)
    world.clock.forward(days=7)
    for _ in range(6):
        take(world, anew(UNHURT[name](world.leave_link(BART)), world))
        world.clock.forward(days=1)
    assert state(world) == "confirmed"


def test_a_bounce_of_a_bounce_is_about_no_mail_of_ours_and_gets_no_answer(world: World) -> None:
    world.subscribe(BART)
    first = bounce(HARD, "https://elsewhere.example/", to="bounces@news.example")
    assert take(world, first) is Outcome.NOTHING and world.deliver() == 0


def test_five_soft_bounces_on_different_days_end_it_and_many_on_one_day_do_not(world: World) -> None:
    world.subscribe(BART)
    link = world.leave_link(BART)
    for day in range(5):
        world.clock.forward(days=1)
        for number in range(3):
            take(world, anew(bounce(SOFT, link, to=BART), world, number))
        assert state(world) == ("bounced" if day == 4 else "confirmed")


def test_a_confirmation_mail_that_came_back_ends_nothing_and_explain_says_so(world: World) -> None:
    world.sign_up(ANNE)
    mail = bounce(HARD, world.not_me_link(ANNE), to=ANNE)
    assert take(world, mail) is Outcome.DONE
    assert [str(row.state) for row in world.registrations()] == ["pending"]
    told = world.evidence()[-1]
    assert (told.fact, told.details["weight"]) == ("returned", "hard")
    said = world.app.test_cli_runner().invoke(args=["explain", ANNE])
    assert "came back, which ends nothing: there is no such mailbox (550 5.1.1 …" in " ".join(said.output.split())
    assert world.post(world.confirm_link(ANNE)).status_code == 200
    assert state(world) == "confirmed"


def test_a_spam_report_ends_that_list_and_stops_its_confirmations_for_thirty_days(world: World) -> None:
    world.subscribe(BART)
    world.subscribe(BART, "offers")
    assert take(world, spam_report(world.leave_link(BART))) is Outcome.DONE
    assert [str(row.state) for row in world.subscriptions()] == ["unsubscribed", "confirmed"]
    assert world.evidence()[-1].channel == "complaint"
    world.sign_up(BART, NEWS)
    before = len(world.mails(BART))
    world.clock.forward(days=31)
    world.sign_up(BART, NEWS)
    assert len(world.mails(BART)) == before + 1
    assert world.deliver() == 0


def test_a_spam_report_of_a_confirmation_mail_erases_the_sign_up(world: World) -> None:
    world.sign_up(ANNE)
    assert take(world, spam_report(world.not_me_link(ANNE))) is Outcome.DONE
    assert world.registrations() == [] and world.count(Suppression) == 1


def test_outlooks_older_reports_count_as_well(world: World) -> None:
    world.subscribe(BART)
    assert take(world, hotmail_report(world.leave_link(BART))) is Outcome.DONE
    assert state(world) == "unsubscribed"


KINDS = {"not-spam": Outcome.NOTHING, "auth-failure": Outcome.NOTHING, "fraud": Outcome.UNCLEAR, "": Outcome.UNCLEAR}


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_of_another_kind_ends_nothing(world: World, kind: str) -> None:
    world.subscribe(BART)
    assert take(world, spam_report(world.leave_link(BART), kind)) is KINDS[kind]
    assert state(world) == "confirmed"


def test_a_forged_spam_report_changes_nothing(world: World) -> None:
    world.subscribe(BART)
    assert take(world, spam_report("https://news.example/", names=BART)) is Outcome.NOTHING
    assert state(world) == "confirmed" and world.count(Suppression) == 0


def test_a_reply_is_kept_as_one_line_without_addresses() -> None:
    said = f"550 5.1.1 <{GONE}>: no such\r\nuser {GONE}" + " x" * 200
    assert reply_of("5.1.1", said).startswith("550 5.1.1 …: no such user … x x") and len(reply_of("", said)) == 160
    assert weight_of("", "550 5.1.1") is Weight.HARD and weight_of("", "192.5.1.1 is away") is Weight.SOFT


def taking_tokens(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    return partial(make_app, inbound=Inbound(address="leave@news.example", token_in="address"))


def exported(world: World) -> dict[str, str]:
    answer = Office(world).get(f"/api/v1/lists/{NEWS}/export?format=jsonl", "export")
    return json.loads(answer.get_data())  # type: ignore[no-any-return]


def test_where_the_address_takes_a_token_it_tells_whose_mail_came_back(
    relay: Relay, make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    with through(relay, taking_tokens(make_app), clock, envelope_sender="bounces@news.example") as world:
        world.sign_up(ANNE)
        world.deliver()
        (mail,) = relay.mails
        assert re.fullmatch(r"bounces\+[a-z2-7]{48}@news\.example", mail.sender)
        assert world.parts.sender.composer.senders() == {"bounces@news.example"}
        said = bounce(HARD, "https://elsewhere.example/", to=ANNE, arrives_at=mail.sender.upper())
        assert take(world, said) is Outcome.DONE
        assert world.evidence()[-1].fact == "returned"
        world.post(link_in(parse_mail(mail.raw), "confirm"))
        world.clock.forward(days=1)
        returns_to = exported(world)["envelope_from"]
        assert len(returns_to.partition("@")[0]) <= 64
        assert take(world, bounce(HARD, "https://elsewhere.example/", to=ANNE), to=returns_to) is Outcome.REPEATED
        late = said.replace(b"<b1@", b"<b2@").replace(b"30 Nov", b"02 Dec")
        assert take(world, late, to=returns_to) is Outcome.DONE
        assert state(world) == "bounced"


@pytest.mark.parametrize(("address", "expected"), [("leave@news.example", "bounces@news.example"), ("", None)])
@ONE_DATABASE
def test_without_a_token_in_addresses_the_envelope_is_plain_and_without_inbound_mail_it_is_not_told(
    relay: Relay, make_app: Callable[..., Flask], clock: ManualClock, address: str, expected: str | None
) -> None:
    made = partial(make_app, inbound=Inbound(address=address))
    with through(relay, made, clock, envelope_sender="bounces@news.example") as world:
        world.sign_up(ANNE)
        world.deliver()
        assert relay.mails[0].sender == "bounces@news.example"
        world.post(link_in(parse_mail(relay.mails[0].raw), "confirm"))
        assert exported(world).get("envelope_from") == expected
