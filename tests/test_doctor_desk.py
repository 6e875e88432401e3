"""Whether emails arrive, as the desk asks and tells it (O-10, D-11)."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask

from subscriptions.doctor import run
from subscriptions.domain.roles import Role
from subscriptions.domain.texts import Sentence
from subscriptions.inbound import own_mail
from subscriptions.settings import Settings
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.web.admin import health as desk
from tests.builders import NEWS, OFFERS, World, parse_mail, through
from tests.conftest import ManualClock
from tests.desk import Person, at_the_desk
from tests.doctored import SIGNATURE, alive, email, give, named, wrong
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.support.relay import Relay
from tests.test_commands import good
from tests.test_commands import run as command
from tests.test_health import run_all


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "SOON", 60.0)  # on a busy machine as well


@pytest.fixture
def live(make_app: Callable[..., Flask], settings: Settings, clock: ManualClock) -> Iterator[World]:
    with alive(make_app, settings, clock) as world:
        yield world


def health(person: Person) -> str:
    text = person.get("/admin/health").text
    return re.sub(r"\s+", " ", re.sub(r"<(?!pre|/pre)[^>]+>", " ", text))


@BY_DAY_ON_SQLITE
def test_the_desk_checks_at_the_press_of_a_button_and_keeps_what_was_found(world: World) -> None:
    owner = at_the_desk(world)
    assert "Nobody has checked yet" in health(owner)
    assert owner.post("/admin/health/check").headers["Location"] == "/admin/health#arrives"
    page = health(owner)
    assert "Last checked on 23 November 2026, 12:00 (UTC)" in page and "Last backup: never." in page
    assert ">yestwice backup yestwice.backup</pre>" in page and "is lost with the disk." in page
    world.clock.forward(minutes=50)
    assert "Last checked on 23 November 2026, 12:00 (UTC)" in health(owner)
    with reading() as session:
        assert [row.act for row in audit.find(session, act="health")] == ["health check"]


@ONE_DATABASE
def test_nobody_waits_for_a_page_as_long_as_a_slow_check_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, asked = run.threading.Event(), []
    monkeypatch.setattr(desk, "SOON", 0.05)
    monkeypatch.setattr(run, "run", lambda app: asked.append(app) or (gate.wait(60) and []))
    owner = at_the_desk(world)
    for _ in range(2):  # pressed twice, it is done once
        answer = owner.post("/admin/health/check")
        assert answer.headers["Location"] == "/admin/health?still=1#arrives"
        assert "The check is still running." in owner.get(answer.headers["Location"]).text
    gate.set()
    with desk._checking:  # as soon as it has ended
        assert len(asked) == 1


@ONE_DATABASE
def test_a_time_that_is_in_words_already_stays_as_it_is(world: World) -> None:
    at = "23 November 2026, 12:00 (UTC)"
    with world.app.test_request_context():
        assert desk.for_people(Sentence("since %(time)s", time=at)) == f"since {at}"
        assert desk.for_people(Sentence("since %(time)s", time="2026-11-23T12:00:00Z")) == f"since {at}"
        assert desk.for_people("the relay is away") == "the relay is away"


@BY_DAY_ON_SQLITE
@pytest.mark.parametrize("role", [Role.VIEWER, Role.MANAGER, Role.PRIVACY])
def test_only_an_owner_of_all_lists_sees_and_does_it(world: World, role: Role) -> None:
    somebody = at_the_desk(world, role)
    assert "Do they arrive?" not in health(somebody)
    assert somebody.post("/admin/health/check").status_code == somebody.post("/admin/health/send").status_code == 403
    of_one = at_the_desk(world, Role.OWNER, "one@example.org", [1])
    assert of_one.post("/admin/health/check").status_code == 403


@ONE_DATABASE
def test_the_desk_reads_an_email_that_arrived_pasted_or_as_a_file(live: World) -> None:
    owner = at_the_desk(live)
    answer = owner.post("/admin/health/check", source="hello <b>")
    assert answer.status_code == 422 and "Show original" in answer.text and "hello &lt;b&gt;" in answer.text
    pasted = email(X_Spam_Flag="YES <script>").decode().replace("\r\n", "\n")
    owner.post("/admin/health/check", source=pasted)
    assert "X-Spam-Flag: YES &lt;script&gt;" in owner.get("/admin/health").text
    owner.post("/admin/health/check", file=(BytesIO(email()), "email.eml"))
    assert "takes the email for spam" not in health(owner)


@ONE_DATABASE
def test_a_page_of_german_tells_what_was_found_with_its_times_in_words(live: World) -> None:
    owner = at_the_desk(live)
    owner.post("/admin/health/check")
    page = owner.get("/admin/health", headers={"Accept-Language": "de"}).text
    assert "23. November 2026" in page and "2026-11-23T" not in re.sub(r'datetime="[^"]+"', "", page)


@BY_DAY_ON_SQLITE
def test_a_late_job_is_named_by_what_it_does_and_in_local_time(world: World) -> None:
    world.clock.forward(days=2)
    assert "“Delete what is due” (purge) is late: it has never succeeded" in health(at_the_desk(world))
    run_all(world)
    world.clock.forward(days=1)
    world.parts.began = world.clock.now() - timedelta(days=1)
    page = health(at_the_desk(world, email="b@example.org"))
    assert "“Send emails” (deliver) is late: it last succeeded at 25 November 2026, 12:00 (UTC)" in page


@ONE_DATABASE
def test_the_confirmation_email_comes_to_the_own_address_with_links_that_lead_nowhere(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    with Relay() as relay, through(relay, make_app, clock) as world:
        owner = at_the_desk(world, email="ola@example.org")
        assert "The mail server took it: 250" in owner.post("/admin/health/send", list=NEWS).text
        [mail] = relay.mails
        message = parse_mail(mail.raw)
        assert (mail.recipients, message["To"]) == (("ola@example.org",), "ola@example.org")
        assert str(message["Subject"]).startswith("[Test] ")
        assert message["List-Unsubscribe"] == f"<{world.base_url}/not-me/this-is-only-an-example>"
        assert world.get("/not-me/this-is-only-an-example").status_code == 404
        with reading() as session:
            assert own_mail.is_expected(session, mail.raw)
            assert [row.act for row in audit.find(session, act="health")] == ["health send"]
        signed = f"Authentication-Results: mx.example.com; dkim=pass\r\nDKIM-Signature: {SIGNATURE}\r\n".encode()
        give(world.app, signed + mail.raw)
        assert named(wrong(world.app, "one-click", "arrived")) == []
        relay.behave("rcpt", "550 5.1.1 no such user", times=1)
        refusal = owner.post("/admin/health/send", list=NEWS)
        assert refusal.status_code == 409 and "550 5.1.1" in refusal.text
        assert owner.post("/admin/health/send", list="nothing").status_code == 404
        assert "accepted" in good(world, "mail", "test", "a@example.org", "--confirmation", "--list", OFFERS)
        assert command(world, "mail", "test", "a@example.org", "--confirmation").exit_code == 2
        assert str(parse_mail(relay.mails[-1].raw)["Subject"]).startswith("[Test] ")
