"""The table of well-known mail domains."""

import re
from urllib.parse import unquote, urlsplit

import pytest

from subscriptions.domain.mail_domains import NOT_KNOWN, WEBMAILS, Webmail, number_of, webmail

SENDER = "news+more@example.org"
EACH = pytest.mark.parametrize("one", WEBMAILS, ids=lambda one: f"{one.name} {urlsplit(one.url).hostname}")


@EACH
def test_every_domain_of_the_table_leads_to_its_webmail(one: Webmail) -> None:
    assert one.domains.split()
    assert {webmail(number_of(domain)) for domain in one.domains.split()} == {one}


def test_no_domain_stands_in_the_table_twice() -> None:
    domains = " ".join(one.domains for one in WEBMAILS).split()
    assert len(set(domains)) == len(domains)
    assert all(re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", one) for one in domains)


@EACH
def test_a_webmail_opens_by_https_and_searches_for_the_sender_where_it_can(one: Webmail) -> None:
    url = one.open(SENDER)
    assert url.startswith("https://") and re.fullmatch(r"[\x21-\x7e]+", url) and "{" not in url
    assert (SENDER in unquote(unquote(url))) is one.searches
    assert SENDER not in url and urlsplit(url).hostname == urlsplit(one.url).hostname


@pytest.mark.parametrize(("escaped", "sender"), [(1, "a%2Fb%40c"), (2, "a%252Fb%2540c")])
def test_no_character_of_the_sender_has_a_meaning_in_the_address(escaped: int, sender: str) -> None:
    assert (
        Webmail("Mail", "https://mail.example/{sender}/", "", escaped).open("a/b@c")
        == f"https://mail.example/{sender}/"
    )


@pytest.mark.parametrize("domain", ["example.org", "", "gmail.com.example.org", "notgmail.com", "GMAIL.COM"])
def test_any_other_domain_has_no_webmail(domain: str) -> None:
    assert number_of(domain) == NOT_KNOWN


@pytest.mark.parametrize("number", [NOT_KNOWN, len(WEBMAILS) + 1, 255])
def test_a_number_that_the_table_lacks_is_no_webmail(number: int) -> None:
    assert webmail(number) is None


def test_the_table_fits_into_the_one_byte_that_a_handle_has_for_it() -> None:
    assert len(WEBMAILS) < 256
