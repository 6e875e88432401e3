"""The secrets that an installation makes for itself."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from subscriptions import keys
from subscriptions.settings import BadSettings, Server, Settings

Maker = Callable[[Settings], object]
CONFIGURED = "a key of the configuration"
MAKERS = pytest.mark.parametrize(("name", "make"), [("pepper", keys.pepper), ("secret_key", keys.secret_keys)])


def settings(folder: Path, **server: object) -> Settings:
    return Settings(server=Server(data_dir=str(folder), **server))  # type: ignore[arg-type]


def test_a_pepper_is_made_once_and_kept(tmp_path: Path) -> None:
    made = keys.pepper(settings(tmp_path / "var"))
    assert keys.pepper(settings(tmp_path / "var")) == made
    assert keys.pepper(settings(tmp_path / "elsewhere")) != made


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    (made,) = keys.secret_keys(settings(tmp_path / "var"))
    assert keys.secret_keys(settings(tmp_path / "var")) == [made]


@MAKERS
def test_what_is_made_is_for_its_user_alone_and_leaves_nothing_beside_it(
    tmp_path: Path, name: str, make: Maker
) -> None:
    make(settings(tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@MAKERS
def test_what_others_may_read_is_for_its_user_alone_again(tmp_path: Path, name: str, make: Maker) -> None:
    make(settings(tmp_path))
    (tmp_path / name).chmod(0o644)
    make(settings(tmp_path))
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@MAKERS
def test_what_is_made_has_256_random_bits(tmp_path: Path, name: str, make: Maker) -> None:
    make(settings(tmp_path))
    assert len(bytes.fromhex((tmp_path / name).read_text())) == 32


def test_nothing_is_made_where_the_configuration_has_both(tmp_path: Path) -> None:
    configured = settings(tmp_path / "var", pepper=CONFIGURED, secret_keys=(CONFIGURED,))
    assert keys.pepper(configured) == CONFIGURED.encode()
    assert keys.secret_keys(configured) == [CONFIGURED.encode()]
    assert not (tmp_path / "var").exists()


def test_the_key_that_was_made_goes_on_verifying_behind_those_of_the_configuration(tmp_path: Path) -> None:
    (made,) = keys.secret_keys(settings(tmp_path))
    configured = settings(tmp_path, secret_keys=(CONFIGURED, "an older key of the configuration"))
    assert keys.secret_keys(configured) == [CONFIGURED.encode(), b"an older key of the configuration", made]


@MAKERS
@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_a_file_that_lost_its_secret_stops_the_start(tmp_path: Path, name: str, make: Maker, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadSettings, match=f"{name} holds no secret"):
        make(settings(tmp_path))


PROCESS = """
import sys
from subscriptions import keys
from subscriptions.settings import Server, Settings
one = Settings(server=Server(data_dir=sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
print(keys.pepper(one), keys.secret_keys(one))
"""


def test_processes_that_start_at_once_read_the_same_secrets(tmp_path: Path) -> None:
    with ExitStack() as running:
        started = [running.enter_context(process(tmp_path)) for _ in range(4)]
        assert [one.stdout.readline() for one in started if one.stdout] == ["ready\n"] * 4
        for one in started:
            assert one.stdin is not None
            one.stdin.close()
        found = {one.stdout.read() for one in started if one.stdout}
    assert len(found) == 1 and found != {""}


def process(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROCESS, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_two_that_make_a_secret_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = "11" * 32

    def made_meanwhile(_: int) -> str:
        (tmp_path / "pepper").write_text(first)
        return "22" * 32

    monkeypatch.setattr("secrets.token_hex", made_meanwhile)
    assert keys.pepper(settings(tmp_path)) == first.encode()
