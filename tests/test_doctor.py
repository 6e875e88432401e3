"""The doctor as a whole: the table, the command, the desk (O-10, D-11)."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.doctor import arrived, run
from subscriptions.doctor.checks import CHECKS
from subscriptions.doctor.finding import Check
from subscriptions.doctor.says import FAULTS, HINTS, NOTES, SAYS
from subscriptions.domain.roles import Role
from subscriptions.settings import Settings
from subscriptions.store import audit, sqlite
from subscriptions.store.engine import reading
from subscriptions.web.admin import health as desk
from tests.builders import NEWS, OFFERS, World, parse_mail, through
from tests.conftest import ManualClock
from tests.desk import Person, at_the_desk
from tests.doctored import BASE, email, looked, settled, zone
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE
from tests.support.names import NameServer
from tests.support.relay import Relay
from tests.test_commands import good, refused
from tests.test_commands import run as command
from tests.test_health import run_all

HERE = Path(__file__).parent
DOCUMENT = (HERE.parent / "docs/doctor.md").read_text("utf-8")


def test_every_finding_is_seen_by_a_test_that_breaks_the_thing_itself() -> None:
    seen = "".join(path.read_text("utf-8") for path in HERE.glob("test_doctor*.py"))
    assert [name for name in SAYS if f'"{name}"' not in seen] == []
    assert len(SAYS) == len(FAULTS) + len(HINTS) + len(NOTES)


def test_the_document_has_a_row_for_each_check_with_its_title_and_why_it_matters() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (.+?) \|$", DOCUMENT, re.M)
    assert rows == [(check.name, check.title, check.why) for check in CHECKS]


def test_every_check_says_in_whole_sentences_what_to_do() -> None:
    assert [name for name, text in (FAULTS | HINTS).items() if ". " not in text and name != "setting"] == [
        "dmarc-none"
    ] * 0
    assert [check.name for check in CHECKS if not check.why.endswith(".") or check.title.endswith(".")] == []


# The command


@ONE_DATABASE
def test_in_try_out_mode_what_is_about_email_is_not_checked(world: World) -> None:
    skipped = [result.check.name for result in looked(world.app) if result.state == "skipped"]
    assert skipped == [check.name for check in CHECKS if check.is_live] and len(skipped) == 8
    assert (
        "– The relay: not checked (in try-out mode, or before an email is known that arrived)"
        in command(world, "doctor").stdout
    )


@ONE_DATABASE
def test_the_command_says_what_is_wrong_how_to_mend_it_why_and_what_to_copy(world: World) -> None:
    result = command(world, "doctor", "--only", "backup", "--only", "clock")
    assert result.exit_code == 1 and result.stderr == "Error: 1 of 2 checks found something to mend.\n"
    assert result.stdout.splitlines() == [
        "✓ The clock",
        "✗ Backup",
        "    Last backup: never. Make one now, and then every day.",
        "        yestwice backup yestwice.backup",
        "    Why: Without one, the proof of every consent is lost with the disk.",
    ]


@ONE_DATABASE
def test_a_hint_leaves_the_status_at_0_and_a_name_that_there_is_not_is_bad_usage(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: False)
    assert good(world, "doctor", "--only", "database").startswith("! Database\n    SQLite ")
    assert command(world, "doctor", "--only", "health").exit_code == 2


@ONE_DATABASE
def test_json_has_every_check_with_its_state_and_what_to_copy(world: World) -> None:
    told = {one["name"]: one for one in json.loads(command(world, "doctor", "--json").stdout)}
    assert list(told) == [check.name for check in CHECKS]
    assert (told["relay"]["state"], told["clock"]["state"], told["backup"]["state"]) == ("skipped", "ok", "fault")
    assert told["backup"]["findings"] == [
        {
            "name": "backup-never",
            "level": "fault",
            "says": FAULTS["backup-never"],
            "copy": "yestwice backup yestwice.backup",
        }
    ]


@ONE_DATABASE
def test_a_check_that_breaks_or_never_ends_keeps_no_other_from_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = run.threading.Event()

    def broken(asked: object) -> Iterator[object]:
        raise RuntimeError("a secret")
        yield

    def endless(asked: object) -> Iterator[object]:
        gate.wait(60)
        yield from ()

    rows = [Check("broken", "A", broken, "."), Check("endless", "B", endless, "."), *CHECKS[-1:]]  # type: ignore[arg-type]
    monkeypatch.setattr(run, "CHECKS", rows), monkeypatch.setattr(run, "WITHIN", 2.0)
    results = looked(world.app)
    gate.set()
    first = [result.findings[0] for result in results if result.findings]
    assert [(one.name, one.values.get("why")) for one in first] == [
        ("unknown", "RuntimeError"), ("unknown", "it took too long"), ("backup-never", None)]  # fmt: skip
    assert "a secret" not in str(results)


@pytest.fixture
def live(make_app: Callable[..., Flask], settings: Settings, clock: ManualClock) -> Iterator[World]:
    """With a DNS and a relay of which all is well; nobody answers at its own address."""
    with Relay() as relay, NameServer(zone()) as names:
        mail = {"host": relay.host, "port": relay.port}
        app = settled(make_app, names, mail=mail, server=replace(settings.server, base_url=BASE))
        with app.app_context():
            yield World(app, app.test_client(), clock)


@ONE_DATABASE
def test_an_email_that_arrived_is_read_from_a_file_and_holds_for_later_runs(live: World, tmp_path: Path) -> None:
    (tmp_path / "email.eml").write_bytes(email())
    (tmp_path / "other.eml").write_bytes(email(From="a@other.example"))
    only = ("doctor", "--only", "dkim", "--only", "one-click", "--only", "arrived")
    assert re.findall("^[–!]", good(live, *only), re.M) == ["–", "–", "!"]
    assert "writes from example.net" in refused(live, *only, "--message", str(tmp_path / "other.eml"))
    said = good(live, *only, "--message", str(tmp_path / "email.eml"))
    assert said.count("✓ ") == 3 and "    DMARC: pass" in said
    assert good(live, *only) == said
    assert command(live, *only, "--message", str(tmp_path / "none.eml")).exit_code == 2


# The desk


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "SOON", 60.0)  # on a busy machine as well


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
    gate, ended = run.threading.Event(), run.threading.Event()
    monkeypatch.setattr(desk, "SOON", 0.05)
    monkeypatch.setattr(desk, "_check", lambda: (gate.wait(60), ended.set()))
    owner = at_the_desk(world)
    answer = owner.post("/admin/health/check")
    assert answer.headers["Location"] == "/admin/health?still=1#arrives"
    assert "The check is still running." in owner.get(answer.headers["Location"]).text
    gate.set()
    assert ended.wait(60)


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
            assert arrived.is_expected(session, mail.raw)
            assert [row.act for row in audit.find(session, act="health")] == ["health send"]
        relay.behave("rcpt", "550 5.1.1 no such user", times=1)
        refusal = owner.post("/admin/health/send", list=NEWS)
        assert refusal.status_code == 409 and "550 5.1.1" in refusal.text
        assert owner.post("/admin/health/send", list="nothing").status_code == 404
        assert "accepted" in good(world, "mail", "test", "a@example.org", "--confirmation", "--list", OFFERS)
        assert str(parse_mail(relay.mails[-1].raw)["Subject"]).startswith("[Test] ")
