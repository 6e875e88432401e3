"""What is allowed and will hurt is said, each in a sentence, and stops nothing (B14)."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from tzlocal import unix

from subscriptions import findings
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings, ListTexts, Mail, Settings
from subscriptions.start import Background
from tests.builders import LISTS, World
from tests.support.cases import ONE_DATABASE, each
from tests.test_commands import logging_as_it_was
from tests.test_health import readyz, run_all

__all__ = ["logging_as_it_was"]
WHOLE, SMTP = LISTS[0], Mail(transport="smtp", port=9)
NAMED = {row.name: row for row in findings.ROWS}


def said(settings: Settings) -> list[str]:
    """The names of the rows that hold."""
    return [row.name for row in findings.ROWS if list(row.when(settings, settings.lists))]


def settings(mail: Mail = SMTP, **of_list: object) -> Settings:
    return Settings(mail=mail, lists=(replace(WHOLE, **of_list),), root=Path("/nonexistent"))  # type: ignore[arg-type]


@each(
    ("made", "names"),
    [
        (settings(), []),
        (settings(controller=""), ["legal notice"]),
        (settings(postal_address=""), ["legal notice"]),
        (settings(policy_url=""), ["privacy policy"]),
        (settings(wording="Yes, write to me."), ["wording"]),
        (settings(wording="Yes, Example may write to me."), ["wording"]),
        (settings(wording="Yes, send me the newsletter."), ["wording"]),
        (settings(wording="Yes, send me the NEWSLETTER of the society."), []),
        (settings(name="The EU Letter", wording="Ja, Example schickt mir EU."), []),
        (settings(Mail(sender="No Reply <no-reply@example.org>")), ["sender"]),
        (settings(Mail(sender="noreply@example.org")), ["sender"]),
        (settings(Mail(sender="Noreply GmbH <do_not_reply@example.org>")), ["sender"]),
        (settings(Mail(sender="No Reply <answers@example.org>")), []),
        (settings(Mail(sender="Rundbrief <nicht-antworten@example.org>")), ["sender"]),
        (settings(Mail(sender="ne.pas.repondre@example.org")), ["sender"]),
        (settings(Mail(sender="no_responder@example.org")), ["sender"]),
        (settings(Mail(sender="replies@example.org")), []),
        (settings(sender="Letter <no-reply@example.org>"), ["sender"]),
        (settings(sender="letter@example.org", reply_to="noreply@example.org"), ["sender"]),
        (settings(sender="No Reply <letter@example.org>", reply_to="answers@example.org"), []),
        (settings(texts={"de": ListTexts(wording="Ja, schreibt mir.")}), ["wording"]),
        (settings(texts={"de": ListTexts(wording="Ja, ich will den Newsletter.")}), ["wording"]),
        (settings(texts={"de": ListTexts(wording="Ja, die Example Society schickt mir Post.")}), ["wording"]),
        (settings(texts={"de": ListTexts(wording="Ja, ich will den Newsletter der Example Society.")}), []),
        (settings(texts={"de": ListTexts("Rundbrief", wording="Example schickt mir den Rundbrief.")}), []),
        (
            settings(texts={"de": ListTexts(controller="Der Verein", wording="Den Newsletter des Vereins.")}),
            ["wording"],
        ),
        (settings(texts={"de": ListTexts(controller="Verein e. V.", wording="Newsletter vom Verein: ja.")}), []),
        (settings(texts={"de": ListTexts("Rundbrief")}), []),
        (settings(Mail(transport="smtp", host="relay.example.org")), ["plain text"]),
        (settings(Mail(transport="smtp", host="relay.example.org", security="starttls")), []),
        (settings(Mail(transport="smtp", host="localhost")), []),
        (settings(Mail(transport="mailbox", host="relay.example.org")), []),
    ],
)
def test_what_will_hurt_is_named_and_what_does_not_is_not(made: Settings, names: list[str]) -> None:
    assert said(made) == names


def test_of_two_labels_of_one_field_a_form_of_both_lists_shows_the_first_and_the_other_is_named(
    make_app: Callable[..., Flask], world: World
) -> None:
    lists = (replace(WHOLE, fields=("company: Company",)), replace(LISTS[1], fields=("company: Your club", "name")))
    made = replace(settings(), lists=lists)
    assert '"Company" in list "newsletter" and "Your club" in list "offers"' in str(findings.of(made, made.lists))
    purposes = [replace(row, fields=(f"company: Company\nFor {row.name}.",)) for row in lists]
    [told] = NAMED["labels"].when(made, purposes)
    assert [*told.values()] == ["company", "Company: For Newsletter.", "newsletter", "Company: For Offers.", "offers"]
    with (app := make_app(lists=lists)).app_context():
        both = World(app, app.test_client(), world.clock)
        assert ">Company " in both.get("/subscribe").text and ">Your club " not in both.get("/subscribe").text
        sent = {"email": "anne@example.org", "lists": [WHOLE.slug, LISTS[1].slug], "company": "Anvils"}
        assert both.post("/subscribe", data=sent).status_code == 303
        assert [row.fields for row in both.registrations()] == [{"company": "Anvils"}] * 2


def test_the_shipped_wording_names_what_is_sent_and_who_sends_it() -> None:
    assert "“Tidings” from Example Society" in ListSettings(name="Tidings", controller="Example Society").wording
    assert "receive “Tidings” by e-mail" in ListSettings(name="Tidings").wording
    assert ListSettings(wording="Yes.").wording == "Yes."


@each(("zone", "timezone", "holds"), [("UTC", "", True), ("Etc/UTC", "", True), ("UTC", "UTC", False),
                                      ("CET-1CEST", "", True), ("Europe/Berlin", "", False)])  # fmt: skip
def test_a_machine_without_a_time_zone_is_named_where_the_list_has_none(zone: str, timezone: str, holds: bool) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", zone)
        environment.setattr(unix, "_cache_tz_name", None)  # it is looked up once for a process
        found = list(NAMED["time zone"].when(Settings(), [ListSettings(timezone=timezone)]))
    assert bool(found) is holds


def test_a_file_that_others_may_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "pepper").touch(0o644)
    made = replace(settings(), root=tmp_path)
    made = replace(made, server=replace(made.server, data_dir="."))
    assert findings.of(made, made.lists) == [NAMED["files"].sentence % {"path": tmp_path.resolve() / "pepper"}]


@ONE_DATABASE
def test_findings_are_said_at_the_start_and_by_readyz_and_stop_nothing(
    make_app: Callable[..., Flask], world: World, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(mail=replace(SMTP, host="relay.example.org"), lists=(ListSettings(timezone="UTC"),))
    names = ["has no controller", "has no policy_url", 'security in [mail] is "none"']
    with app.app_context():
        run_all(World(app, app.test_client(), world.clock))
        answer = readyz(World(app, app.test_client(), world.clock))
        assert answer.status_code == 200 and answer.get_json()["warnings"] == current_parts().warnings
        background = Background(app, jobs=())
        caplog.set_level(logging.WARNING)
        background.start()
        background.stop()
    for told in (current_parts(app).warnings, [record.getMessage() for record in caplog.records]):
        assert [sum(name in one for one in told) for name in names] == [1, 1, 1]


@ONE_DATABASE
def test_the_lint_names_them_and_fails_also_in_try_out_mode(make_app: Callable[..., Flask]) -> None:
    for mail, number in ((replace(SMTP, host="relay.example.org"), 3), (Mail(), 2)):
        with (app := make_app(mail=mail, lists=(ListSettings(timezone="UTC"),))).app_context():
            result = app.test_cli_runner().invoke(args=["mail", "lint"])
        said = [one for one in result.stdout.splitlines() if "not translated" not in one]
        assert (result.exit_code, len(said)) == (1, number)
        assert 'List "newsletter" has no controller, postal_address, privacy_contact' in result.stdout
