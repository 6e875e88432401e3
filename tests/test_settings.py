"""The configuration: a file, the environment above it, and every mistake told at once."""

from pathlib import Path
from typing import Any

import pytest

from subscriptions.settings import BadSettings, Settings
from subscriptions.settings.file import load
from tests.support.cases import each

PREFIX = "SUBSCRIPTIONS_"


def read(home: Path, toml: str | None = None, /, **environ: str) -> Settings:
    """Settings from that text as config.toml, and from variables without their prefix."""
    if toml is not None:
        (home / "config.toml").write_text(toml, "utf-8")
    return load({PREFIX + name: value for name, value in environ.items()}, home)


def refused(home: Path, toml: str | None = None, /, **environ: str) -> list[str]:
    """The sentences with which a configuration is refused."""
    with pytest.raises(BadSettings) as found:
        read(home, toml, **environ)
    return str(found.value).splitlines()


def setting(settings: Settings, path: str) -> Any:
    section, key = path.split(".")
    return getattr(getattr(settings, section), key)


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path) -> None:
    assert read(tmp_path) == Settings(root=tmp_path)


def test_the_file_beside_the_application_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "[server]\nworkers = 4").server.workers == 4


def test_the_file_that_the_environment_names_wins_over_the_one_beside_the_application(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[server]\nworkers = 3")
    assert read(tmp_path, "[server]\nworkers = 4", CONFIG=str(other)).server.workers == 3


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff[server]\nworkers = 4").server.workers == 4


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("SERVER__WORKERS", "2", "server.workers", 2),
        ("SERVER__TRUSTED_HOSTS", '["a.example.org", "b.example.org"]', "server.trusted_hosts",
         ("a.example.org", "b.example.org")),
        ("LIMITS__CONFIRMATIONS_PER_ADDRESS", "[]", "limits.confirmations_per_address", ()),
        ("LIMITS__SIGNUPS_PER_NETWORK", "", "limits.signups_per_network", ""),
        ("MAIL__SENDER", "News <news@example.org>", "mail.sender", "News <news@example.org>"),
        ("MAIL__SENDER", '"news@example.org"', "mail.sender", "news@example.org"),
        ("DATABASE__URL", "postgresql+psycopg://anne@db.example.org/news", "database.url",
         "postgresql+psycopg://anne@db.example.org/news"),
    ],
)  # fmt: skip
def test_the_environment_wins_over_the_file(tmp_path: Path, variable: str, text: str, path: str, value: Any) -> None:
    settings = read(tmp_path, "[server]\nworkers = 4\n[mail]\nsender = 'old@example.org'", **{variable: text})
    assert setting(settings, path) == value


@each("text", ["12345", "1_000", "0x10", "1.50", "true", "1979-05-27", "[1]", "007", "a # b", "nan", "p=q"])
def test_a_text_of_the_environment_stays_as_it_was_typed(tmp_path: Path, text: str) -> None:
    settings = read(tmp_path, MAIL__PASSWORD=text, MAIL__USERNAME=text, LISTS__0__NAME=text)
    assert (settings.mail.password, settings.mail.username, settings.lists[0].name) == (text, text, text)


def test_lists_come_from_the_environment_alone(tmp_path: Path) -> None:
    settings = read(tmp_path, LISTS__0__SLUG="news", LISTS__1__SLUG="offers", LISTS__1__WELCOME="true")
    assert [(one.slug, one.welcome) for one in settings.lists] == [("news", False), ("offers", True)]


def test_the_environment_changes_one_list_of_the_file(tmp_path: Path) -> None:
    toml = "[[lists]]\nslug = 'news'\n[[lists]]\nslug = 'offers'\nname = 'Offers'"
    settings = read(tmp_path, toml, LISTS__1__PUBLIC="false")
    assert [(one.slug, one.public) for one in settings.lists] == [("news", True), ("offers", False)]


def test_all_lists_come_in_one_variable(tmp_path: Path) -> None:
    settings = read(tmp_path, LISTS='[{slug = "a", name = "A"}, {slug = "b", name = "B"}]')
    assert [one.name for one in settings.lists] == ["A", "B"]


@pytest.mark.parametrize(
    ("toml", "environ", "url"),
    [
        ("", {}, "http://127.0.0.1:8000"),
        ("[server]\nport = 9000", {}, "http://127.0.0.1:9000"),
        ("[server]\nport = 9000", {"SERVER__PORT": "9001"}, "http://127.0.0.1:9001"),
        ("[server]\nhost = '::1'", {}, "http://[::1]:8000"),
        ("[server]\nhost = 'localhost'", {}, "http://localhost:8000"),
        ("[server]\nhost = '0.0.0.0'\nport = 80\n[mail]\ntransport = 'smtp'", {}, "http://127.0.0.1:80"),
        ("[server]\nbase_url = 'https://news.example.org'\nport = 9000\n[mail]\ntransport = 'smtp'", {},
         "https://news.example.org"),
    ],
)  # fmt: skip
def test_links_lead_to_where_the_server_listens_unless_told_otherwise(
    tmp_path: Path, toml: str, environ: dict[str, str], url: str
) -> None:
    assert read(tmp_path, toml, **environ).server.base_url == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///subscriptions.db", "sqlite:///{data}/subscriptions.db"),
        ("sqlite:////srv/news.db", "sqlite:////srv/news.db"),
        ("postgresql+psycopg://anne:a%40b@db/news", "postgresql+psycopg://anne:a%40b@db/news"),
    ],
)
def test_a_relative_database_file_lies_in_the_data_folder(tmp_path: Path, url: str, expected: str) -> None:
    settings = read(tmp_path, DATABASE__URL=url)
    assert settings.database_url == expected.format(data=tmp_path.resolve() / "var")


@pytest.mark.parametrize("name", ["SERVER__PORT", "SERVER__PORT__X", "MAIL__SECURITY", "LISTS__0__SLUG"])
def test_a_bad_value_of_the_environment_names_its_variable_and_not_the_file(tmp_path: Path, name: str) -> None:
    (problem,) = refused(tmp_path, "[server]\nworkers = 2", **{name: "No!"})
    assert PREFIX + name in problem
    assert "config.toml" not in problem


def test_bad_values_of_a_file_and_of_the_environment_are_told_apart(tmp_path: Path) -> None:
    first, second = refused(tmp_path, "[server]\nworkers = 0", SERVER__TRUSTED_PROXIES="11")
    assert first.startswith("workers in [server]") and str(tmp_path / "config.toml") in first
    assert second.startswith("trusted_proxies in [server]") and "SUBSCRIPTIONS_SERVER__TRUSTED_PROXIES" in second


def test_every_kind_of_mistake_is_told_at_once(tmp_path: Path) -> None:
    toml = (
        "[server]\nworkers = 0\nprot = 1\nport = 'x'\n[mial]\nhost = 'h'\n"
        "[limits]\nsignups_per_network = 'many'\n[[lists]]\nslug = 'A b'\nname = ''"
    )
    problems = refused(tmp_path, toml)
    assert len(problems) == 7
    for key in ("workers", "prot", "port", "mial", "signups_per_network", "slug", "name"):
        assert any(problem.startswith((f"{key} ", f"[{key}]")) for problem in problems), key
    assert all(str(tmp_path / "config.toml") in problem and problem[-1] in ".?" for problem in problems)


@pytest.mark.parametrize(
    ("toml", "hint"),
    [
        ("[server]\nprot = 1", "did you mean port?"),
        ("[mail]\ntransprt = 'smtp'", "did you mean transport?"),
        ("[databse]\nurl = ''", "did you mean database?"),
        ("[[list]]\nslug = 'a'", "did you mean lists?"),
        ("[lifecycle]\nxyz = 1", "there are: confirm_within_hours,"),
        ("[[lists]]\nxyzzy = 'a'", "there are: slug,"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(tmp_path: Path, toml: str, hint: str) -> None:
    (problem,) = refused(tmp_path, toml)
    assert hint in problem
