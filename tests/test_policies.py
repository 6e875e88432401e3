"""The text of a privacy policy is kept as versions, and evidence names the one that stood there (E-02, F-15)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from subscriptions.clock import words
from subscriptions.parts import current_parts
from subscriptions.settings import ListTexts, Mail
from subscriptions.store import policies
from subscriptions.store.engine import reading
from subscriptions.store.models import Policy, db
from tests.builders import ANNE, BART, LISTS, NEWS, Movable, World
from tests.preferences import Page
from tests.support.cases import ONE_DATABASE, each
from tests.support.certificates import ca_file
from tests.support.https_site import Answer, HttpsSite

Start = Callable[..., World]
OLD, NEW = "<h1>Privacy</h1><p>We keep it for a day.</p>", "<h1>Privacy</h1><p>We keep it for a week.</p>"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsSite]:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file()))
    with HttpsSite(policy=Answer(OLD.encode())) as site:
        yield site


@pytest.fixture
def start(make_app: Callable[..., Flask], clock: Movable, site: HttpsSite) -> Iterator[Start]:
    """The service, with the newsletter's policy on that site unless said otherwise, and its job run once."""
    with ExitStack() as contexts:

        def begin(mail: Mail | None = None, **of_list: Any) -> World:
            own = replace(LISTS[0], **{"policy_url": site.url()} | of_list)
            app = make_app(lists=(own, *LISTS[1:]), **({"mail": mail} if mail else {}))
            contexts.enter_context(app.app_context())
            world = World(app, app.test_client(), clock)
            world.run("policies")
            return world

        yield begin


def kept() -> list[Policy]:
    with reading() as session:
        found = [*session.scalars(sa.select(Policy).order_by(Policy.valid_from, Policy.language))]
        session.expunge_all()
    return found


def named(world: World, fact: str = "registered") -> list[str | None]:
    return [one.details.get("policy") for one in world.evidence() if one.fact == fact]


def look_again(world: World, **after: float) -> None:
    world.clock.forward(**after)
    world.run("policies")


def test_evidence_names_the_version_that_stood_there_and_an_old_one_stays_as_it_was(
    start: Start, site: HttpsSite
) -> None:
    world = start()
    world.sign_up(ANNE)
    site.says(NEW)
    look_again(world, days=1)
    world.sign_up(BART)
    old, new = kept()
    assert named(world) == [old.id, new.id]
    assert (old.text, new.text) == ("# Privacy\n\nWe keep it for a day.", "# Privacy\n\nWe keep it for a week.")
    assert old.id == old.sha256[:16] and old.last_seen_at == old.valid_from < new.valid_from


def test_the_confirmation_names_the_version_of_its_own_moment(start: Start, site: HttpsSite) -> None:
    world = start()
    world.clock.forward(hours=1)
    world.sign_up(ANNE)
    link = world.confirm_link()
    site.says(NEW)
    look_again(world, hours=23)
    world.post(link)
    assert [*named(world), *named(world, "confirmed")] == [one.id for one in kept()]


def test_without_a_version_evidence_names_none(start: Start, site: HttpsSite) -> None:
    del site.pages["/policy"]
    world = start()
    world.subscribe(ANNE)
    assert (named(world), named(world, "confirmed"), kept()) == ([None], [None], [])


def test_each_language_has_its_own_page_and_who_reads_another_gets_the_lists_own(start: Start, site: HttpsSite) -> None:
    site.says("<p>Datenschutz", "de")
    world = start(locale="en", texts={"de": ListTexts(policy_url=site.url("de")), "fr": ListTexts(name="Lettre")})
    for locale in ("de-AT", "fr", "xx", "en"):
        world.subscribe(f"{locale}@example.net", locale=locale)
    german, english = sorted(kept(), key=lambda one: one.language)
    assert (german.language, english.language) == ("de", "en")
    assert named(world) == named(world, "confirmed") == [german.id, english.id, english.id, english.id]
    assert f'/{english.id}"' in Page.of(world, "en@example.net").act("stored").text


def test_a_page_is_looked_at_once_a_day_and_at_once_where_another_is_named(start: Start, site: HttpsSite) -> None:
    world = start()
    for _ in range(3):
        look_again(world, hours=7)
    assert len(site.asked) == 1
    look_again(world, hours=4)
    assert len(site.asked) == 2 and [one.last_seen_at for one in kept()] == [world.clock.now()]
    look_again(world, hours=1)
    assert len(site.asked) == 2
    site.says(NEW, "other")
    world = start(policy_url=site.url("other"))
    assert [one.url for one in kept()] == [site.url(), site.url("other")]


def test_between_another_address_and_the_first_look_at_it_evidence_names_none(
    start: Start, site: HttpsSite, make_app: Callable[..., Flask]
) -> None:
    start()
    app = make_app(lists=(replace(LISTS[0], policy_url=site.url("other")), *LISTS[1:]))
    with app.app_context():
        world = World(app, app.test_client(), current_parts(app).clock)  # type: ignore[arg-type]
        world.subscribe(ANNE)
        assert (named(world), named(world, "confirmed")) == ([None], [None])


def test_a_change_reaches_every_other_process_at_its_next_look(
    start: Start, site: HttpsSite, make_app: Callable[..., Flask]
) -> None:
    world = start()
    other = make_app(lists=(replace(LISTS[0], policy_url=site.url()), *LISTS[1:]))
    current_parts(other).follow()
    site.says(NEW)
    look_again(world, days=1)
    with other.app_context():
        current_parts(other).follow()
        elsewhere = World(other, other.test_client(), world.clock)
        elsewhere.sign_up(ANNE)
        assert named(elsewhere) == [kept()[-1].id]


def test_a_page_with_a_clock_makes_three_versions_and_then_only_for_what_changes_besides(
    start: Start, site: HttpsSite
) -> None:
    site.says("<p>It is noon.<p>We keep it for a day.")
    world = start()
    for number in range(10):
        site.says(f"<p>It is {number} o’clock.<p>We keep it for a day.")
        look_again(world, days=1)
    assert len(kept()) == 3
    site.says("<p>It is 11 o’clock.<p>We keep it for a week.")
    look_again(world, days=1)
    assert [one.text.partition("\n\n")[2] for one in kept()][2:] == ["We keep it for a day.", "We keep it for a week."]


def test_a_page_that_changes_every_hour_is_a_version_a_day_at_most(start: Start, site: HttpsSite) -> None:
    world = start()
    for number in range(20):
        site.says(f"<p>{number}")
        world.clock.forward(hours=1)
        world.app.test_cli_runner().invoke(args=["policy", "fetch", NEWS])
    assert len(kept()) == 1


def test_a_text_that_comes_back_is_a_version_of_its_own(start: Start, site: HttpsSite) -> None:
    world = start()
    for html in (NEW, OLD):
        site.says(html)
        look_again(world, days=40)
    first, second, third = kept()
    assert first.text == third.text != second.text and len({one.id for one in kept()}) == 3


LIVE = Mail(transport="smtp", port=9)


@each("page", [Answer(b"", 404), Answer(b"x" * 3_000_000), Answer(b"x", headers={"Content-Type": "image/png"})])
def test_what_is_wrong_with_a_page_is_a_finding_with_its_beginning_and_the_last_version_still_holds(
    start: Start, site: HttpsSite, page: Answer
) -> None:
    site.says(OLD)
    world = start(LIVE)
    number = len(kept())
    assert [one for one in world.parts.warnings if "privacy policy of list" in one] == []
    site.pages["/policy"] = page
    since = world.clock.forward(days=1)
    world.run("policies")
    look_again(world, days=2)
    [said] = [one for one in world.parts.warnings if 'the privacy policy of list "newsletter"' in one]
    with reading() as session:
        assert [one.since for one in policies.looks(session).values()] == [since]
    assert f"(since {words(since)})" in said and "still applies" in said and len(kept()) == number
    here = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
    assert said in world.get("/readyz", **here).json["warnings"]
    lint = world.app.test_cli_runner().invoke(args=["mail", "lint", "--list", NEWS, "--mail", "confirm"])
    assert lint.exit_code == 1 and said[1:] in lint.output
    site.says(OLD)
    look_again(world, hours=2)
    assert [one for one in world.parts.warnings if "privacy policy of list" in one] == []


def test_a_file_takes_the_place_of_the_page(start: Start, tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text("# Ours\n\nWe keep it.")
    world = start(policy_file="policy.md", policy_url="https://example.org/privacy")
    assert [(one.url, one.text) for one in kept()] == [("policy.md", "# Ours\n\nWe keep it.")]
    (tmp_path / "policy.md").unlink()
    look_again(world, days=1)
    world.sign_up(ANNE)
    assert named(world) == [kept()[0].id]


def test_nobody_asks_for_pages_of_documentation(start: Start, site: HttpsSite) -> None:
    world = start(policy_url="https://example.org/privacy")
    assert world.run("policies") == 0 and site.asked == [] and world.parts.catalogue.looks == {}


ACTS = ("DELETE FROM policies", "UPDATE policies SET text = 'x'", "UPDATE policies SET valid_from = last_seen_at",
        "UPDATE policies SET id = 'x'", "UPDATE policies SET raw = ''")  # fmt: skip
ONLY = {"sqlite": ["INSERT OR REPLACE INTO policies SELECT * FROM policies", "UPDATE policies SET rowid = 7"],
        "postgresql": ["TRUNCATE policies", "TRUNCATE lists CASCADE"]}  # fmt: skip


def test_no_statement_changes_or_removes_a_version_that_proves_something(start: Start, database: str) -> None:
    start().sign_up(ANNE)
    before = [(one.id, one.text, one.raw) for one in kept()]
    for act in (*ACTS, *ONLY[database]):
        with pytest.raises(DBAPIError, match=r"stays as it is|append-only"), db.engine.begin() as connection:
            connection.execute(sa.text(act))
    assert before and [(one.id, one.text, one.raw) for one in kept()] == before


@ONE_DATABASE
def test_the_policies_are_due_again_when_the_clock_has_gone_back(start: Start, site: HttpsSite) -> None:
    world = start()
    look_again(world, days=-40)
    assert len(site.asked) == 2 and len(kept()) == 1
