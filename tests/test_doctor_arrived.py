"""What an email of ours tells that has arrived: signatures, results, spam, TLS, clocks (D-11, D-18, O-08)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from subscriptions.inbound import own_mail
from subscriptions.inbound.own_mail import NotOurs
from subscriptions.parts import current_parts
from subscriptions.settings import Settings
from subscriptions.store import meta
from subscriptions.store.engine import reading, transaction
from tests.doctored import BASE, DOMAIN, HEAD, NAME, SIGNATURE, email, give, looked, named, settled, wrong, zone
from tests.support.cases import ONE_DATABASE, each
from tests.support.names import NameServer

CHECKS = ("dkim", "one-click", "arrived")
ONLY_LINK = SIGNATURE.replace("\tlist-unsubscribe-post", "\tx")


@pytest.fixture
def app(make_app: Callable[..., Flask], settings: Settings) -> Iterator[Flask]:
    with NameServer(zone()) as names:
        yield settled(make_app, names, server=replace(settings.server, base_url=BASE))


RESULTS = "mx.example.com; spf=softfail; dkim=pass; dmarc=pass"
WAY = "from a.example (a.example [203.0.113.7]) by {} with {}; Mon, 23 Nov 2026 12:00:{} +0000"
# finding, the headers that are otherwise, and what the sentence names
SEEN: list[tuple[str, dict[str, str | list[str] | None], str]] = [
    ("dkim-none", {"DKIM_Signature": None}, "no DKIM signature"),
    ("dkim-other", {"DKIM_Signature": SIGNATURE.replace(DOMAIN, "relay.example")}, "relay.example"),
    ("arrived-none", {"List_Unsubscribe": None}, "Send yourself the confirmation email"),
    ("leaves-unsigned", {"DKIM_Signature": ONLY_LINK}, "List-Unsubscribe-Post"),
    ("leaves-unsigned", {"DKIM_Signature": [ONLY_LINK, SIGNATURE.replace("list-unsubscribe:", "x:")]}, "(h=)"),
    ("leaves-elsewhere", {"List_Unsubscribe": "<https://track.example/u/1>"}, "tracking"),
    ("arrived-fails", {"Authentication_Results": RESULTS}, "SPF=softfail"),
    ("arrived-fails", {"Authentication_Results": "mx.example.com;\r\n dmarc=none; spf=pass"}, "DMARC=none"),
    ("arrived-fails", {"Authentication_Results": ["a.example; dkim=neutral", "a.example; spf=pass"]}, "DKIM=neutral"),
    ("arrived-fails", {"Authentication_Results": ["a.example; dkim=fail", "forged.example; dkim=pass"]}, "DKIM=fail"),
    ("arrived-fails", {"Authentication_Results": "a.example; spf=pass (b; dmarc=pass); dmarc=fail"}, "DMARC=fail"),
    ("arrived-spam", {"X_Spam_Status": "Yes, score=7.1"}, "X-Spam-Status: Yes, score=7.1"),
    ("arrived-spam", {"X_Spam_Flag": "YES"}, "X-Spam-Flag"),
    ("arrived-spam", {"X_Spam_Score": "5.4"}, "5.4"),
    ("arrived-spam", {"X_Rspamd_Score": "11.00"}, "11.00"),
    ("arrived-spam", {"X_Spamd_Result": "default: True [16.1 / 15.00];\r\n\tBAD(5)[]"}, "default: True"),
    ("arrived-spam", {"X_Rspamd_Action": "add header"}, "add header"),
    ("arrived-spam", {"X_MS_Exchange_Organization_SCL": "6"}, "SCL: 6"),
    ("arrived-spam", {"X_Forefront_Antispam_Report": "CIP:192.0.2.1;SCL:5;SFV:SPM"}, "SCL:5"),
    ("arrived-spam", {"X_SES_Spam_Verdict": "FAIL"}, "FAIL"),
    ("arrived-open", {"Received": [WAY.format("mx.example.com", "ESMTP id 1", "01")]}, "mx.example.com"),
    ("arrived-open", {"Received": [WAY.format("a.example", "ESMTPS", "02"), WAY.format("b.example", "SMTP", "01")]},
     "b.example"),
    ("arrived-apart", {"Date": "Mon, 23 Nov 2026 12:05:00 +0000"}, "299 seconds"),
    ("arrived-apart", {"Date": "Mon, 23 Nov 2026 12:00:00 +0100"}, "3601 seconds"),
]  # fmt: skip


@ONE_DATABASE
@each(("name", "instead", "said"), SEEN)
def test_each_fault_of_an_email_is_found_and_gone_with_the_next_one(
    app: Flask, name: str, instead: dict[str, str | list[str] | None], said: str
) -> None:
    give(app, email(**instead))
    found = wrong(app, *CHECKS)
    expected = {name, "leaves-unsigned"} if name == "dkim-none" else {name}
    assert {*named(found)} == expected
    assert any(said in one.says for one in found if one.name == name), [one.says for one in found]
    give(app, email())
    assert named(wrong(app, *CHECKS)) == []


@ONE_DATABASE
def test_what_is_well_is_told_as_well_with_scores_and_results(app: Flask) -> None:
    give(app, email(X_Rspamd_Score="-2.30", X_MS_Exchange_Organization_SCL="1", X_Rspamd_Action="no action"))
    assert {one.name for result in looked(app, "arrived") for one in result.findings or ()} == {"arrived-says"}
    told = [str(one.says) for result in looked(app, "arrived") for one in result.findings or ()]
    assert told[:3] == ["SPF: pass", "DKIM: pass", "DMARC: pass"]
    assert "X-Spam-Status: No, score=0.1 required=5.0" in told and "X-Rspamd-Score: -2.30" in told


@ONE_DATABASE
def test_a_signature_that_the_relay_adds_for_itself_is_no_concern_of_ours(app: Flask) -> None:
    give(app, email(DKIM_Signature=["v=1; d=relay.example; s=gone; h=from", SIGNATURE]))
    assert named(wrong(app, *CHECKS)) == []


@ONE_DATABASE
def test_a_server_that_says_nothing_is_no_fault(app: Flask) -> None:
    give(app, email(Authentication_Results=None, Received=None, Date="soon"))
    assert named(wrong(app, *CHECKS)) == []


@ONE_DATABASE
def test_before_an_email_has_arrived_one_check_asks_for_one_and_two_wait(app: Flask) -> None:
    assert [(one.name, one.copy) for one in wrong(app, *CHECKS)] == [
        ("arrived-none", "yestwice doctor --message email.eml")
    ]
    assert [one.state for one in looked(app, *CHECKS)] == ["skipped", "skipped", "hint"]


BAD = [
    b"",
    b"\0" * 100,
    b"Subject: no sender\n\nFrom: a@example.net",
    b"\xff\xfe\n\n",
    b"From: <>\n\n",
    b"From: x\n" * 9,
]


@ONE_DATABASE
@each("octets", BAD)
def test_what_is_no_email_is_refused_with_a_sentence_and_nothing_is_kept(app: Flask, octets: bytes) -> None:
    with pytest.raises(NotOurs, match="Show original"):
        give(app, octets)
    assert "arrived-none" in named(wrong(app, "arrived"))


@ONE_DATABASE
def test_an_email_of_somebody_else_is_refused_without_its_address(app: Flask) -> None:
    with pytest.raises(NotOurs) as caught:
        give(app, email(From="Anne <anne@elsewhere.example>"))
    assert str(caught.value) == f"This email is from elsewhere.example, and this service writes from {DOMAIN}."


HOSTILE: dict[str, str | list[str] | None] = {
    "DKIM_Signature": "=;;d;=" * 500,
    "X_Spam_Status": "Yes " + "x" * 9000 + "@",
    "Received": ["from" * 5000, ";"],
    "Authentication_Results": "(((" * 3000 + "dkim=" + "p" * 9000,
    "List_Unsubscribe": "<" * 9000,
}


@ONE_DATABASE
def test_a_hostile_head_is_read_within_bounds(app: Flask) -> None:
    give(app, email(**HOSTILE) + b"\xff" * 10_000)
    assert all(len(one.says) < 400 for result in looked(app, *CHECKS) for one in result.findings or ())


def test_nothing_is_kept_of_an_email_but_what_the_checks_need(app: Flask) -> None:
    give(app, email(X_Spam_Status="No, tests=FROM_anne@example.org"))
    with app.app_context(), reading() as session:
        kept = meta.get(session, "doctor_arrived") or ""
    assert {*json.loads(kept)[1:3][0:1]} == {DOMAIN} and NAME.split(".")[0] in kept
    assert "@" not in kept and str(HEAD["Subject"]) not in kept and "Hello" not in kept


def test_of_what_comes_to_our_own_mailbox_only_the_last_test_email_is_looked_at(app: Flask) -> None:
    with app.app_context():
        with reading() as session:
            assert not own_mail.is_expected(session, email(Message_ID=None))
        with transaction() as session:
            own_mail.expect(session, "0011")
        with reading() as session:
            assert own_mail.is_expected(session, email())
            assert not own_mail.is_expected(session, email(Message_ID="<0012@example.net>"))
            assert own_mail.noted(session) is None
    assert current_parts(app).settings.server.base_url == BASE


@each("date", ["Mon, 23 Nov 999999999999 12:00:00 +0000", "Mon, 23 Nov 2026 12:00:00 +99999999999999", "x" * 5000])
def test_no_date_that_somebody_pastes_stops_the_doctor(date: str) -> None:
    octets = f"From: news@example.org\r\nReceived: from a by b; {date}\r\nDate: {date}\r\n\r\n".encode()
    assert (
        own_mail.read(octets, ["example.org"], "https://news.example.org", datetime(2026, 11, 23, tzinfo=UTC)).ahead
        == 0
    )
