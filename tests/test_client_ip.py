"""Which IP is stored and counted: the peer's, or the one that a configured proxy names (X-09)."""

from collections.abc import Callable

import pytest
from flask import Flask

from subscriptions.settings import Limits, Server
from subscriptions.store.models import CountedKey
from tests.builders import ANNE, BART, World
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE

PEER, CLIENT = "192.88.99.1", "203.0.113.7"  # no private network, so a forwarded header of its own means nothing
MakeWorld = Callable[..., World]


@pytest.fixture
def behind(world: World, make_app: Callable[..., Flask]) -> MakeWorld:
    """The same world behind that many proxies."""

    def make(proxies: int, limit: str = "1/1h") -> World:
        server = world.parts.settings.server
        known = {"data_dir": server.data_dir, "pepper": server.pepper, "secret_keys": server.secret_keys}
        app = make_app(server=Server(trusted_proxies=proxies, **known), limits=Limits(signups_per_network=limit))  # type: ignore[arg-type]
        return World(app, app.test_client(), world.clock)

    return make


def stored(world: World, forwarded: str | None, peer: str = PEER, address: str = ANNE) -> tuple[str | None, str | None]:
    """What the evidence says of a sign-up: the IP, and by whose word."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert world.sign_up(address, remote_addr=peer, headers=headers).status_code == 202
    last = world.evidence()[-1]
    return last.ip, last.ip_source


@pytest.mark.parametrize("forwarded", ["203.0.113.7", "127.0.0.1", "203.0.113.7, 203.0.113.8", "garbage", ""])
def test_without_a_proxy_the_peer_alone_counts(world: World, forwarded: str) -> None:
    assert stored(world, forwarded) == (PEER, "peer")


@pytest.mark.parametrize(
    "name", ["X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Client-IP"]
)
def test_no_other_header_names_a_client(behind: MakeWorld, name: str) -> None:
    one = behind(1)
    one.sign_up(ANNE, remote_addr=PEER, headers={name: f"for={CLIENT}" if name == "Forwarded" else CLIENT})
    assert one.evidence()[-1].ip == PEER


HOPS = [
    (1, CLIENT, CLIENT), (1, f"198.51.100.9, {CLIENT}", CLIENT), (1, f"127.0.0.1,::1,{CLIENT}", CLIENT),
    (1, f" {CLIENT} ", CLIENT),
    (2, f"{CLIENT}, 10.0.0.1", CLIENT), (2, f"198.51.100.9, {CLIENT}, 10.0.0.1", CLIENT),
    (3, f"{CLIENT},10.0.0.2,10.0.0.1", CLIENT),
    (1, f"{CLIENT}:4711", CLIENT), (1, "2001:db8::7", "2001:db8::7"), (1, "[2001:db8::7]", "2001:db8::7"),
    (1, "[2001:db8::7]:4711", "2001:db8::7"), (1, "2001:DB8:0:0::7", "2001:db8::7"), (1, "::ffff:203.0.113.7", CLIENT),
    (1, "[::ffff:203.0.113.7]:80", CLIENT), (1, "fe80::1%eth0", "fe80::1"), (1, f"unknown, {CLIENT}", CLIENT),
]  # fmt: skip


@pytest.mark.parametrize(("proxies", "forwarded", "ip"), HOPS)
def test_the_client_is_who_the_outermost_trusted_proxy_saw(
    behind: MakeWorld, proxies: int, forwarded: str, ip: str
) -> None:
    assert stored(behind(proxies), forwarded) == (ip, "proxy")


GARBAGE = [
    (1, ""), (1, "garbage"), (1, "203.0.113.7,"), (1, "999.1.1.1"), (1, "1.2.3"), (1, "01.02.03.04"), (1, ":80"),
    (1, "unknown"), (1, "_hidden"), (1, "203.0.113.7 evil"), (1, "' OR 1=1"), (1, "x" * 5000), (1, "\xff"),
    (1, "1e3.1.1.1"),
    (2, CLIENT), (2, "garbage, 10.0.0.1"), (3, f"{CLIENT}, 10.0.0.1"),
]  # fmt: skip


@pytest.mark.parametrize(("proxies", "forwarded"), GARBAGE, ids=lambda one: ascii(one)[:24])
def test_what_names_no_client_is_the_peers_own(behind: MakeWorld, proxies: int, forwarded: str) -> None:
    assert stored(behind(proxies), forwarded) == (PEER, "peer")


@pytest.mark.parametrize("peer", ["", "garbage", "unix:", "1.2.3"])
def test_a_peer_without_an_ip_is_stored_without_one(world: World, peer: str) -> None:
    assert stored(world, None, peer) == (None, "peer")


def test_two_header_lines_are_one_list(behind: MakeWorld) -> None:
    one = behind(1)
    lines = [("X-Forwarded-For", "198.51.100.9"), ("X-Forwarded-For", CLIENT)]
    one.post("/subscribe/newsletter", data={"email": ANNE}, headers=lines, environ_base={"REMOTE_ADDR": PEER})
    assert one.evidence()[-1].ip == CLIENT


def test_a_spoofed_header_does_not_dodge_the_limit(behind: MakeWorld) -> None:
    direct = behind(0)
    statuses = [
        direct.sign_up(f"a{n}@example.org", remote_addr=PEER, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
        for n in range(2)
    ]
    assert statuses == [202, 429]


def test_behind_a_proxy_each_client_has_its_own_limit(behind: MakeWorld) -> None:
    one = behind(1)
    hops = ["203.0.113.1", "203.0.113.2", "198.51.100.9, 203.0.113.1"]
    statuses = [
        one.sign_up(f"a{n}@example.org", remote_addr=PEER, headers={"X-Forwarded-For": hop}).status_code
        for n, hop in enumerate(hops)
    ]
    assert statuses == [202, 202, 429]


def test_a_mapped_address_is_the_network_of_its_ipv4(behind: MakeWorld) -> None:
    direct = behind(0)
    statuses = [
        direct.sign_up(f"{n}@example.org", remote_addr=ip).status_code for n, ip in ((1, PEER), (2, f"::ffff:{PEER}"))
    ]
    assert statuses == [202, 429]


def test_an_ipv6_household_shares_its_limit(behind: MakeWorld) -> None:
    direct = behind(0)
    addresses = ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1")
    assert [direct.sign_up(f"a{n}@example.org", remote_addr=ip).status_code for n, ip in enumerate(addresses)] == [
        202,
        429,
        202,
    ]


@pytest.mark.parametrize(
    "peer", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_a_forgotten_proxy_setting_limits_nobody_and_is_told(behind: MakeWorld, peer: str) -> None:
    direct = behind(0)
    for address in (ANNE, BART):
        ip, source = stored(direct, CLIENT, peer, address)
        assert (ip, source) == (peer.removeprefix("::ffff:"), "unnamed proxy")
    assert direct.count(CountedKey) == 0
    assert "trusted_proxies" in str(direct.client.get("/readyz").get_json()["warnings"])


def test_the_forgotten_setting_is_logged_once_and_without_an_ip(
    behind: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    direct = behind(0)
    for address in (ANNE, BART):
        stored(direct, CLIENT, "10.0.0.1", address)
    warnings = [one.getMessage() for one in caplog.records if "trusted_proxies" in one.getMessage()]
    assert len(warnings) == 1 and CLIENT not in caplog.text


def test_a_private_peer_that_forwards_nothing_is_limited_like_others(behind: MakeWorld) -> None:
    direct = behind(0)
    assert [direct.sign_up(address, remote_addr="10.0.0.1").status_code for address in (ANNE, BART)] == [202, 429]


def test_the_confirmation_is_stored_by_the_same_rule(behind: MakeWorld) -> None:
    one = behind(1)
    one.sign_up(ANNE)
    there = {"environ_base": {"REMOTE_ADDR": PEER}, "headers": {"X-Forwarded-For": f"198.51.100.9, {CLIENT}"}}
    assert one.post(one.confirm_link(ANNE), **there).status_code == 200
    assert [(fact.ip, fact.ip_source) for fact in one.evidence() if fact.fact == "confirmed"] == [(CLIENT, "proxy")]
