"""What an e-mail address is (A-01 … A-08, A-13), how two compare, and which names are harmless (B-06)."""

import unicodedata
from contextlib import suppress

import pytest
from email_validator import validate_email
from hypothesis import assume, example, given
from hypothesis import strategies as st

from subscriptions.domain.address import Address, BadAddress, is_harmless, key_of, parse, wire_form
from tests.support.cases import each

# typed, as mailed
GOOD = [
    ("anne@example.org", "anne@example.org"),
    ("1@example.org", "1@example.org"),
    ("anne+news@example.org", "anne+news@example.org"),
    ("a.b.c@a.b.c.example.org", "a.b.c@a.b.c.example.org"),
    ("!#$%&'*+/=?^_{}~-`|@example.org", "!#$%&'*+/=?^_{}~-`|@example.org"),
    ("anne%0aBcc@example.org", "anne%0aBcc@example.org"),
    ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ("ü" * 32 + "@example.org", "ü" * 32 + "@example.org"),
    ("a@" + "b" * 63 + ".example.org", "a@" + "b" * 63 + ".example.org"),
    ("Foo.Bar@EXAMPLE.com", "Foo.Bar@example.com"),
    ("  anne@example.org\t", "anne@example.org"),
    ("anne@example.org\r\n", "anne@example.org"),
    ("me@Ｄｏｍａｉｎ.com", "me@domain.com"),
    ("anne@example。org", "anne@example.org"),
    ("x@bücher.example", "x@bücher.example"),
    ("x@BÜCHER.example", "x@bücher.example"),
    ("x@xn--bcher-kva.example", "x@bücher.example"),
    ("x@XN--BCHER-KVA.example", "x@bücher.example"),
    ("x@faß.de", "x@faß.de"),
    ("jose\u0301@example.org", "josé@example.org"),
    ("用户@example.org", "用户@example.org"),
    ("jo\u0308rg@bu\u0308cher.de", "jörg@bücher.de"),
    ("o’neil@example.org", "o’neil@example.org"),
    ("anne@printer.local", "anne@printer.local"),
    ("anne@list.test", "anne@list.test"),
]
BAD = [
    "", " ", "@", "anne", "anne@", "@example.org", "anne@@example.org", "anne@bart@example.org",
    "anne@example", "anne@localhost", "anne@example..org", "anne@.example.org", "anne@example.org.",
    "anne@-example.org", "anne@example-.org", "anne@ex_ample.org", "anne@exa mple.org", "anne@xn--a.example",
    ".anne@example.org", "anne.@example.org", "an..ne@example.org", "an ne@example.org", "anne @example.org",
    "anne@ example.org", "an\tne@example.org", "anne\u00a0@example.org",
    '"an ne"@example.org', '"anne"@example.org', "anne(her)@example.org", "(her)anne@example.org",
    "anne@[127.0.0.1]", "anne@[IPv6:::1]", "anne@127.0.0.1", "@relay.example.org:anne@example.org",
    "Anne <anne@example.org>", "<anne@example.org>", "mailto:anne@example.org",
    "anne@example.org,bart@example.org", "anne@example.org;bart@example.org", "anne@example.org bart@example.org",
    "an\\ne@example.org", "an\x00ne@example.org", "anne\r\nBcc: bart@example.org", "anne\n@example.org",
    "an\x7fne@example.org", "an\x85ne@example.org", "an\u2028ne@example.org", "an\ud800ne@example.org",
    "=?utf-8?q?=0ABcc:x@y?=@example.org", "=?utf-8?q?anne?=@example.org",
    "an\u200bne@example.org", "anne@exa\u200bmple.org", "an\u202ene@example.org", "an\u2066ne@example.org",
    "an\u00adne@example.org", "anne＠example.org", "anne@☃.example", "anne@example.1",
    "a" * 65 + "@example.org", "ü" * 33 + "@example.org",
    "a@" + "b" * 64 + ".example.org", "a@" + ".".join(["b" * 62] * 4) + ".org", "a" * 5000,
]  # fmt: skip


@each(("typed", "mailed"), GOOD)
def test_an_address_is_mailed_as_typed_but_for_its_domain(typed: str, mailed: str) -> None:
    assert parse(typed).mailed == mailed


@each("typed", BAD)
def test_what_cannot_be_mailed_is_refused_in_one_sentence(typed: str) -> None:
    with pytest.raises(BadAddress) as found:
        parse(typed)
    assert str(found.value)[0].isupper() and "\n" not in str(found.value)


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_an_address_has_at_most_254_octets(extra: int, fits: bool) -> None:
    domain = ".".join(["b" * 61] * 3) + ".org"
    typed = "a" * (254 - 1 - len(domain) - 62 + extra) + "@" + "c" * 61 + "." + domain
    assert len(typed) == 254 + extra
    assert accepted(typed) is fits


@pytest.mark.parametrize(("letters", "fits"), [(21, True), (31, False)])
def test_octets_are_counted_in_the_longer_form_of_the_domain(letters: int, fits: bool) -> None:
    """Four labels of ü: short in letters, long as A-labels or in UTF-8."""
    assert accepted("a" * 64 + "@" + ".".join(["ü" * letters] * 4) + ".example") is fits


def accepted(typed: str) -> bool:
    with suppress(BadAddress):
        parse(typed)
        return True
    return False


def test_the_text_itself_is_kept_beside_the_address() -> None:
    assert parse(" Anne@EXAMPLE.org ") == Address("Anne@example.org", "anne@example.org", "Anne@EXAMPLE.org")


@pytest.mark.parametrize(
    "same",
    [
        ["anne@example.org", "ANNE@example.org", "Anne@EXAMPLE.ORG", " anne@example.org "],
        ["me@domain.com", "ME@Ｄｏｍａｉｎ.com"],
        ["x@bücher.example", "X@BÜCHER.example", "x@xn--bcher-kva.example", "x@XN--BCHER-KVA.EXAMPLE"],
        ["josé@example.org", "jose\u0301@example.org", "JOSÉ@example.org", "JOSE\u0301@example.org"],
        ["νικος.παπας@example.org", "ΝΙΚΟΣ.ΠΑΠΑΣ@example.org", "νικοσ.παπασ@example.org"],
        ["иван@example.org", "ИВАН@example.org"],
    ],
)
def test_an_address_compares_the_same_however_it_is_spelled(same: list[str]) -> None:
    assert len({parse(one).folded for one in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anne@example.org", "anne@example.com"),
        ("anne@example.org", "anne+news@example.org"),
        ("anne@example.org", "an.ne@example.org"),
        ("straße@example.org", "strasse@example.org"),
        ("a@faß.de", "a@fass.de"),
        ("sam@example.org", "ſam@example.org"),
        ("anne@example.org", "аnne@example.org"),
    ],
)
def test_different_mailboxes_stay_different(one: str, other: str) -> None:
    assert parse(one).folded != parse(other).folded


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("Anne@EXAMPLE.org", "Anne@example.org"),
        ("x@bücher.example", "x@xn--bcher-kva.example"),
        ("ü@bücher.example", "ü@xn--bcher-kva.example"),
        ("ü@example.org", "ü@example.org"),
    ],
)
def test_the_relay_sees_the_domain_in_ascii(typed: str, wire: str) -> None:
    assert wire_form(parse(typed).mailed) == wire


ANY = st.text() | st.from_regex(r"\A[^@]{0,20}@[^@]{0,20}\.[a-z]{2,3}\Z") | st.emails()


@given(ANY)
@example("a@" + "\u0345.org")
@example("\u1e9e@example.org")
@example("İ@example.org")
def test_no_text_whatever_makes_the_parser_fall(typed: str) -> None:
    try:
        found = parse(typed)
    except BadAddress:
        return
    assert wire_form(found.mailed).rpartition("@")[2].isascii()
    assert len(found.mailed.encode()) <= 254 and len(wire_form(found.mailed).encode()) <= 254


@given(st.emails() | st.from_regex(r"\A[a-zα-ωà-ÿа-я]{1,9}(\.[a-zα-ω]{1,9})?@example\.org\Z"), st.data())
def test_no_change_of_case_makes_another_address(typed: str, data: st.DataObject) -> None:
    assume(accepted(typed))
    local, _, domain = typed.rpartition("@")
    capitals = "".join(one.upper() if len(one.upper()) == 1 and data.draw(st.booleans()) else one for one in local)
    assume(capitals.lower().upper() == local.upper())
    assert parse(f"{capitals}@{domain}").folded == parse(typed).folded


@given(ANY)
def test_an_address_that_was_parsed_is_parsed_to_itself(typed: str) -> None:
    assume(accepted(typed))
    once = parse(typed)
    again = parse(once.mailed)
    assert (again.mailed, again.folded) == (once.mailed, once.folded)
    assert unicodedata.is_normalized("NFC", once.folded)


KNOWN = [("Anne@EXAMPLE.org", "anne@example.org"), ("JÖRG@example.org", "jörg@example.org"),
         ("ΣΟΦΊΑΣ@BÜCHER.example", "σοφίασ@xn--bcher-kva.example")]  # fmt: skip


@pytest.mark.parametrize(("typed", "folded"), KNOWN)
def test_an_address_is_known_by_its_small_letters_as_it_always_was(typed: str, folded: str) -> None:
    """Keys are made of it, and they stand in databases and in links that live for ever."""
    assert parse(typed).folded == folded


def test_a_key_is_16_bytes_that_hang_on_the_pepper_and_on_every_letter() -> None:
    key = key_of("anne@example.org", b"pepper")
    others = [key_of("anne@example.org", b"salt"), key_of("anna@example.org", b"pepper")]
    assert len(key) == 16 and key not in others
    assert key == key_of("anne@example.org", b"pepper")


HARMLESS = ["Anne", "Anne-Marie O’Neil", "O'Neil", "Dr. Anne", "J. R. R. Tolkien", "A.B. Cole", "José", "Jose\u0301",
            "李小龍", "Мария", "محمد", "नरेंद्र", "ஸ்ரீ", "Gal·la", "A" * 60]  # fmt: skip
HARMFUL = ["", " ", "Win 1 BTC", "http://evil.example", "evil.example", "evil.example.", "evil.भारत",
           "evil。example", "see evil.example now", "anne@example.org", "<b>Anne</b>", "Anne\r\nBcc: x", "Anne\tB",
           "A" * 61, "Anne1", "50€", "\u202eAnne", "An\u200bne", "Anne!", "(Anne)", "Anne/B", "{{ 7 }}", "_Anne_",
           "'Anne", "-Anne", "\u0301Anne", "=?utf-8?q?Anne?="]  # fmt: skip


@each("name", HARMLESS)
def test_a_name_of_letters_may_greet(name: str) -> None:
    assert is_harmless(name)


@each("name", HARMFUL)
def test_a_name_that_could_be_a_message_never_greets(name: str) -> None:
    assert not is_harmless(name)


DOMAINS = ["example.org", "EXAMPLE.org", "bücher.example.com", "xn--bcher-kva.example.com", "例え.jp", "sub.a-b.co.uk"]


@given(st.from_regex(r"[a-zA-Z0-9_+-]{1,20}(\.[a-zA-Z0-9_+-]{1,20}){0,2}", fullmatch=True), st.sampled_from(DOMAINS))
def test_a_plain_address_is_read_as_the_library_reads_it(local: str, domain: str) -> None:
    checked = validate_email(f"{local}@{domain}", check_deliverability=False)
    found = parse(f"{local}@{domain}")
    assert found.mailed == checked.normalized
    assert found.folded == f"{checked.local_part.lower()}@{checked.ascii_domain.lower()}"
