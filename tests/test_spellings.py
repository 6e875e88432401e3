"""What comes in another spelling than ours: texts of old encodings, language tags, links with what stood behind."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from subscriptions.domain.texts import language_tag
from subscriptions.languages import Languages
from subscriptions.settings.file import load
from tests.builders import ANNE, LISTS, NEWS, World
from tests.conftest import ManualClock
from tests.preferences import ask, link
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE

FORM, URLENCODED = f"/subscribe/{NEWS}", "application/x-www-form-urlencoded"


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    app = make_app(lists=(replace(LISTS[0], fields=("name", "town: Town")), *LISTS[1:]))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def multipart(**fields: bytes) -> bytes:
    parts = (b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
             for name, value in fields.items())  # fmt: skip
    return b"".join(parts) + b"--x--\r\n"


@each(
    ("body", "kind"),
    [(b"email=anne@example.org&name=J%FCrgen+%80&town=K%F6ln", URLENCODED),
     (b"email=anne@example.org&name=J\xfcrgen+\x80&town=K\xf6ln", URLENCODED),
     ("email=anne@example.org&name=Jürgen+€&town=Köln".encode(), URLENCODED),
     (b"email=anne@example.org&name=J%C3%BCrgen+%E2%82%AC&town=K%F6ln", URLENCODED),
     (multipart(email=ANNE.encode(), name=b"J\xfcrgen \x80", town=b"K\xf6ln"), "multipart/form-data; boundary=x"),
     (multipart(email=ANNE.encode(), name="Jürgen €".encode(), town="Köln".encode()),
      "multipart/form-data; boundary=x")],
)  # fmt: skip
def test_names_from_a_page_of_an_older_encoding_are_read_as_it_wrote_them(world: World, body: bytes, kind: str) -> None:
    own = b"anne%d@" % len(world.registrations())  # the budget of an address has nothing to do with it
    assert world.post(FORM, data=body.replace(b"anne@", own), content_type=kind).status_code == 303
    row = world.registrations()[-1]
    assert (row.name, row.fields) == ("Jürgen €", {"town": "Köln"})


def test_a_percent_sign_that_was_typed_stays_one(world: World) -> None:
    world.sign_up_by_form(name="100 %FC")
    assert world.registrations()[0].name == "100 %FC"


@each(
    ("body", "kind"),
    [(b"email=j%FCrg@example.org", URLENCODED), (b"email=j\xfcrg@example.org", URLENCODED),
     (b"email=anne@b%FCcher.de", URLENCODED),
     (multipart(email=b"j\xfcrg@example.org"), "multipart/form-data; boundary=x")],
)  # fmt: skip
def test_an_address_that_is_not_utf_8_is_asked_for_again(world: World, body: bytes, kind: str) -> None:
    for path in (FORM, "/preferences"):
        answer = world.post(path, data=body, content_type=kind)
        assert answer.status_code == 422 and "did not reach us as it was typed" in answer.text
    assert world.registrations() == []


def test_every_form_of_ours_is_sent_in_utf_8_from_whatever_page(world: World) -> None:
    for path in (FORM, "/", f"/embed/{NEWS}/frame"):
        assert 'accept-charset="utf-8"' in world.get(path).text
    assert world.get(f"/embed/{NEWS}").text.count('accept-charset="utf-8"') >= 1
    assert '"accept-charset": "utf-8"' in world.get("/embed/v2/yestwice.js").text


@each(
    ("spelled", "tag"),
    [("de_DE", "de-DE"), ("DE", "de"), ("de-at", "de-AT"), ("de_AT.UTF-8", "de-AT"), ("de_DE@euro", "de-DE"),
     ("zh-hans-cn", "zh-Hans-CN"), ("ZH_HANT", "zh-Hant"), ("sr_Latn_RS", "sr-Latn-RS"), ("es-419", "es-419"),
     (" en ", "en"), ("pt_br", "pt-BR"), ("ca-valencia", "ca-valencia"), ("C", None), ("", None), ("x y", None),
     ("german", None), ("de--DE", None)],
)  # fmt: skip
def test_a_language_tag_has_one_spelling(spelled: str, tag: str | None) -> None:
    assert language_tag(spelled) == tag


def test_a_sign_up_may_spell_its_language_as_machines_do(world: World) -> None:
    for n, spelled in enumerate(("de_AT", "DE-at", "de_AT.UTF-8")):
        assert world.sign_up(f"json{n}@example.org", locale=spelled).status_code == 202
        assert world.sign_up_by_form(f"form{n}@example.org", locale=spelled).status_code == 303
    assert len(world.registrations()) == 6
    assert {row.locale for row in world.registrations()} == {"de-AT"}


@each("spelled", ["de", "DE", "de_DE", "de_AT.UTF-8", "de-ch", "de)", "de.", " de"])
def test_a_page_may_be_asked_for_in_every_spelling(world: World, spelled: str) -> None:
    assert Languages().known(spelled) == "de"
    assert 'lang="de"' in world.get(f"{FORM}?lang={quote(spelled)}").text


def test_the_locale_of_a_list_may_be_spelled_as_machines_do(tmp_path: Path) -> None:
    assert load({"SUBSCRIPTIONS_LISTS__0__LOCALE": "de_at.UTF-8"}, tmp_path).lists[0].locale == "de-AT"


BEHIND = [
    ")",
    ".",
    ",",
    ">",
    "]",
    '"',
    "'",
    "”",
    "’",
    "»",
    ").",
    '">',
    "&gt;",
    "&quot;&gt;&gt;.",
    ";",
    "…",
    "%29",
    "%2E",
    "%3E",
    "%E2%80%9D",
]


def test_what_stood_behind_a_mailed_link_is_dropped(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up("bart@example.org")
    ask(world, ANNE)
    links = [world.confirm_link("bart@example.org"), world.not_me_link("bart@example.org"), world.leave_link(ANNE),
             link(world, ANNE)]  # fmt: skip
    for mailed in links:
        page = world.get(mailed)
        assert page.status_code == 200
        assert [behind for behind in BEHIND if world.get(mailed + behind).text != page.text] == []


@each("behind", BEHIND)
def test_a_mail_programs_one_click_works_with_it_too(world: World, behind: str) -> None:
    address = f"anne{BEHIND.index(behind)}@example.org"
    world.subscribe(address)
    answer = world.post(world.leave_link(address) + behind, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert world.subscriptions()[-1].state == "unsubscribed"


def test_what_is_wrong_within_a_link_stays_wrong(world: World) -> None:
    mailed = world.leave_link(ANNE)
    for wrong in (mailed[:-1], mailed + "x", mailed + ")x", mailed.replace("/unsubscribe/", "/unsubscribe/)")):
        assert world.get(wrong).status_code == 404


@each("tail", ["." * 15_000 + "x", ".)" * 7_500 + "x", "&gt;" * 4_000 + "x", "." * 15_000, "&gt;" * 200])
def test_what_is_longer_than_any_link_of_ours_is_not_searched_for_its_end(world: World, tail: str) -> None:
    for mailed in (world.leave_link(ANNE), "/unsubscribe/", "/confirm/", "/not-me/", "/preferences/"):
        assert world.get(mailed + tail).status_code == 404
