"""The pages of docs/senders: what they print is typed; the service is real, and the senders where they can be."""

import csv
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.first_reader import confirms, plain, serving
from tests.support.ports import LOOPBACK, free_port
from tests.support.relay import Relay
from tests.support.senders import Listmonk, Mailchimp, Mautic, Sender, served

pytestmark = [pytest.mark.drill, pytest.mark.timeout(300)]
HOME = Path(__file__).resolve().parents[1]
PAGES = HOME / "docs" / "senders"
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from subscriptions.__main__ import main; main()"
ANNE, BART, CARLA, GONE = (f"{name}@example.org" for name in ("anne", "Bart", "carla", "gone"))
NO_MTA = "[mta]\nincoming: mailman.mta.null.NullMTA\n"
LONG_AGO = "2020-01-01T00:00:00Z"


@dataclass
class House:
    """A service in try-out mode with three subscribers, and a shell beside it."""

    folder: Path
    base_url: str
    env: dict[str, str]

    def sh(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", script], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def page(self, name: str, **instead: str) -> str:
        """Types what a page prints, with these values for its variables."""
        typed = "".join(re.findall(r"^```sh\n(.*?)^```$", (PAGES / name).read_text("utf-8"), re.M | re.S))
        for variable, value in instead.items():
            typed, times = re.subn(rf"(?m)^{variable}=.*$", f"{variable}={value}", typed)
            assert times == 1, variable
        return self.sh(typed)

    @property
    def exported(self) -> set[str]:
        return set(self.sh("yestwice export newsletter --format jsonl | jq -r .email").split())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (programs := tmp_path / "bin").mkdir()
    (tmp_path / "examples").symlink_to(HOME / "examples")
    (programs / "python3").symlink_to(sys.executable)
    (programs / "yestwice").write_text(f"#!/bin/sh\nexec '{sys.executable}' -P -c '{RUN}' '{HOME}' \"$@\"\n")
    (programs / "yestwice").chmod(0o755)
    port = free_port()
    base_url = f"http://{LOOPBACK}:{port}"
    env = plain(
        PATH=f"{programs}:{os.environ['PATH']}", SUBSCRIPTIONS_SERVER__PORT=str(port),
        SUBSCRIPTIONS_SERVER__DATA_DIR=str(tmp_path / "var"), YESTWICE=base_url,
    )  # fmt: skip
    with serving([str(programs / "yestwice"), "serve"], tmp_path, base_url, env):
        made = House(tmp_path, base_url, env)
        for address in (ANNE, BART, CARLA):
            confirms(base_url, address)
        env["YESTWICE_TOKEN"] = made.sh("yestwice tokens create the-test --scope manage | tail -1").strip()
        yield made


def typed_at(house: House, sender: Sender, page: str, variable: str, more: str = "", **also: str) -> None:
    with served(sender) as url:
        house.page(page, **{variable: url + more}, **also)


def test_what_the_overview_prints_makes_a_token_and_brings_back_who_left(house: House) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", (PAGES / "README.md").read_text("utf-8"), re.M | re.S)
    assert len(house.sh(blocks[1]).strip()) > 20
    assert house.sh(blocks[2]) == "1 told, 0 not understood.\n"
    assert house.exported == {BART, CARLA}
    assert house.sh(blocks[2]) == "0 told, 0 not understood.\n", "she may have come back since"


def test_listmonk_has_whom_the_export_has_with_our_link_and_tells_of_bounces(house: House) -> None:
    listmonk = Listmonk({GONE: {"updated_at": LONG_AGO}})
    listmonk.bounces[:] = [{"type": "hard", "email": BART, "created_at": "2126-11-30T09:00:00.1+05:30"},
                           {"type": "soft", "email": ANNE, "created_at": "2126-11-30T09:00:00.1+05:30"},
                           {"type": "complaint", "email": CARLA, "created_at": "2126-11-30T09:00:00.1Z"}]  # fmt: skip
    typed_at(house, listmonk, "listmonk.md", "LISTMONK")
    assert set(listmonk.people) == {ANNE, BART, CARLA} and listmonk.bounces == []
    assert listmonk.people[ANNE]["unsubscribe_url"].startswith(f"{house.base_url}/unsubscribe/")
    assert house.exported == {ANNE}
    [counted] = json.loads(house.sh("yestwice lists show --json"))
    assert (counted["confirmed"], counted["unsubscribed"], counted["bounced"]) == (1, 1, 1)


def test_mailchimp_has_whom_the_export_has_and_tells_who_left_there(house: House) -> None:
    left = {"status": "unsubscribed", "last_changed": "2126-11-30T09:00:00+00:00"}
    mailchimp = Mailchimp({GONE: {"status": "subscribed"}, BART: left, CARLA: left | {"status": "cleaned"}})
    typed_at(house, mailchimp, "mailchimp.md", "MAILCHIMP", "/3.0")
    assert house.exported == {ANNE} and GONE not in mailchimp.people
    assert mailchimp.people[ANNE]["timestamp_opt"] and mailchimp.people[BART] == left


def test_mautic_has_whom_the_export_has_and_tells_who_left_there(house: House) -> None:
    def contact(number: int, address: str, *reasons: int) -> dict[str, object]:
        marks = [{"channel": "email", "reason": reason, "dateAdded": "2126-11-30T09:00:00+00:00"} for reason in reasons]
        return {"id": number, "fields": {"all": {"email": address}}, "doNotContact": marks}

    mautic = Mautic({GONE: contact(7, GONE), BART: contact(8, BART, 1), CARLA: contact(9, CARLA, 2)})
    typed_at(house, mautic, "mautic.md", "MAUTIC", "/api")
    assert house.exported == {ANNE} and set(mautic.people) == {ANNE}
    assert mautic.people[ANNE]["tags"] == ["newsletter"]


@pytest.fixture
def mailman(house: House) -> str:
    """A real one, without a queue and without a mail server."""
    venv.create(house.folder / "mailman", with_pip=True)
    installed = [house.folder / "mailman/bin/pip", "install", "--quiet", "mailman==3.3.10"]
    subprocess.run(installed, env=plain(), check=True, stderr=subprocess.DEVNULL)
    (house.folder / "mailman.cfg").write_text(
        f"[mailman]\nlayout: here\n[paths.here]\nvar_dir: {house.folder}/mm\n{NO_MTA}"
    )
    house.env["MAILMAN_CONFIG_FILE"] = str(house.folder / "mailman.cfg")
    as_root = f'#!/bin/sh\nexec "{house.folder}/mailman/bin/mailman" --run-as-root "$@"\n'
    (house.folder / "bin/mailman").write_text(as_root)
    (house.folder / "bin/mailman").chmod(0o755)
    house.sh("mailman create newsletter@lists.example.org")
    return "newsletter@lists.example.org"


def test_mailman_has_whom_the_export_has_and_who_left_there_is_brought_back(house: House, mailman: str) -> None:
    def members() -> set[str]:
        return set(house.sh(f"mailman members --email-only {mailman}").split())

    house.sh(f"echo {GONE} | mailman addmembers --no-welcome-msg - {mailman}")
    house.page("mailman.md")
    assert members() == {ANNE, BART, CARLA}
    house.sh(f"mailman delmembers --member {BART.lower()} --list {mailman}")
    house.page("mailman.md")
    assert house.exported == members() == {ANNE, CARLA}


def test_the_file_for_thunderbird_has_the_columns_that_the_page_names(house: House) -> None:
    house.page("thunderbird.md")
    named = set(re.findall(r"\{\{(\w+)\}\}", (PAGES / "thunderbird.md").read_text("utf-8")))
    rows = [*csv.DictReader((house.folder / "may.csv").read_text("utf-8").splitlines())]
    assert set(rows[0]) == named and {row["Email"] for row in rows} == {ANNE, BART, CARLA}


def test_the_example_sender_sends_to_everybody_as_its_page_says(house: House) -> None:
    (house.folder / "issue.txt").write_text("Good news.\n")
    with Relay() as relay:
        blocks = re.findall(r"^```sh\n(.*?)^```$", (PAGES / "send.md").read_text("utf-8"), re.M | re.S)
        house.sh(blocks[0].strip() + f" --host {relay.host} --port {relay.port}")
        assert {mail.recipients[0] for mail in relay.mails} == {ANNE, BART, CARLA}
        assert all(mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for mail in relay.mails)
