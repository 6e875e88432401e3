"""The documents say what is true: commands, links, settings, metrics and the diagram."""

import gzip
import re
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from flask import Flask
from flask.cli import run_command

from app import create_app
from subscriptions import __version__, findings
from subscriptions.__main__ import program
from subscriptions.cli import commands as commands_of_the_product
from subscriptions.cli.menu import leaves
from subscriptions.settings import ListSettings, Server, Settings
from subscriptions.settings.file import load
from subscriptions.store.lists import wording_hash
from tests.builders import World
from tests.support.cases import each
from tests.support.diagram import mermaid

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
NAMES = [str(one.relative_to(ROOT)) for one in DOCUMENTS]


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_changelog_begins_with_the_version_that_this_is() -> None:
    newest = re.search(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", text_of("CHANGELOG.md"), re.M)
    assert newest is not None and newest[1] == __version__


def between(text: str, name: str) -> str:
    return text.partition(f"<!-- {name}:begin -->")[2].partition(f"<!-- {name}:end -->")[0].strip()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def commands(pattern: str) -> list[str]:
    """What is printed to be typed, in blocks and between backticks, in all documents."""
    typed = [
        block for name in NAMES for block in [*blocks(text_of(name), "sh"), *re.findall(r"`([^`\n]+)`", text_of(name))]
    ]
    return sorted({found for text in typed for found in re.findall(pattern, text, re.M)})


def links() -> list[tuple[str, str]]:
    found = [(name, link) for name in NAMES for link in re.findall(r"\]\(([^)#]+)\)", text_of(name))]
    return [(name, link) for name, link in found if not urlsplit(link).scheme]


@pytest.fixture(scope="module")
def plain_app() -> Flask:
    return create_app(Settings())


def test_the_diagram_is_what_the_tables_print() -> None:
    assert between(README, "diagram") == f"```mermaid\n{mermaid()}\n```"


@pytest.mark.parametrize("marker", ["<!-- clause:begin -->", "<!-- clause:end -->", "<!-- bench -->"])
def test_the_places_that_others_fill_are_there(marker: str) -> None:
    assert README.count(marker) == 1


@each(("document", "link"), links())
def test_every_link_leads_to_a_file(document: str, link: str) -> None:
    assert (ROOT / document).parent.joinpath(link).exists()


def test_the_index_names_every_document_and_the_overview_every_sender() -> None:
    linked = {(ROOT / name).parent.joinpath(link).resolve() for name, link in links() if name.endswith("/README.md")}
    assert {ROOT / name for name in NAMES if name.startswith("docs/")} - linked - {ROOT / "docs/README.md"} == set()


@pytest.mark.parametrize("page", [name for name in NAMES if re.match(r"docs/senders/[a-z]", name)])
def test_every_page_of_a_sender_says_whose_link_which_headers_and_where_bounces_go(page: str) -> None:
    text = text_of(page).lower()
    assert [word for word in ("link", "list-unsubscribe|one-click", "bounce") if not re.search(word, text)] == []


def test_a_container_is_started_alike_wherever_that_is_printed() -> None:
    lines = [line for name in NAMES for block in blocks(text_of(name), "sh") for line in block.splitlines()]
    assert len({line for line in lines if "docker run" in line}) == 1
    assert len({line for line in lines if "docker build" in line}) == 1


@pytest.mark.parametrize("target", commands(r"(?:^|&& )make ([a-z]+)"))
def test_every_make_target_that_is_printed_exists(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def known_commands(app: Flask) -> dict[str, click.Command]:
    """Ours, and Flask's own that documents speak of."""
    return {**app.cli.commands, **program().commands, "run": run_command}


@each(
    "command", commands(r"(?:^|bin/|exec (?:-T )?yestwice )(?:flask|yestwice) ([a-z][a-z-]*(?: [a-z]+\b(?![@.\\/]))?)")
)
def test_every_command_that_is_printed_exists(plain_app: Flask, command: str) -> None:
    name, *sub = command.split()
    commands_ = getattr(known_commands(plain_app)[name], "commands", None)
    assert commands_ is None or not sub or sub[0] in commands_


@each("option", commands(r"(?:flask|bin/yestwice|^yestwice|exec (?:-T )?yestwice yestwice) ([a-z].* --[a-z-]+.*)"))
def test_every_option_that_is_printed_exists(plain_app: Flask, option: str) -> None:
    words = option.partition(" | ")[0].partition(" #")[0].split()
    command = known_commands(plain_app)[words[0]]
    subs = getattr(command, "commands", {})
    command = subs.get(words[1], subs.get("file", command))  # `import FILE`
    known = {name for one in command.params for name in one.opts}
    assert {word for word in words if word.startswith("-")} <= known


@pytest.mark.parametrize("url", commands(r"(https?://127\.0\.0\.1:8000[^\s\"'\\]*)"))
def test_every_address_that_is_printed_is_served(plain_app: Flask, url: str) -> None:
    method = "POST" if url.endswith("/subscriptions") else "GET"
    assert plain_app.url_map.bind("").match(urlsplit(url).path or "/", method)


@pytest.mark.parametrize("block", [one for name in NAMES for one in blocks(text_of(name), "toml")])
def test_every_piece_of_configuration_is_accepted(block: str, tmp_path: Path) -> None:
    text = block if block.startswith("[") else f"[server]\n{block}"
    (tmp_path / "config.toml").write_text(text, "utf-8")
    read = load({}, tmp_path)
    known = {"server", "database", "mail", "inbound", "lifecycle", "limits", "abuse", "lists"}
    assert set(tomllib.loads(text)) <= known
    assert read != Settings()


def test_the_first_calls_and_forms_carry_the_wording_of_a_list_as_it_is_made() -> None:
    made = ListSettings()
    named = re.findall(r'wording"?(?:: | value=)"(.*?)"', README)
    assert [*named] == [wording_hash(made.slug, made.wording, made.policy_url, made.controller)[:16]] * 3
    assert blocks(README, "html")[0].count(made.wording) == 1


def test_every_metric_that_the_alerts_ask_for_is_served(world: World) -> None:
    asked = set(re.findall(r"yestwice_[a-z_]+", "".join(blocks(text_of("docs/production.md"), "yaml"))))
    served = world.client.get("/metrics", base_url=world.base_url).get_data(as_text=True)
    assert {name for name in asked if f"\n{name}" not in served} == set()


def test_the_folder_of_the_data_is_made_for_its_user_alone(tmp_path: Path) -> None:
    create_app(Settings(root=tmp_path, server=Server(data_dir="data")))
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


@each("name", NAMES)
def test_documents_name_no_host_but_examples(name: str) -> None:
    public = {"www.rfc-editor.org", "semver.org", "localhost"}
    hosts = {urlsplit(url).hostname or "" for url in re.findall(r"https?://[^\s)\"'`>]+", text_of(name))}
    assert {host for host in hosts - public if not re.fullmatch(r"(.*\.)?example\.org|127\.0\.0\.1", host)} == set()


@each("name", [*NAMES, "config.example.toml", "examples/send.py"])
def test_what_is_to_be_typed_is_yestwice_and_never_flask(name: str) -> None:
    text = text_of(name).rpartition("\n## 0.3.0 ")[0] or text_of(name)  # earlier versions had no other name for it
    assert set(re.findall(r"flask (?!run\b)[a-z-]+", text)) == set()


@each("name", NAMES)
def test_what_is_copied_of_the_database_and_the_keys_is_for_the_operator_alone(name: str) -> None:
    copying = [one for one in blocks(text_of(name), "sh") if re.search(r"VACUUM INTO|pg_dump|cp .*secret_key", one)]
    assert [one.splitlines()[0] for one in copying] == ["umask 077"] * len(copying)
    assert (name in ("docs/production.md", "docs/docker.md")) is bool(copying)


def test_the_script_is_as_large_as_the_readme_says() -> None:
    script = ROOT / "subscriptions" / "web" / "embed" / "scripts" / "v2" / "yestwice.js"
    said = ["six", "seven", "eight", "nine"][round(len(gzip.compress(script.read_bytes())) / 1000) - 6]
    assert f"It is {said} kilobytes when" in README


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md"])
def test_where_the_page_after_the_form_is_still_open_opening_the_link_is_said_to_be_enough(name: str) -> None:
    said = " ".join(text_of(name).split())
    assert re.search(r"the page after the form is still open in the same browser", said)
    assert not re.search(r"only its button subscribes|not pressed the button behind", said)


def test_documents_and_help_are_plain_english() -> None:
    """The patterns of texts that were thought in another language; each has stood here once."""
    foreign = re.compile(
        r"stored of you|usual are|\banew\b|[Nn]ot in this way|A hole:|is no (?!longer)\w+ such|no file that|go on\?|"
        r"[Tt]o type the|is on its way|Ended at|at \d{1,2} (?:January|November)|\bmails\b|one line a problem|in clear\b"
    )
    texts = {
        name: text_of(name) for name in [*NAMES, "config.example.toml"] if name not in ("CHANGELOG.md", "STYLE.md")
    }
    texts |= {name: f"{one.help} {' '.join(getattr(each_, 'help', None) or '' for each_ in one.params)}"
              for top, command in commands_of_the_product().items() for name, one in leaves(command, top)}  # fmt: skip
    texts |= {"findings": " ".join(row.sentence for row in findings.ROWS)}
    shown = {name: re.sub(r"`[^`]*`|^```.*?^```$", "", text, flags=re.M | re.S) for name, text in texts.items()}
    assert {name: found for name, text in shown.items() if (found := foreign.findall(text))} == {}
