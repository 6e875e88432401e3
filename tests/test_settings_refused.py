"""What a configuration is refused for, and that no secret is ever told."""

import subprocess
import sys
from pathlib import Path

import pytest

from subscriptions.settings.file import load
from tests.support.cases import each
from tests.test_settings import PREFIX, read, refused

SECRET = "hunter2-hunter2-hunter2"


@each(
    ("toml", "key"),
    [
        ("[server]\nbase_url = 'news.example.org'", "base_url"),
        ("[server]\nbase_url = 'http://127.0.0.1/news'", "base_url"),
        ("[server]\nbase_url = 'http://127.0.0.1?a'", "base_url"),
        ("[server]\nbase_url = 'http://anne@127.0.0.1'", "base_url"),
        ("[server]\nbase_url = 'http://:anne@127.0.0.1'", "base_url"),
        ("[server]\nbase_url = 'http://127.0.0.1:0'", "base_url"),
        ("[server]\nbase_url = 'http://127.0.0.1:99999'", "base_url"),
        ("[server]\nbase_url = 'http://[::1'", "base_url"),
        ("[server]\nbase_url = 'http://☃.example'\n[mail]\ntransport = 'smtp'", "base_url"),
        ("[server]\nbase_url = 'ftp://127.0.0.1'", "base_url"),
        ("[server]\nport = 0", "port"),
        ("[server]\nport = 65536", "port"),
        ("[server]\nworkers = true", "workers"),
        ("[server]\npepper = 'short'", "pepper"),
        ("[server]\nsecret_keys = ['short']", "secret_keys"),
        ("[server]\nsecret_keys = 'a secret key that is no list'", "secret_keys"),
        ("[server]\ntrusted_hosts = [1]", "trusted_hosts"),
        ("[database]\nurl = 'mysql://localhost/news'", "url"),
        ("[database]\nurl = 'news.db'", "url"),
        ("[database]\nurl = 'postgresql+psycopg://anne:secret@db:port/news'", "url"),
        ("[mail]\ntransport = 'pigeon'", "transport"),
        ("[inbound]\naddress = 'leave'", "address"),
        ("[inbound]\naddress = 'leave+us@news.example'\ntoken_in = 'address'", "address"),
        ("[inbound]\naddress = 'leave-our-letters@news.example'\ntoken_in = 'address'", "address"),
        (
            "[inbound]\ntoken_in = 'address'\n[mail]\nenvelope_sender = 'bounced-letters-@b.example'",
            "envelope_sender",
        ),
        ("[inbound]\ntoken_in = 'body'", "token_in"),
        ("[inbound]\naddress = 'leave@news.example'\nforward = 'Leave+x@news.example'", "forward"),
        ("[inbound]\nforward = 'office@news.example'", "address"),
        ("[inbound]\nimap_host = 'imap.news.example'", "address"),
        (
            "[inbound]\naddress = 'leave@a.example'\nimap_host = 'a.example'\nimap_security = 'none'",
            "imap_security",
        ),
        ('[inbound]\nimap_password = "a\\nb"', "imap_password"),
        ("[inbound]\nauthserv_ids = ['mx one']", "authserv_ids"),
        ("[inbound]\nkeep_days = 0", "keep_days"),
        ("[mail]\nsecurity = 'ssl'", "security"),
        ("[mail]\npassword = 'secret'\nhost = 'relay.example.org'", "password"),
        ("[mail]\nsender = 'Newsletter'", "sender"),
        ("[mail]\nsender = 'a@example.org, b@example.org'", "sender"),
        ('[mail]\nsender = "News\\r\\nBcc: <a@example.org>"', "sender"),
        ("[mail]\nsender = 'A <a@example.org>, B <b@example.org>'", "sender"),
        ('[mail]\nsender = "News\\u2028letter <a@example.org>"', "sender"),
        ('[mail]\npassword = "s3c\\nret"', "password"),
        ('[mail]\nusername = "anne\\u0000"', "username"),
        ("[mail]\nenvelope_sender = 'bounces'", "envelope_sender"),
        ("[mail]\ntimeout_seconds = 0", "timeout_seconds"),
        ("[lifecycle]\nconfirm_within_hours = 0", "confirm_within_hours"),
        ("[lifecycle]\nconfirm_within_hours = 24\npurge_after_days = 1", "purge_after_days"),
        ("[lifecycle]\npurge_after_days = 32", "purge_after_days"),
        ("[limits]\nconfirmations_per_address = ['1/15m', 'often']", "confirmations_per_address"),
        ("[limits]\nconfirmations_per_address = ['']", "confirmations_per_address"),
        ("[limits]\nsignups_per_network = '0/1h'", "signups_per_network"),
        ("[admin]\nnetworks = ['192.0.2.7/8']", "networks"),
        ("[admin]\nenabled = 'yes'", "enabled"),
        ("[[lists]]\nslug = 'a/b'", "slug"),
        ("[[lists]]\nslug = '-a'", "slug"),
        ("[[lists]]\nslug = 'a'\n[[lists]]\nslug = 'a'", "slug"),
        ("[[lists]]\nname = ' '", "name"),
        ("[[lists]]\nsender = 'Newsletter'", "sender"),
        ("[[lists]]\nsender = 'Ä <ä@example.org>'", "sender"),
        ("[mail]\nsender = 'Ä <ä@example.org>'", "sender"),
        ('[[lists]]\nreply_to = "Answers\\r\\nBcc: <a@example.org>"', "reply_to"),
        ("[[lists]]\nimprint_url = 'example.org/imprint'", "imprint_url"),
        ("[[lists]]\nimprint_url = 'javascript:alert(1)'", "imprint_url"),
        ("[[lists]]\ntimezone = 'Nowhere/Else'", "timezone"),
        ("[[lists]]\naddress_form = 'Familiar'", "address_form"),
        ("[[lists]]\naddress_form = ''", "address_form"),
        ("[[lists]]\ntimezone = '../UTC'", "timezone"),
        ("[[lists]]\ntimezone = 'Europe'", "timezone"),
        ('[[lists]]\nname = "a\\nb"', "name"),
        ("[[lists]]\nwording = ''", "wording"),
        ("[[lists]]\nlocale = 'english please'", "locale"),
        ("[[lists]]\npolicy_url = 'javascript:alert(1)'", "policy_url"),
        ("[[lists]]\npolicy_url = 'http://[x'", "policy_url"),
        ("[[lists]]\npublic = 'yes'", "public"),
        ("lists = []", "[[lists]]"),
        ("[lists]\nslug = 'a'", "[[lists]]"),
        ("server = 5", "[server]"),
    ],
)
def test_a_bad_value_is_refused_with_one_sentence_that_names_key_and_file(tmp_path: Path, toml: str, key: str) -> None:
    (problem,) = refused(tmp_path, toml)
    assert problem.startswith(f"{key} ")
    assert str(tmp_path / "config.toml") in problem


@pytest.mark.parametrize("name", ["LISTS__1__SLUG", "LISTS__-1__SLUG", "LISTS__X__SLUG", "LISTS__0"])
def test_a_variable_that_names_no_setting_is_refused(tmp_path: Path, name: str) -> None:
    assert all(PREFIX + name in problem for problem in refused(tmp_path, **{name: "a"}))


@pytest.mark.parametrize("name", ["PORT", "SERVER", "SERVR__PORT", "SERVER__PROT", "MAIL__SENDER_FILE"])
def test_a_misspelt_variable_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (problem,) = refused(tmp_path, **{name: "1"})
    assert PREFIX + name in problem


@pytest.mark.parametrize(
    ("content", "why"), [(None, "cannot be read"), (b"[server", "is not valid TOML"), (b"# \xff", "is not UTF-8")]
)
def test_a_file_that_cannot_be_read_is_the_only_thing_told(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "named.toml"
    if content is not None:
        path.write_bytes(content)
    (problem,) = refused(tmp_path, CONFIG=str(path), SERVER__BASE_URL="https://news.example.org")
    assert problem.startswith(f"The configuration file {path} {why}")


@pytest.mark.parametrize(
    ("key", "where"),
    [("base_url", "https://news.example.org"), ("base_url", "http://127.0.0.1.example.org"), ("host", "0.0.0.0"),  # noqa: S104
     ("host", "192.0.2.7"), ("host", "::")],
)  # fmt: skip
def test_the_mailbox_refuses_to_be_seen_from_elsewhere(tmp_path: Path, key: str, where: str) -> None:
    problems = refused(tmp_path, f"[server]\n{key} = '{where}'")
    assert any(one.startswith(f"{key} in [server] is not a loopback address") for one in problems)


@pytest.mark.parametrize("where", ["127.0.0.1", "127.0.0.53", "localhost", "[::1]"])
def test_the_mailbox_is_shown_on_every_loopback_address(tmp_path: Path, where: str) -> None:
    assert read(tmp_path, SERVER__BASE_URL=f"http://{where}:8000").mail.transport == "mailbox"


@pytest.mark.parametrize(
    ("name", "held", "section", "key", "value"),
    [
        ("MAIL__PASSWORD", SECRET + "\n", "mail", "password", SECRET),
        ("MAIL__PASSWORD", '"quo"ted" \r\n', "mail", "password", '"quo"ted" '),
        ("MAIL__PASSWORD", "[1]", "mail", "password", "[1]"),
        ("SERVER__PEPPER", SECRET, "server", "pepper", SECRET),
        ("SERVER__SECRET_KEYS", SECRET + "\n", "server", "secret_keys", (SECRET,)),
        ("SERVER__SECRET_KEYS", f"the newest of the keys\n\n{SECRET}\n", "server", "secret_keys",
         ("the newest of the keys", SECRET)),
        ("SERVER__SECRET_KEYS", f'["{SECRET}"]', "server", "secret_keys", (SECRET,)),
        ("DATABASE__URL", "postgresql+psycopg://a:b@db/news\n", "database", "url", "postgresql+psycopg://a:b@db/news"),
    ],
)  # fmt: skip
def test_a_secret_comes_from_a_file(tmp_path: Path, name: str, held: str, section: str, key: str, value: str) -> None:
    (tmp_path / "secret").write_bytes(held.encode())
    settings = read(tmp_path, "", **{name + "_FILE": str(tmp_path / "secret")})
    assert getattr(getattr(settings, section), key) == value


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_secret_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    (problem,) = refused(tmp_path, MAIL__PASSWORD_FILE=str(tmp_path / "secret"))
    assert problem.startswith(f"{PREFIX}MAIL__PASSWORD_FILE names a file that cannot be read: ")


@each(
    "toml",
    [
        f"[server]\npepper = ['{SECRET}']",
        f"[server]\nsecret_keys = '{SECRET}'",
        f"[server]\nsecret_keys = [['{SECRET}']]",
        f"[server]\nsecret_key = '{SECRET}'",
        f"[mail]\npassword = '{SECRET}'\nhost = 'relay.example.org'",
        f"[mail]\npassword = ['{SECRET}']",
        f"[mail]\npassword = '{SECRET}\n",
        f"[database]\nurl = 'postgresql+psycopg://anne:{SECRET}@db:port/news'",
        f"[database]\nurl = 'mysql://anne:{SECRET}@db/news'",
        f"[server]\nbase_url = 'http://anne:{SECRET}@127.0.0.1'",
        f"[mail]\npassword = '{SECRET}'\npassword = '{SECRET}'",
        f"[mail]\npassword.x = '{SECRET}'",
        f"server = '{SECRET}'",
    ],
)
def test_a_refusal_never_tells_a_secret(tmp_path: Path, toml: str) -> None:
    assert SECRET not in "\n".join(refused(tmp_path, toml))


def test_settings_can_be_printed_without_telling_a_secret(tmp_path: Path) -> None:
    settings = load(
        {
            PREFIX + "SERVER__PEPPER": SECRET,
            PREFIX + "SERVER__SECRET_KEYS": f'["{SECRET}"]',
            PREFIX + "MAIL__PASSWORD": SECRET,
            PREFIX + "DATABASE__URL": f"postgresql+psycopg://anne:{SECRET}@db/news",
        },
        tmp_path,
    )
    assert SECRET in settings.database_url
    assert SECRET not in repr(settings)


def test_a_start_with_a_bad_configuration_ends_with_status_1_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[server]\nprot = 1\nworkers = 0")
    result = subprocess.run(
        [sys.executable, "app.py"],
        env={"SUBSCRIPTIONS_CONFIG": str(tmp_path / "bad.toml")},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 2
    assert "prot" in result.stderr and "workers" in result.stderr


@each(("named", "meant"), [("europe/berlin", "Europe/Berlin"), ("Europe/Berlim", "Europe/Berlin"), ("utc", "UTC")])
def test_a_time_zone_that_is_nearly_one_is_told_which(tmp_path: Path, named: str, meant: str) -> None:
    (problem,) = refused(tmp_path, f"[[lists]]\ntimezone = '{named}'")
    assert f'is "{named}", which is not a time zone' in problem and f'perhaps you mean "{meant}"' in problem
