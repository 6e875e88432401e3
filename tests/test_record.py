"""What an operator has to write down is ready to copy, filled with this installation's own settings (S-06, L-05)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.domain.retention import ROWS
from subscriptions.domain.roles import Role
from subscriptions.settings import Admin, Lifecycle, ListTexts, Mail, Server
from tests.builders import LISTS, NEWS, OFFERS, Movable, World
from tests.desk import at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_commands import good, logging_as_it_was, refused
from tests.test_desk_lists import PATH, mark_of, save
from tests.test_lists_owned import WHOLE, change, create

__all__ = ["logging_as_it_was"]
pytestmark = BY_DAY_ON_SQLITE

OWN = replace(
    LISTS[0], authority="The Office, 2 Street", sender="Letter <letter@club.example>",
    fields=("name", "club: Your club, 100% sure\nWe invite clubs."), texts={"de": ListTexts("Rundbrief")},
)  # fmt: skip
SETTINGS = {
    "lists": (OWN, LISTS[1]), "mail": Mail(transport="smtp", host="relay.example.net", port=9, security="starttls"),
    "lifecycle": Lifecycle(48, 20, 5, 6), "admin": Admin(networks=("192.0.2.0/24",), require_second_factor=True),
}  # fmt: skip
SAYS = (
    "Responsible: Example Society, 1 Example Street, privacy@example.org", "within 48 hours", "20 days after",
    "6 months after", "for 5 years after", "letter@club.example", "relay.example.net", "/my-data",
    "The Office, 2 Street",
    "Name (We use it to greet you, and for nothing else.); Your club, 100% sure (We invite clubs.)",
)  # fmt: skip


@pytest.fixture
def live(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(**SETTINGS)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def test_the_text_for_the_policy_says_the_installations_own_periods_addresses_and_recipients(live: World) -> None:
    text = good(live, "record", "show", "--policy-text", "--list", NEWS)
    assert [one for one in SAYS if one not in text] == []


def test_the_record_names_lists_controllers_periods_relay_accounts_and_measures(live: World) -> None:
    told = json.loads(good(live, "record", "show", "--json"))
    said = {row["label"]: row["says"] for row in told}
    assert said["Newsletter"] == ["Example Society", "1 Example Street", "privacy@example.org"]
    assert said["Lists"][0] == "Newsletter (newsletter) · English, Deutsch · letter@club.example · " + OWN.policy_url
    assert "relay.example.net" in said["Recipients"][0] and "at present: 0" in said["Categories of people"][0]
    periods = {row.what: said[row.what][0] for row in ROWS}
    assert any(one.startswith("20 days after the sign-up, or one calendar month") for one in periods.values())
    assert any(one.startswith("6 months after the confirmation") for one in periods.values())
    assert said["Supervisory authority"] == ["The Office, 2 Street"]
    measures = " ".join(said["Confidentiality"])
    for one in ("encrypted (TLS)", "not served over HTTPS", "needs a second factor", "192.0.2.0/24"):
        assert one in measures
    text = good(live, "record", "show")
    assert text.startswith("Record of processing activities (Article 30 GDPR)") and "[Say here how often" in text


def test_the_measures_say_what_is_so_and_not_what_would_be_better(make_app: Callable[..., Flask], world: World) -> None:
    for mail, server, says in (
        (Mail(transport="smtp", host="relay.example.net"), None, "unencrypted"),
        (Mail(transport="smtp"), Server(base_url="https://news.example.net"), "Pages are served over HTTPS only."),
        (Mail(), None, "The mail server runs on the same machine."),
    ):
        app = make_app(mail=mail, **({"server": replace(world.parts.settings.server, base_url=server.base_url)}
                                     if server else {}))  # fmt: skip
        with app.app_context():
            assert says in good(World(app, app.test_client(), world.clock), "record", "show")


def test_a_language_that_there_is_not_is_named(world: World) -> None:
    assert 'There is no language "xx"' in refused(world, "record", "show", "--language", "xx")
    assert 'There is no list "nowhere"' in refused(world, "record", "show", "--list", "nowhere")


def test_who_has_copied_the_text_is_told_when_it_becomes_another(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    record = "/admin/record?list=concerts&language=en"
    page = manager.get(record).text
    assert "Responsible: Example Society" in page and "Then we tell you when the text changes." in page
    assert manager.post("/admin/record", list="concerts", language="en").location == record
    assert "You have copied this text." in manager.get(record).text
    assert "has changed since" not in manager.get(PATH).text + manager.get("/admin").text
    save(manager, mark_of(manager.get(PATH)), **{"own.privacy_contact": "new@concerts.example"})
    assert manager.get(PATH).text.count("The text for your privacy policy has changed since you copied it.") == 1
    assert "has changed since you copied it: Concert letter" in manager.get("/admin").text
    assert "The text has changed since you copied it." in manager.get(record).text
    change(world, "concerts", privacy_contact=WHOLE.privacy_contact)
    assert "has changed since" not in manager.get(PATH).text


def test_the_record_is_for_who_sees_people_and_of_the_lists_that_they_see(world: World) -> None:
    assert at_the_desk(world, Role.VIEWER).get("/admin/record").status_code == 403
    offers = world.parts.catalogue.by_slug(OFFERS)
    assert offers
    some = at_the_desk(world, Role.PRIVACY, lists=[offers.id])
    page = some.get(f"/admin/record?list={NEWS}").text
    assert "Offers" in page and "Example Society" not in page and "For a letter of nobody" not in page
    assert some.post("/admin/record", list=NEWS, language="en").status_code == 404
    assert some.get("/admin/record?list=" + "x" * 10_000 + "&language=%00").status_code == 200
    assert some.get("/admin/record?language=de").status_code == 200


def test_a_copy_leaves_a_line_in_the_audit(world: World) -> None:
    privacy = at_the_desk(world, Role.PRIVACY)
    privacy.post("/admin/record", list=NEWS, language="de")
    assert "copied the text for the privacy policy of Newsletter." in privacy.get("/admin/audit").text
