"""The files for containers: what they say fits the schema, the settings and the program."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from subscriptions.serving.processes import ENDS_WITHIN
from subscriptions.serving.server import STOPS_WITHIN
from subscriptions.settings.file import load

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((ROOT / "tests/fixtures/compose_spec/compose-spec.json").read_text("utf-8"))
FILES = ["compose.yaml", "compose.postgres.yaml"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
EVERY = "0.0.0.0"  # noqa: S104 of the container: compose.yaml publishes loopback
GIVEN = {"SITE": "news.example.org", "POSTGRES_PASSWORD": "0a1b"}


def read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / name).read_text("utf-8")))


def environment(name: str) -> dict[str, str]:
    """Of the service, with what docs/docker.md puts into .env."""
    said = read(name)["services"]["yestwice"]["environment"]
    return {key: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: GIVEN[found[1]], value) for key, value in said.items()}


def of_the_image() -> dict[str, str]:
    return dict(re.findall(r"\b(SUBSCRIPTIONS_\w+)=(\S+)", DOCKERFILE))


@pytest.mark.parametrize("name", FILES)
def test_compose_files_are_what_their_schema_says(name: str) -> None:
    assert [error.message for error in jsonschema_rs.validator_for(SCHEMA).iter_errors(read(name))] == []


@pytest.mark.parametrize("names", [FILES[:1], FILES])
def test_what_image_and_compose_set_are_settings_that_start_with_a_relay(names: list[str], tmp_path: Path) -> None:
    said = of_the_image()
    for name in names:
        said |= environment(name)
    settings = load(said, tmp_path)
    assert (settings.server.host, settings.server.data_dir, settings.mail.transport) == (EVERY, "/data", "smtp")
    assert (settings.server.trusted_proxies == 1) is (len(names) == 2)
    assert settings.server.base_url == ("https://news.example.org" if len(names) == 2 else "http://127.0.0.1:8000")


def test_a_container_stops_later_than_the_service_is_sure_to_have_ended() -> None:
    said = read(FILES[0])["services"]["yestwice"]["stop_grace_period"]
    seconds = timedelta(seconds=int(said.removesuffix("s"))).total_seconds()
    assert seconds > STOPS_WITHIN + ENDS_WITHIN


def test_it_runs_as_nobody_special_and_may_write_to_its_data_alone() -> None:
    service = read(FILES[0])["services"]["yestwice"]
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M)[-1] == "10001:10001"
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [one for one in service["volumes"] if not one.endswith(":ro")] == ["data:/data", "journal:/data-journal"]


def test_only_what_the_service_needs_gets_into_the_image() -> None:
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M)
              for word in line.split()[:-1] if not word.startswith("--")]  # fmt: skip
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.M)
    assert sorted(copied) == sorted(allowed) and all((ROOT / name).exists() for name in copied)
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"


def test_no_port_is_open_to_the_network_but_those_of_the_proxy() -> None:
    published = {name: service.get("ports", []) for file in FILES for name, service in read(file)["services"].items()}
    assert read(FILES[0])["services"]["yestwice"]["ports"] == ["127.0.0.1:8000:8000"]
    assert [name for name, ports in published.items() if ports] == ["caddy"]
    assert published["caddy"] == ["80:80", "443:443", "443:443/udp"]
