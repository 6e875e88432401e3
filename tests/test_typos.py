"""Slips of the fingers in mail domains: what is noticed, and what is left alone (A-12)."""

from subscriptions.domain.mail_domains import _MEANT, _REAL, is_well_known, meant_by
from tests.support.cases import each


@each(
    ("typed", "meant"),
    [("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmaill.com", "gmail.com"), ("gnail.com", "gmail.com"),
     ("gmail.co", "gmail.com"), ("gmail.con", "gmail.com"), ("hotmial.de", "hotmail.de"), ("outlok.com", "outlook.com"),
     ("t-onlin.de", "t-online.de"), ("uni.example.con", "uni.example.com"), ("verein.ogr", "verein.org"),
     ("gmial.con", "gmail.com")],
)  # fmt: skip
def test_a_slip_is_noticed(typed: str, meant: str) -> None:
    assert meant_by(typed) == meant


@each(
    "domain",
    ["gmx.de", "gmx.net", "web.de", "mail.com", "email.com", "ymail.com", "hotmail.cz", "free.fr", "sfr.fr", "mail.ru",
     "example.org", "uni-koeln.de", "company.co", "posteo.net", "con", "xn--bcher-kva.example"],
)  # fmt: skip
def test_what_may_well_be_meant_is_left_alone(domain: str) -> None:
    assert meant_by(domain) is None


@each("domain", sorted({*_MEANT, *_REAL}))
def test_no_domain_that_is_well_known_is_taken_for_another(domain: str) -> None:
    assert meant_by(domain) is None and is_well_known(domain)
