"""Every mail in every language for every list, seen before anybody gets it: in the try-out mode, and by command."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from subscriptions import languages
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.settings import Mail as MailSettings
from tests.builders import LISTS, NEWS, World, text_of
from tests.conftest import ManualClock
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.support.catalogues import bracketed
from tests.test_commands import logging_as_it_was

pytestmark = BY_DAY_ON_SQLITE

__all__ = ["logging_as_it_was"]

TAGS = ("en", "ar", "de")
BEFORE = "/mailbox/templates/"
TO_PEOPLE = [
    *(mail.value for mail in MailKind if not mail.row.to_operator),
    "confirm_several",
    "move_several",
    "invite_several",
]
ALL = [f"{BEFORE}{one.slug}/{kind}/{tag}" for one in LISTS for kind in TO_PEOPLE for tag in TAGS]
TO_OPERATOR = "alarm", "returns", "head", "test"
ALL += [f"{BEFORE}{NEWS}/{kind}/en" for kind in TO_OPERATOR]


@pytest.fixture
def world(
    make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The service in three languages, two of them made up."""
    monkeypatch.setattr(languages, "FOLDER", bracketed(tmp_path / "translations", "ar", "de"))
    app = make_app()
    with app.app_context():
        yield World(app, app.test_client(), clock)


def run(world: World, *args: str) -> Result:
    return world.app.test_cli_runner().invoke(args=["mail", *args])


def test_the_index_leads_to_every_mail_of_every_list_in_every_language(world: World) -> None:
    page = world.get(BEFORE)
    assert page.status_code == 200
    assert re.findall(rf'href="({BEFORE}\w+/\w+/\w+)"', page.text) == ALL


def test_every_mail_is_shown_like_in_the_mailbox_and_nothing_is_wrong_with_it(world: World) -> None:
    for url in ALL:
        shown, framed, source = (world.get(url + end) for end in ("", "/body", "/source"))
        assert (shown.status_code, framed.status_code, source.status_code) == (200, 200, 200)
        assert "the person is invented" in shown.text and 'class="problems"' not in shown.text
        tag = url.rpartition("/")[2]
        assert f'<html lang="{tag}"' in framed.text and framed.headers["Content-Language"] == tag
        assert message_from_bytes(source.data, policy=policy.default)["Content-Language"] == tag


def test_the_links_of_an_example_open_nothing(world: World) -> None:
    links = set()
    for url in ALL:
        links |= set(re.findall(rf"{world.base_url}/\S+/[^\s\"<]+", world.get(f"{url}/body").text))
    assert links
    statuses = {link: world.get(link).status_code for link in {link.partition("<")[0] for link in links}}
    desk = {link for link in statuses if "/admin/requests" in link}  # for who is signed in: nothing else is said here
    assert {statuses.pop(link) for link in desk} == {303} and set(statuses.values()) == {404}


@pytest.mark.parametrize("path", ["no/confirm/en", f"{NEWS}/no/en", f"{NEWS}/confirm/xx", f"{NEWS}/test/de"])
def test_an_example_of_what_there_is_not_is_404(world: World, path: str) -> None:
    assert world.get(BEFORE + path).status_code == 404


@pytest.mark.parametrize("path", [BEFORE, f"{BEFORE}{NEWS}/confirm/en"])
def test_with_a_real_relay_no_example_is_shown(make_app: Callable[..., Flask], path: str) -> None:
    app = make_app(mail=MailSettings(transport="smtp"))
    assert app.test_client().get(path, base_url="http://127.0.0.1:8000").status_code == 404


def test_what_is_wrong_with_a_mail_stands_on_its_page_and_on_the_index(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    app = make_app(lists=(replace(LISTS[0], name="A very long newsletter " * 5),))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        assert "give the list a shorter name" in world.get(BEFORE).text
        assert "give the list a shorter name" in world.get(f"{BEFORE}{NEWS}/confirm/en").text


def test_the_command_prints_the_texts_of_the_mails_that_are_asked_for(world: World) -> None:
    result = run(world, "preview", "--mail", "confirm", "--language", "en", "--list", NEWS)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"==== confirm, en, {NEWS} ====\nFrom: Newsletter <newsletter@example.org>\n")
    assert "Subject: Please confirm: Newsletter\n" in result.stdout
    assert f"\n{world.base_url}/confirm/this-is-only-an-example\n" in result.stdout
    assert result.stdout.count("====") == 2


def test_without_options_it_prints_every_mail(world: World) -> None:
    assert run(world, "preview").stdout.count("\nSubject: ") == len(ALL)


def test_the_command_fills_a_folder_that_a_browser_can_open(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    result = run(world, "preview", "-o", str(folder), "--list", NEWS)
    assert (result.exit_code, result.stderr) == (0, "")
    index = (folder / "index.html").read_text("utf-8")
    linked = re.findall(r'href="([^"]+)"', index)
    assert len(linked) == 2 + 3 * (len(TO_PEOPLE) * len(TAGS) + len(TO_OPERATOR))
    assert all((folder / one).is_file() for one in linked)
    mail = message_from_bytes((folder / NEWS / "confirm.de.eml").read_bytes(), policy=policy.default)
    assert text_of(mail) == (folder / NEWS / "confirm.de.txt").read_text("utf-8")
    assert text_of(mail, "html") == (folder / NEWS / "confirm.de.html").read_text("utf-8")


def test_it_works_with_a_real_relay_too_and_sends_nothing(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(mail=MailSettings(transport="smtp", port=1))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        assert run(world, "preview").exit_code == 0
        assert "no problems" in run(world, "lint", "--list", NEWS).stdout


@ONE_DATABASE
@each(
    ("option", "says"),
    [
        ("--language=xx", "There is no language"),
        ("--list=no", 'There is no list "no"'),
        ("--mail=test --language=de", "is only sent in English"),
    ],
)
@each("command", ["preview", "lint"])
def test_what_there_is_not_is_refused_in_a_sentence(world: World, command: str, option: str, says: str) -> None:
    result = run(world, command, *option.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(world: World, tmp_path: Path) -> None:
    (tmp_path / NEWS).write_text("in the way")
    result = run(world, "preview", "-o", str(tmp_path))
    assert result.exit_code == 1 and "The folder could not be written" in result.stderr


def test_the_lint_finds_nothing_wrong_with_our_mails(world: World) -> None:
    result = run(world, "lint")
    # of two lists, each without a legal notice and a privacy policy
    said = [one for one in result.stdout.splitlines() if " not translated; shown in " not in one]
    assert (result.exit_code, len(said)) == (1, 4)
    result = run(world, "lint", "--list", NEWS)
    last = result.stdout.splitlines()[-1]
    assert result.exit_code == 0 and re.fullmatch(r"\d+ emails checked: no problems\.", last)


def test_the_lint_names_each_problem_on_a_line_and_fails(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(lists=(replace(LISTS[0], name="A very long newsletter " * 5),))
    with app.app_context():
        result = run(World(app, app.test_client(), clock), "lint", "--language", "en")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines and all(re.fullmatch(rf"\w+, \w+, {NEWS}: the subject has \d+ characters, .*\.", one) for one in lines)
    assert re.search(rf"{len(lines)} of \d+ emails should not be sent as they are\.", result.stderr)
