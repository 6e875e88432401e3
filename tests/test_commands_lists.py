"""`yestwice lists`: made and changed by command, refused in sentences, and in the audit."""

import json

from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.store.lists import told
from tests.builders import NEWS, World
from tests.support.cases import ONE_DATABASE, each
from tests.test_commands import good, logging_as_it_was, refused, run
from tests.test_desk_lists import the_list

__all__ = ["logging_as_it_was"]
pytestmark = ONE_DATABASE

CREATE = "lists", "create", "concerts", "--name", "Concert letter", "--locale", "en"
WHOLE = "controller=Example Society", "postal_address=1 Street", "privacy_contact=p@example.org"


def settings(*said: str) -> list[str]:
    return [part for one in said for part in ("--set", one)]


def test_a_list_is_made_completed_and_worded_by_commands_which_the_audit_names(world: World) -> None:
    made = run(world, *CREATE)
    assert (
        made.exit_code == 0 and "It still lacks controller, postal_address, privacy_contact, policy_url." in made.stderr
    )
    said = settings(
        *WHOLE, "policy_url=https://example.org/p", "public=false", "texts.de.name=Konzertbrief", 'fields=["name"]'
    )
    assert "has been changed" in good(world, "lists", "edit", "concerts", *said)
    assert "nothing was changed" in good(world, "lists", "edit", "concerts", *said)
    row = the_list(world)
    assert (row.draft, row.public, row.said_in("de").name) == (False, False, "Konzertbrief")
    good(world, "lists", "wording", "concerts", "--compose", "--often", "once a month", "--about", "our concerts")
    good(
        world, "lists", "wording", "concerts", "--language", "de", "--text", "Ja, den Konzertbrief der Example Society."
    )
    texts = told(the_list(world), world.parts.catalogue.wordings)
    assert texts.wording == ("Please send me “Concert letter” of Example Society by email, once a month, about our "
                             "concerts. I can unsubscribe at any time.")  # fmt: skip
    assert texts.texts["de"].wording == "Ja, den Konzertbrief der Example Society."
    shown = json.loads(good(world, "lists", "wording", "concerts", "--json"))
    assert [one["language"] for one in shown if one["in_use"]] == ["en", "de"] and shown[0]["subscribers"] == 0
    assert "in use" in good(world, "lists", "wording", "concerts")
    with reading() as session:
        acts = [row.act for row in audit.newest(session, 4)]
    assert acts == ["lists wording", "lists wording", "lists edit", "lists create"]


def test_a_list_goes_to_the_archive_comes_back_and_is_taken_over_from_the_file_as_at_the_desk(world: World) -> None:
    good(world, *CREATE, *settings(*WHOLE, "policy_url=https://example.org/p"))
    assert good(world, "lists", "archive", "concerts") == "concerts takes no sign-ups any more.\n"
    assert world.get("/subscribe/concerts").status_code == 404
    assert good(world, "lists", "restore", "concerts") == "concerts takes sign-ups again.\n"
    assert world.get("/subscribe/concerts").status_code == 200
    assert "is kept here" in good(world, "lists", "take-over", NEWS)
    assert "has been changed" in good(world, "lists", "edit", NEWS, "--set", "name=New")


@each(("arguments", "says"), [
    (("lists", "archive", NEWS), "set in config.toml"), (("lists", "restore", "nothing"), 'There is no list "nothing"'),
    (("lists", "edit", NEWS, "--set", "name=New"), "set in config.toml"),
    (("lists", "edit", "nothing", "--set", "name=New"), 'There is no list "nothing"'),
    (("lists", "create", "Über", "--name", "x"), "slug in list"),
    (("lists", "create", NEWS, "--name", "x"), "There is a list with that address already"),
    (("lists", "create", "x", "--name", "x", "--set", "colour=red"), "must be a colour"),
    (("lists", "create", "x", "--name", "x", "--set", "nmae=y"), "did you mean name?"),
    (("lists", "create", "x", "--name", "x", "--set", "welcome=perhaps"), "true or false"),
])  # fmt: skip
def test_what_cannot_be_is_refused_in_one_sentence(world: World, arguments: tuple[str, ...], says: str) -> None:
    assert says in refused(world, *arguments)


@each("arguments", [("edit", "concerts"), ("edit", NEWS, "--set", "slug=x"), ("edit", NEWS, "--set", "a.b=c"),
                    ("edit", NEWS, "--set", "name"), ("wording", NEWS, "--text", "x", "--compose")])  # fmt: skip
def test_what_was_not_typed_right_is_bad_usage(world: World, arguments: tuple[str, ...]) -> None:
    assert run(world, "lists", *arguments).exit_code == 2
