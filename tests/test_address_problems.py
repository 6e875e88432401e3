"""What is wrong with an address: each fault by its code, in a sentence that names it; and what is no fault at all."""

from typing import Any

import pytest

from subscriptions.domain.address import BadAddress, parse, special_ending
from subscriptions.domain.address_problems import SENTENCES, straight
from tests.builders import ANNE, NEWS, World
from tests.support.cases import each

LONG = "x" * 64 + "@" + ".".join(["b" * 61] * 4) + ".org"
WRONG: list[tuple[str, str, dict[str, str]]] = [
    ("", "required", {}), (" \u200b", "required", {}),
    ("anne", "no_at", {}), ("anne at example.org", "no_at", {}), ("’", "no_at", {}),
    ("anne@@example.org", "two_at", {}), ("anne@bart@example.org", "two_at", {}),
    ("anne@example.org,bart@example.org", "several", {}), ("anne@example.org; bart@example.org", "several", {}),
    ("anne@example.org bart@example.org", "several", {}),
    ("@example.org", "no_local", {}), ("anne@", "no_domain", {}), ("anne@example", "no_ending", {}),
    ("anne@localhost", "no_ending", {}),
    ("an ne@example.org", "space", {}), ("anne@ example.org", "space", {}), ('"an ne"@example.org', "space", {}),
    *((f"an{sign}ne@example.org", "invisible", {"label": label, "number": f"U+{ord(sign):04X}"}) for sign, label in (
        ("\t", "a tab"), ("\n", "a line break"), ("\u2028", "a line break"), ("\u00a0", "a no-break space"),
        ("\u202f", "a no-break space"), ("\u2009", "an unusual space"), ("\u3000", "an unusual space"),
        ("\u200b", "a zero-width character"), ("\u200d", "a zero-width character"),
        ("\u2060", "a zero-width character"), ("\ufeff", "a zero-width character"), ("\u00ad", "a soft hyphen"),
        ("\u200f", "a mark for the direction of writing"), ("\u202e", "a mark for the direction of writing"),
        ("\u2066", "a mark for the direction of writing"), ("\u3164", "a filling character"),
        ("\ufe0f", "a filling character"), ("\U000e0020", "a filling character"), ("\x00", "a control character"),
        ("\x7f", "a control character"))),
    ("an\ud800ne@example.org", "not_utf8", {}), ("j\ufffdrg@example.org", "not_utf8", {}),
    ("anne@exam\u200bple.org", "invisible", {"label": "a zero-width character", "number": "U+200B"}),
    ("an..ne@example.org", "two_dots", {}), ("anne@example..org", "two_dots", {}), ("anne@例え。。jp", "two_dots", {}),
    (".anne@example.org", "dot_at_end", {}), ("anne.@example.org", "dot_at_end", {}),
    ("anne@.example.org", "dot_at_end", {}), ("anne@example.org.", "dot_at_end", {}),
    ("anne@example．org。", "dot_at_end", {}),
    ("an(ne@example.org", "character", {"character": "("}), ("an\\ne@example.org", "character", {"character": "\\"}),
    ('"anne"@example.org', "character", {"character": '"'}), ("a,b@example.org", "character", {"character": ","}),
    ("=?utf-8?q?anne?=@example.org", "character", {"character": "="}),
    ("anne@ex_ample.org", "domain_character", {"character": "_"}),
    ("anne@example,org", "domain_character", {"character": ","}),
    ("anne@example.org/", "domain_character", {"character": "/"}),
    ("anne@[127.0.0.1]", "ip_address", {}), ("anne@[IPv6:::1]", "ip_address", {}), ("anne@127.0.0.1", "ip_address", {}),
    ("anne@-example.org", "domain", {}), ("anne@xn--a.example", "domain", {}), ("anne@☃.example", "domain", {}),
    ("anne@example.1", "domain", {}), ("a@" + "b" * 64 + ".example.org", "domain", {}),
    ("an\U000e0fffne@example.org", "local", {}),
    ("x" * 65 + "@example.org", "local_too_long", {}), ("ü" * 33 + "@example.org", "local_too_long", {}),
    ("x" * 1017, "too_long", {}), (LONG, "too_long", {}), ("a@" + ".".join(["b" * 62] * 5) + ".org", "too_long", {}),
    *((pasted, "did_you_mean", {"address": ANNE}) for pasted in (
        f"mailto:{ANNE}", f"MAILTO:{ANNE}?subject=Hello", f"Anne Example <{ANNE}>", f"<{ANNE}>", f"<mailto:{ANNE}>,",
        f'"Example, Anne" <{ANNE}>', f"{ANNE},", f"{ANNE};", f"({ANNE})", f'"{ANNE}"', f"“{ANNE}”", f"„{ANNE}“",
        f"‘{ANNE}’", f"'{ANNE}'", f"«\u00a0{ANNE}\u00a0»", "anne＠example.org", "ａｎｎｅ＠ｅｘａｍｐｌｅ．ｏｒｇ")),
]  # fmt: skip


@each(("typed", "code", "values"), WRONG)
def test_each_fault_has_its_code_and_its_sentence(typed: str, code: str, values: dict[str, str]) -> None:
    with pytest.raises(BadAddress) as found:
        parse(typed)
    assert (found.value.code, found.value.values or {}) == (code, values)
    assert str(found.value) == (SENTENCES[code] % values if values else SENTENCES[code])


def test_each_sentence_is_said_of_something() -> None:
    of_the_intake = {"special_domain"}
    assert {code for _, code, _ in WRONG} | of_the_intake == set(SENTENCES)


UNSEEN = (
    "\t\n\v\f\r \x85\u00a0\u1680\u2000\u2003\u2007\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # blanks
    "\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\u2063\ufeff\u115f\u3164\uffa0\u2800\ufe0f"  # of no width
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # of direction
)


@each("sign", [*UNSEEN, UNSEEN])
def test_what_nobody_sees_at_the_ends_is_taken_away(sign: str) -> None:
    assert parse(f"{sign}{ANNE}").typed == parse(f"{ANNE}{sign}").typed == parse(f"{sign}{ANNE}{sign}").typed == ANNE


def test_a_control_character_at_an_end_is_a_fault() -> None:
    for typed in (f"\x00{ANNE}", f"{ANNE}\x1b", f"{ANNE}\ufffd"):
        with pytest.raises(BadAddress):
            parse(typed)


@each(
    ("typed", "plain"),
    [("o’neil", "o'neil"), ("o‘neil", "o'neil"), ("oʼneil", "o'neil"), ("o´neil", "o'neil"), ("o′neil", "o'neil"),
     ("o＇neil", "o'neil"), ("ｊｏｅ", "joe"), ("o'neil", "o'neil"), ("jörg", "jörg"), ("jörg’s", "jörg's"),
     ("用户", "用户"), ("ﬁn", "fin"), ("a＠b", "a＠b")],
)  # fmt: skip
def test_an_apostrophe_and_letters_as_keyboards_write_them(typed: str, plain: str) -> None:
    assert straight(typed) == plain


@each(
    ("domain", "ending"), [("printer.local", "local"), ("a.b.test", "test"), ("x.onion", "onion"), ("test.org", None)]
)
def test_names_of_ones_own_network_are_told_by_their_ending(domain: str, ending: str | None) -> None:
    assert special_ending(domain) == ending


def problem(world: World, typed: str, query: str = "") -> dict[str, Any]:
    answer = world.post(f"/api/v1/subscriptions{query}", json={"email": typed})
    assert answer.status_code == 422
    [found] = answer.get_json()["errors"]
    return dict(found)


def test_form_and_json_say_the_same_of_an_address_and_json_by_code(world: World) -> None:
    for typed in ("an\u200bne@example.org", "anne@example..org", "a@b@example.org", f"<{ANNE}>", "a(b@example.org"):
        told = problem(world, typed)
        page = world.sign_up_by_form(typed)
        assert page.status_code == 422 and told["pointer"] == "/email" and told["code"] in SENTENCES
        assert told["detail"].replace("'", "&#39;") in page.text and "Problem:" in page.text
    assert world.registrations() == []


def test_each_language_has_its_own_sentence_and_names_the_character_in_it(world: World) -> None:
    typed = "an\u200bne@example.org"
    said = {tag: problem(world, typed, f"?lang={tag}")["detail"] for tag in ("en", "de", "fr", "es")}
    assert len(set(said.values())) == 4 and all("U+200B" in text for text in said.values())
    assert "zero-width" in said["en"] and not any("zero-width" in said[tag] for tag in ("de", "fr", "es"))
    for tag, text in said.items():
        page = world.post(f"/subscribe/{NEWS}?lang={tag}", data={"email": typed}).text
        assert text.replace("'", "&#39;") in page
        assert text.replace("'", "&#39;") in world.post(f"/preferences?lang={tag}", data={"email": typed}).text


def test_an_address_with_umlauts_can_be_typed_into_each_of_our_forms(world: World) -> None:
    """Browsers that check it by their own rule would never send it."""
    for path in (f"/subscribe/{NEWS}", "/", "/preferences", f"/embed/{NEWS}/frame", f"/embed/{NEWS}"):
        forms = [one.partition(">")[0] for one in world.get(path).text.split("<form ")[1:] if 'type="email"' in one]
        assert forms and all("novalidate" in one for one in forms), path
    assert world.sign_up_by_form("jörg@bücher.de").status_code == 303
    assert [row.address for row in world.registrations()] == ["jörg@bücher.de"]


def test_a_curly_apostrophe_is_asked_about_and_may_be_kept(world: World) -> None:
    typed = "o’neil@example.org"
    answer = world.sign_up_by_form(f"{typed}\u200b")
    assert answer.status_code == 422 and "Did you mean o&#39;neil@example.org?" in answer.text
    assert f"Keep {typed} and subscribe" in answer.text and world.registrations() == []
    assert world.sign_up(typed).get_json()["hint"] == "Did you mean o'neil@example.org?"
    assert world.sign_up_by_form(f"\u200b{typed}", hint_seen=typed).status_code == 303
    assert {row.address for row in world.registrations()} == {typed}


def test_apostrophe_and_domain_are_mended_by_one_question(world: World) -> None:
    assert "Did you mean o&#39;neil@gmail.com?" in world.sign_up_by_form("o’neil@gmial.com").text
