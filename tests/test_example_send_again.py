"""The example sender goes on where a relay, a signal or an odd file would have ended it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import BART, NEWS, World
from tests.support.faults import Stage
from tests.support.relay import DROP, HANG, Relay
from tests.test_example_send import send, started

PEOPLE = [f"reader{n}@example.org" for n in range(12)]
ONE_CLICK = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as running:
        yield running


def rows(*people: str) -> bytes:
    """An export of them, as JSON lines."""
    urls = {person: f"https://news.example.org/unsubscribe/{number}" for number, person in enumerate(people)}
    headers = {person: {"List-Unsubscribe": f"<{url}>", **ONE_CLICK} for person, url in urls.items()}
    found = ({"email": one, "unsubscribe_url": urls[one], "headers": headers[one]} for one in people)
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in found).encode()


def recipients(relay: Relay) -> list[str]:
    return [mail.recipients[0] for mail in relay.mails]


def test_an_international_domain_goes_in_its_a_form_and_a_local_part_by_smtputf8(relay: Relay, tmp_path: Path) -> None:
    export = rows("jörg@bücher.example", "anne@bücher.example", "bart@straße.example")
    assert send(relay, tmp_path, export).returncode == 0
    assert recipients(relay) == [
        "jörg@xn--bcher-kva.example", "anne@xn--bcher-kva.example", "bart@xn--strae-oqa.example",
    ]  # fmt: skip
    assert [mail.smtputf8 for mail in relay.mails] == [True, False, False]
    relay.offers.smtputf8 = False
    done = send(relay, tmp_path, export)
    assert (done.returncode, "jörg@bücher.example was refused" in done.stderr.decode()) == (1, True)
    assert len(relay.mails) == 5


def test_a_relay_that_ends_the_line_is_asked_again_and_nobody_gets_two(relay: Relay, tmp_path: Path) -> None:
    stages: list[Stage] = ["mail", "rcpt", "data", "end"]
    relay.behave("connect", "421 4.3.2 busy", times=1)
    for person, stage in zip(PEOPLE, stages * 2, strict=False):
        act = "421 4.7.0 enough" if person < PEOPLE[4] else DROP
        relay.behave(stage, act, times=1, match="" if stage == "mail" else person)
    assert send(relay, tmp_path, rows(*PEOPLE)).returncode == 0
    assert recipients(relay) == PEOPLE
    assert sum(map(relay.played, stages)) == 8


def test_a_relay_that_takes_few_mails_over_one_line_gets_them_all(relay: Relay, tmp_path: Path) -> None:
    relay.offers.mails_a_line = 5
    assert send(relay, tmp_path, rows(*PEOPLE)).returncode == 0
    assert (recipients(relay), relay.connections) == (PEOPLE, 3)


def test_a_sender_that_is_refused_ends_it_with_a_sentence(relay: Relay, tmp_path: Path) -> None:
    relay.behave("mail", "550 5.7.1 not you")
    done = send(relay, tmp_path, rows(*PEOPLE))
    assert (done.returncode, done.stderr.decode()) == (
        1, "The relay accepts nothing from newsletter@example.org: 550 5.7.1 not you\n",
    )  # fmt: skip


def test_after_kill_9_it_goes_on_with_the_next_and_nobody_gets_two(relay: Relay, tmp_path: Path) -> None:
    relay.behave("rcpt", HANG, match=PEOPLE[5])
    file = tmp_path / "may.sent"
    running = started(relay, tmp_path, rows(*PEOPLE), "--resume", str(file))
    relay.wait_until(lambda: relay.played("rcpt") == 1)
    running.kill()
    running.communicate()
    relay.accept()
    with file.open("ab") as torn:
        torn.write(PEOPLE[-1][:5].encode())
    assert recipients(relay) == PEOPLE[:5]
    assert send(relay, tmp_path, rows(*PEOPLE), "--resume", str(file)).returncode == 0
    assert recipients(relay) == PEOPLE


def test_a_second_try_is_the_same_mail_and_a_file_of_another_issue_is_refused(relay: Relay, tmp_path: Path) -> None:
    relay.behave("end", DROP, times=1, keep=True)  # it has the mail, and nobody knows
    file = str(tmp_path / "may.sent")
    assert send(relay, tmp_path, rows(BART), "--resume", file).returncode == 0
    assert len({mail.message["Message-ID"] for mail in relay.mails}) == 1 < len(relay.mails)
    other = send(relay, tmp_path, rows(BART), "--resume", file, text="June\n")
    assert (other.returncode, "belongs to another issue" in other.stderr.decode(), len(relay.mails)) == (2, True, 2)


def test_what_is_written_is_what_arrives(relay: Relay, tmp_path: Path) -> None:
    text = "From here on it is May.\n.\n.dots\n"
    assert send(relay, tmp_path, rows(BART), text=f"\ufeff{text}").returncode == 0
    content = str(relay.mails[0].message.get_content()).replace("\r\n", "\n")
    assert content.startswith(text)
    assert b"\n>From" not in relay.mails[0].raw


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_export_is_read_with_a_bom_and_without(world: World, relay: Relay, tmp_path: Path) -> None:
    world.subscribe(BART)
    run = world.app.test_cli_runner().invoke
    csv, jsonl = (run(args=["export", NEWS, "--format", kind]).stdout_bytes for kind in ("csv", "jsonl"))
    for export in (csv, jsonl, csv.replace(b'","', b'";"')):
        for bom in (b"", "\ufeff".encode()):
            relay.forget()
            assert send(relay, tmp_path, bom + export).returncode == 0
            assert [mail.message["List-Unsubscribe"] for mail in relay.mails] == [f"<{world.leave_link(BART)}>"]


@pytest.mark.parametrize("export", [b"{\n", b'{"email": "a@example.org"}\n', b'"email","name"\n"a@example.org","A"\n'])
def test_what_is_no_export_is_told(relay: Relay, tmp_path: Path, export: bytes) -> None:
    done = send(relay, tmp_path, export)
    assert (done.returncode, done.stderr.startswith(b"send.py: "), b"Traceback" in done.stderr) == (2, True, False)
