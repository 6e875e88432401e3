"""The processes of one server: what each is for, that one that died is begun anew, and that all end together."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.lines import JSON_HEAD, called, heard, said, set_to, status_of
from tests.support.load import sign_up
from tests.support.names import SILENT, NameServer
from tests.support.relay import Relay
from tests.support.server import Server, is_alive, until
from tests.support.sql import number

RARE = (
    "from datetime import timedelta; from subscriptions.jobs import jobs",
    "object.__setattr__(jobs.NAMED['deliver'], 'every', timedelta(hours=12))",
)
ANNE, BART = "anne@example.org", "bart@example.org"
SENT = "SELECT count(*) FROM jobs WHERE name = 'deliver' AND ended_at IS NOT NULL"


def signs_up(server: Server, address: str) -> int:
    return server.ask("POST", *sign_up(address)[1:])[0]


@pytest.mark.parametrize(("workers", "apart", "children"), [("1", "true", 2), ("2", "true", 3), ("2", "false", 2),
                                                            ("1", "false", 0)])  # fmt: skip
def test_mails_leave_however_the_work_is_divided(
    workers: str, apart: str, children: int, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    divided = {"SERVER__WORKERS": workers, "SERVER__MAIL_PROCESS": apart}
    with Server(tmp_path, database_url, relay=relay, **divided) as server:
        until(lambda: len(server.children) == children)
        assert [signs_up(server, f"visitor-{n}@example.org") for n in range(8)] == [202] * 8
        relay.wait_for(8)
        until(lambda: server.get("/readyz") == 200)
        assert server.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_commit_of_a_sign_up_wakes_the_process_that_sends(
    workers: str, database_url: str, relay: Relay, tmp_path: Path
) -> None:
    command = set_to(*RARE)  # it looks once, as it begins, and then not for hours
    with Server(tmp_path, database_url, command=command, relay=relay, SERVER__WORKERS=workers) as server:
        until(lambda: number(database_url, SENT) == 1)
        for count, address in enumerate((ANNE, BART), 1):
            assert signs_up(server, address) == 202
            relay.wait_for(count)


def test_each_process_that_was_killed_is_begun_anew_and_mails_go_on(relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///killed.db", relay=relay) as server:
        for count, doomed in enumerate(server.children, 1):
            os.kill(doomed, signal.SIGKILL)
            until(lambda doomed=doomed: len(server.children) == 2 and doomed not in server.children)  # type: ignore[misc]
            until(lambda: server.get("/healthz") == 200)
            assert signs_up(server, f"visitor-{count}@example.org") == 202
            relay.wait_for(count)
        assert server.stop() == 0


def test_a_child_that_is_not_its_own_ends_unnoticed(relay: Relay, tmp_path: Path) -> None:
    """As in a container, whose first process is handed every orphan."""
    command = set_to("import os; os.spawnlp(os.P_NOWAIT, 'true', 'true')")
    with Server(tmp_path, "sqlite:///orphans.db", command=command, relay=relay) as server:
        doomed = next(one for one in server.children if is_alive(one))
        os.kill(doomed, signal.SIGKILL)
        until(lambda: doomed not in server.children and len(server.children) == 2)
        until(lambda: server.get("/healthz") == 200)
        assert server.stop() == 0


def test_nobody_outlives_the_first_process(relay: Relay, tmp_path: Path) -> None:
    with Server(tmp_path, "sqlite:///first.db", relay=relay, SERVER__WORKERS="2") as server:
        children = server.children
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        until(lambda: not any(map(is_alive, children)))


def test_one_that_dies_as_soon_as_it_is_begun_ends_the_server_with_status_1(relay: Relay, tmp_path: Path) -> None:
    hasty = "from subscriptions.serving import processes; processes.PAUSE = 0"
    broken = "from subscriptions import serving; serving.Bell.wait = lambda _: __import__('os')._exit(3)"
    with Server(tmp_path, "sqlite:///broken.db", command=set_to(hasty, broken), relay=relay).launch() as server:
        assert server.wait() == 1


def test_a_stop_answers_a_body_that_is_still_coming(relay: Relay, tmp_path: Path) -> None:
    body = b'{"email": "anne@example.org"}'
    head = JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
    with Server(tmp_path, "sqlite:///coming.db", relay=relay) as server:
        line = called(server, head + body[:5])
        assert status_of(said(server, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")) == 200
        server.process.send_signal(signal.SIGTERM)
        line.sendall(body[5:])
        assert (status_of(heard(line)), server.wait()) == (202, 0)


def test_a_stop_answers_what_a_thread_is_at_work_on(relay: Relay, tmp_path: Path) -> None:
    patient = "from subscriptions import lookup; lookup.WITHIN = 2.0"
    with NameServer({"slow.com": SILENT}) as names, ThreadPoolExecutor(1) as pool:
        told = {"ABUSE__NAMESERVERS": f'["{names.address}"]'}
        with Server(tmp_path, "sqlite:///work.db", command=set_to(patient), relay=relay, **told) as server:
            slow = pool.submit(signs_up, server, "anne@slow.com")
            until(lambda: bool(names.asked))
            assert (server.stop(), slow.result()) == (0, 202)


@pytest.mark.parametrize("how", ["flask run", "granian"])
def test_a_foreign_server_behind_a_proxy_says_that_a_visitor_may_forge_a_header(how: str, tmp_path: Path) -> None:
    from tests.test_process_start import COMMANDS

    told = {"SERVER__TRUSTED_PROXIES": "1"}
    with Server(tmp_path, "sqlite:///foreign.db", command=COMMANDS[how], **told) as server:
        until(lambda: "X_Forwarded_For" in server.log + server.errors)
        assert "X_Forwarded_For" in server.ask("GET", "/readyz")[2]
    with Server(tmp_path, "sqlite:///ours.db", **told) as server:
        assert "X_Forwarded_For" not in server.ask("GET", "/readyz")[2]
