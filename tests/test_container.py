"""The image, built and run for real: a drill, since it makes a whole system."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.support.containers import HOME, Engine
from tests.support.first_reader import READER, answers, confirms
from tests.support.ports import LOOPBACK, free_port
from tests.support.postgres import Databases
from tests.support.server import until

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]
IMAGE, NAME, DATA = "yestwice-of-the-tests", "yestwice-of-the-tests", "yestwice-data-of-the-tests"
SERVICE = yaml.safe_load((HOME / "compose.yaml").read_text("utf-8"))["services"]["yestwice"]
AS_COMPOSE = ["--read-only", "--volume", f"{DATA}:/data"]
AS_COMPOSE += [f"--tmpfs={one}" for one in SERVICE["tmpfs"]] + [f"--cap-drop={one}" for one in SERVICE["cap_drop"]]
AS_COMPOSE += [f"--security-opt={one.removesuffix(':true')}" for one in SERVICE["security_opt"]]
OLD_SQLITE = f"FROM {IMAGE}\nUSER 0\nRUN rm -r /app/.venv/lib/python3.*/site-packages/pysqlite3*\nUSER 10001:10001\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = Engine(tmp_path_factory.mktemp("engine"))
    made.have_base()
    made.build(IMAGE)
    return made


@contextmanager
def running(engine: Engine, image: str, *more: str) -> Iterator[str]:
    """A container as compose.yaml makes it, but in try-out mode; the base URL. It leaves no data."""
    port = free_port()
    engine("volume", "rm", "--force", DATA, check=False)
    settings = ["--env", f"SUBSCRIPTIONS_SERVER__HOST={LOOPBACK}", "--env", f"SUBSCRIPTIONS_SERVER__PORT={port}"]
    engine.run("--detach", "--name", NAME, *AS_COMPOSE, *settings, *more, image)
    try:
        until(lambda: answers(f"http://{LOOPBACK}:{port}"), 60.0, every=0.2)
        yield f"http://{LOOPBACK}:{port}"
        engine("stop", "--time", SERVICE["stop_grace_period"].removesuffix("s"), NAME)
        assert engine("inspect", "--format", "{{.State.ExitCode}}", NAME).stdout.strip() == "0"
    finally:
        engine("rm", "--force", NAME)
        engine("volume", "rm", "--force", DATA)


def inside(engine: Engine, script: str) -> str:
    return engine("exec", NAME, "sh", "-c", script, check=False).stdout


def test_a_first_reader_confirms_at_a_container_that_may_write_to_its_data_alone(engine: Engine) -> None:
    with running(engine, IMAGE) as base_url:
        assert "You are subscribed" in confirms(base_url)
        assert READER in engine("exec", NAME, "yestwice", "export", "newsletter", "--format", "csv").stdout
        assert inside(engine, "id -u; id -g").split() == ["10001", "10001"]
        assert inside(engine, "touch /app/x /x /data/x /data-journal/x; ls -d /app/x /x /data*/x").split() == [
            "/data-journal/x",
            "/data/x",
        ]
        assert inside(engine, "stat -c %a /data/subscriptions.db /data/pepper /data/secret_key").split() == ["600"] * 3
        assert inside(engine, "grep -l serve /proc/[0-9]*/cmdline | wc -l").strip() >= "3"  # the first, web, mails
        check = json.loads(engine("image", "inspect", IMAGE).stdout)[0]
        test = (check.get("Config") or {}).get("Healthcheck") or check["Healthcheck"]
        assert engine("exec", NAME, *test["Test"][1:], check=False).returncode == 0


def test_on_postgresql_a_first_reader_confirms_and_nothing_is_kept_beside_the_keys(
    engine: Engine, postgres: Databases
) -> None:
    url = postgres.create_database("in_a_container")
    with running(engine, IMAGE, "--env", f"SUBSCRIPTIONS_DATABASE__URL={url}") as base_url:
        assert "You are subscribed" in confirms(base_url)
        assert READER in engine("exec", NAME, "yestwice", "export", "newsletter").stdout
        assert not [name for name in inside(engine, "ls /data").split() if name.startswith("subscriptions.db")]
    postgres.drop_database("in_a_container")


def test_where_sqlite_is_an_old_one_as_on_arm64_it_serves_without_a_write_ahead_log(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(OLD_SQLITE)
    engine.build(f"{IMAGE}-old", tmp_path / "Dockerfile", tmp_path)
    with running(engine, f"{IMAGE}-old") as base_url:
        assert "You are subscribed" in confirms(base_url)
        assert "subscriptions.db\n" in inside(engine, "ls /data") and "-wal" not in inside(engine, "ls /data")


def test_the_try_out_mailbox_is_never_served_to_a_network(engine: Engine) -> None:
    refused = engine.run("--rm", IMAGE, check=False)
    assert refused.returncode == 1
    assert re.search(r'host in \[server\] is not a loopback address.*set transport to "smtp"', refused.stderr)


def test_the_image_holds_the_program_and_nothing_of_the_folder_it_was_made_in(engine: Engine) -> None:
    listed = engine.run("--rm", "--entrypoint", "ls", IMAGE, "-A", "/app", "/data", "/data-journal").stdout.split()
    assert set(listed) - {"__pycache__"} == {
        "/app:", ".venv", "LICENSE", "app.py", "requirements.lock", "subscriptions", "templates", "translations",
        "/data:", "/data-journal:",
    }  # fmt: skip
