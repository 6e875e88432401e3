"""What the doctor finds in the DNS: each fault alone, in a zone that is well without it (D-18, O-10)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from subscriptions.settings import ListSettings
from tests import doctored
from tests.doctored import DOMAIN, FROM, NAME, SPF, key, named, settled, wrong, zone
from tests.support.cases import ONE_DATABASE, each
from tests.support.names import NXDOMAIN, SERVFAIL, SILENT, NameServer

pytestmark = ONE_DATABASE
CHECKS = ("spf", "dkim", "dmarc", "bounces")


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer(zone()) as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], names: NameServer) -> Flask:
    made = settled(make_app, names)
    doctored.give(made, doctored.email())
    return made


def txt(*texts: str) -> dict[str, str]:
    return {"TXT": "; ".join(f'"{text}"' for text in texts)}


OF_US: dict[str, Any] = {"MX": f"10 mx.{DOMAIN}."}
MANY = " ".join(f"include:{n}.example.com" for n in range(11))
# finding, what the DNS says instead, and what is there to copy
SEEN: list[tuple[str, dict[str, Any], str]] = [
    ("spf-none", {DOMAIN: OF_US}, f'{DOMAIN}. IN TXT "v=spf1 mx ~all"'),
    ("spf-several", {DOMAIN: OF_US | txt("v=spf1 mx -all", "v=spf1 a ~all")}, f'{DOMAIN}. IN TXT "v=spf1 a mx ~all"'),
    ("spf-broken", {DOMAIN: OF_US | txt("v=spf1 mx nonsense -all")}, f'{DOMAIN}. IN TXT "v=spf1 mx -all"'),
    ("spf-broken", {"_spf.example.com": NXDOMAIN}, f'{DOMAIN}. IN TXT "v=spf1 ip4:192.0.2.1 -all"'),
    ("spf-broken", {DOMAIN: OF_US | txt("v=spf1 mx redirect=gone.example.com")}, f'{DOMAIN}. IN TXT "v=spf1 mx"'),
    ("spf-long", {DOMAIN: OF_US | txt(f"v=spf1 {MANY} -all")}
     | {f"{n}.example.com": txt("v=spf1 ip4:192.0.2.9 -all") for n in range(11)}, ""),
    ("spf-long", {DOMAIN: OF_US | txt("v=spf1 " + "a:x.example.com " * 11 + "-all")}, ""),
    ("spf-everybody", {DOMAIN: OF_US | txt("v=spf1 mx +all")}, f'{DOMAIN}. IN TXT "v=spf1 mx ~all"'),
    ("spf-everybody", {DOMAIN: OF_US | txt("v=spf1 all")}, f'{DOMAIN}. IN TXT "v=spf1 ~all"'),
    ("spf-open", {DOMAIN: OF_US | txt("v=spf1 mx ?all")}, f'{DOMAIN}. IN TXT "v=spf1 mx ~all"'),
    ("spf-open", {DOMAIN: OF_US | txt("v=spf1 mx")}, f'{DOMAIN}. IN TXT "v=spf1 mx ~all"'),
    ("dmarc-none", {f"_dmarc.{DOMAIN}": NXDOMAIN},
     f'_dmarc.{DOMAIN}. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"'),
    ("dmarc-broken", {f"_dmarc.{DOMAIN}": txt("v=DMARC1;rua=mailto:a@example.net")},
     f'_dmarc.{DOMAIN}. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"'),
    ("dmarc-broken", {f"_dmarc.{DOMAIN}": txt("v=DMARC1;p=none;rua=mailto:a@x.example", "v=DMARC1;p=reject")},
     f'_dmarc.{DOMAIN}. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"'),
    ("dmarc-unread", {f"_dmarc.{DOMAIN}": txt("v=DMARC1;p=reject")}, f"rua=mailto:dmarc@{DOMAIN}"),
    ("bounces-none", {DOMAIN: {"TXT": SPF}}, f"{DOMAIN}. IN MX 10 mx.{DOMAIN}."),
    ("bounces-null", {DOMAIN: {"TXT": SPF, "MX": "0 ."}}, f'envelope_sender = "bounces@{DOMAIN}"'),
    ("bounces-lost", {f"mx.{DOMAIN}": NXDOMAIN}, f"{DOMAIN}. IN MX 10 mx.{DOMAIN}."),
    ("key-none", {NAME: NXDOMAIN}, NAME),
    ("key-broken", {NAME: txt("v=DKIM1;p=")}, NAME),
    ("key-broken", {NAME: txt("v=DKIM1;p=bm8ga2V5")}, NAME),
    ("key-broken", {NAME: txt("v=DKIM1;p=!")}, NAME),
    ("key-broken", {NAME: txt("v=DKIM1;k=ed25519;p=bm8ga2V5")}, NAME),
    ("key-test", {NAME: {"TXT": key(more="t=y:s;")}}, NAME),
]  # fmt: skip


def test_where_all_is_well_nothing_is_found(app: Flask) -> None:
    assert named(wrong(app, *CHECKS)) == []


@each(("name", "instead", "copy"), SEEN)
def test_each_fault_in_the_dns_is_found_alone_and_gone_once_it_is_mended(
    app: Flask, names: NameServer, name: str, instead: dict[str, Any], copy: str
) -> None:
    names.zone |= instead
    try:
        [one] = wrong(app, *CHECKS)
        assert (one.name, one.copy) == (name, copy)
        assert DOMAIN in one.says
    finally:
        names.zone = zone()
    assert named(wrong(app, *CHECKS)) == []


GOOD = [
    {DOMAIN: OF_US | txt("v=spf1 mx redirect=_spf.example.com")},
    {
        DOMAIN: OF_US
        | txt("V=SPF1 MX A:mx.example.net/24 ip6:2001:db8::/32 exists:%{i}.example.com include:%{d}.x ~ALL")
    },
    {DOMAIN: OF_US | txt("v=spf1 mx unknown=thing exp=why.example.com -all")},
    {DOMAIN: OF_US | txt("v=spf1 " + "ip4:192.0.2.1 " * 12 + "-all")},
    {DOMAIN: {"TXT": SPF, "A": "192.0.2.7"}},  # who has no MX is its own
    {NAME: txt("v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")},
    {f"_dmarc.{DOMAIN}": txt("v=DMARC1;p=quarantine;rua=mailto:a@example.net;adkim=s")},
]


@each("instead", GOOD)
def test_what_is_allowed_is_no_finding(app: Flask, names: NameServer, instead: dict[str, Any]) -> None:
    names.zone = zone() | instead
    assert named(wrong(app, *CHECKS)) == []


@each("instead", [SERVFAIL, SILENT])
def test_a_dns_that_does_not_answer_is_said_and_not_taken_for_a_missing_record(
    app: Flask, names: NameServer, instead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.doctor.names.SECONDS", 0.2)
    names.zone = zone() | dict.fromkeys((DOMAIN, f"_dmarc.{DOMAIN}", NAME), instead)
    found = wrong(app, *CHECKS)
    assert named(found) == ["unknown"] * 4 and {one.values["why"] for one in found} == {"the DNS does not answer"}
    assert found[0].copy == "yestwice doctor --only spf"


def test_a_record_of_the_parent_holds_and_a_list_with_a_domain_of_its_own_is_looked_at_too(
    make_app: Callable[..., Flask], names: NameServer
) -> None:
    names.zone[f"news.{DOMAIN}"] = names.zone["other.example.com"] = OF_US | txt("v=spf1 mx -all")
    rows = (ListSettings(), ListSettings("other", sender="Other <a@other.example.com>"))
    app = settled(make_app, names, mail={"sender": f"a@news.{DOMAIN}"}, lists=rows)
    [one] = wrong(app, "spf", "dmarc", "bounces")
    assert (one.name, one.values["domain"]) == ("dmarc-none", "other.example.com")
    assert one.copy.startswith("_dmarc.example.com. IN TXT")


def test_bounces_of_another_organisation_leave_dmarc_to_dkim(make_app: Callable[..., Flask], names: NameServer) -> None:
    names.zone["relay.example.com"] = OF_US | txt("v=spf1 mx -all")
    app = settled(make_app, names, mail={"sender": FROM, "envelope_sender": "b@relay.example.com"})
    [one] = wrong(app, "spf", "dmarc", "bounces")
    assert (one.name, one.copy) == ("dmarc-apart", f'envelope_sender = "bounces@{DOMAIN}"')
    assert one.values == {"domain": DOMAIN, "other": "relay.example.com"}


def test_a_short_key_is_only_a_hint(app: Flask, names: NameServer) -> None:
    names.zone[NAME] = {"TXT": key(1024)}
    [one] = wrong(app, "dkim")
    assert (one.name, one.level, one.values["num"]) == ("key-short", "hint", 1024)
