"""A logo that is uploaded at the desk: kept with the list, shown wherever one of the file is, and refused in words."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from werkzeug.test import TestResponse

from subscriptions.domain.roles import Role
from subscriptions.look import pictures
from subscriptions.look.pictures import OCTETS_AT_MOST, TYPES
from subscriptions.store.lists import read_catalogue
from tests.builders import ANNE, NEWS, World
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_lists import PATH, as_typed, mark_of, save, the_list
from tests.test_lists_owned import WHOLE, create
from tests.test_look_pictures import FILES, SVG

pytestmark = BY_DAY_ON_SQLITE

BOX = SVG.format('viewBox="0 0 301 97"')


def bomb() -> bytes:
    """Some 50 kB that unfold to 400 million pixels."""
    out = BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()


def upload(person: Person, octets: bytes, name: str = "logo.png", **typed: Any) -> TestResponse:
    return save(person, logo=(BytesIO(octets), name), **typed)


def drawing(inside: str) -> bytes:
    return BOX.replace("<path", f"{inside}<path").encode()


def served(world: World) -> TestResponse:
    return world.get("/lists/concerts/logo")


def test_a_picture_of_each_type_is_kept_with_the_list_and_served_as_what_it_is(world: World) -> None:
    create(world, replace(WHOLE, welcome=True))
    manager = at_the_desk(world, Role.MANAGER)
    for name, octets in FILES.items():
        assert upload(manager, octets, "photo.txt").status_code == 303, name
        answer, page = served(world), manager.get(PATH).text
        assert (answer.data, answer.mimetype) == (octets, TYPES[Path(name).suffix.lower()])
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        url = f"/lists/concerts/logo?v={pictures.read_uploaded(the_list(world).logo).version}"
        assert f'src="{url}"' in page and f'src="{url}"' in world.get("/subscribe/concerts").text
        assert "base64" not in page, "the page that shows it names it"


def test_the_welcome_email_shows_an_uploaded_picture_as_it_would_a_file(world: World) -> None:
    create(world, replace(WHOLE, welcome=True))
    for octets, shown in ((FILES["logo.png"], True), (BOX.encode(), False)):
        upload(at_the_desk(world, Role.MANAGER, f"{shown}@example.org".lower()), octets, **{"own.welcome": "1"})
        world.subscribe(f"{shown}.{ANNE}".lower(), "concerts")
        html = world.mails(f"{shown}.{ANNE}".lower())[-1].get_body(("html",))
        assert html is not None and ("/lists/concerts/logo?v=" in html.get_content()) is shown


REFUSED = [
    (b"only words", "must be a picture"), (b"", ""), (b"\x89PNG\r\n\x1a\n cut off", "must be a picture"),
    (FILES["logo.png"] + bytes(OCTETS_AT_MOST), "larger than 200 kB"), (bomb(), "at most 4,000 pixels"),
    (drawing("<script>alert(1)</script>"), "“script”"), (drawing("<foreignObject/>"), "“foreignObject”"),
    (drawing('<image href="https://example.org/x.png"/>'), "“image”"), (drawing('<use href="#a"/>'), "“use”"),
    (drawing('<path onclick="alert(1)"/>'), "“onclick”"), (drawing('<a href="https://example.org"/>'), "“a”"),
    (drawing('<rect fill="url(https://example.org/x)"/>'), "“url()”"),
    (drawing("<style>@import 'x';</style>"), "“url()”"),
    (drawing(r"<style>g{fill:\75rl(//x)}</style>"), "“url()”"), (drawing("<set attributeName='href'/>"), "“set”"),
    (drawing('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>'), "“script”"),
    (drawing('<stop xmlns:x="http://www.w3.org/1999/xlink" x:href="javascript:alert(1)"/>'), "“href”"),
    (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + drawing("&a;"), "“&lt;!ENTITY”"),
    (b'<?xml-stylesheet href="https://example.org/x.css"?>' + BOX.partition("\n")[2].encode(), "xml-stylesheet"),
    (b"words, <svg viewBox='0 0 9 9'> and words", "must be a picture"), (drawing("<g>"), "must be a picture"),
    (b"<svg viewBox='0 0 9 9'/>", "must be a picture"),
]  # fmt: skip


def test_what_is_no_picture_or_more_than_one_is_refused_at_its_field_and_the_rest_stays_typed(world: World) -> None:
    create(world)
    manager, mistakes = at_the_desk(world, Role.MANAGER), []
    for octets, says in REFUSED:
        answer = upload(manager, octets, **{"own.description": "Typed beside it"})
        kept = not says or ("Typed beside it" in answer.text and 'id="error-own-logo"' in answer.text)
        said = says.replace("“", "&#34;").replace("”", "&#34;")
        if answer.status_code != (422 if says else 303) or said not in answer.text or not kept:
            mistakes.append((octets[:200], answer.status_code, says))
        if "base64" in answer.text:
            mistakes.append((octets[:200], "comes back"))
    assert mistakes == [] and the_list(world).logo == "" and served(world).status_code == 404


def test_far_too_much_is_refused_before_it_is_looked_at(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    body = b'--x\r\nContent-Disposition: form-data; name="logo"; filename="x.png"\r\n\r\n' + bytes(20_000_000)
    answer = manager.client.post(PATH, data=body, content_type="multipart/form-data; boundary=x",
                                 base_url=world.base_url, headers={"Sec-Fetch-Site": "same-origin"})  # fmt: skip
    assert answer.status_code == 413 and the_list(world).logo == ""


def test_a_drawing_of_a_drawing_program_is_a_logo(world: World) -> None:
    create(world)
    drawn = drawing('<metadata><r:RDF xmlns:r="x"><r:a r:href="#1"/></r:RDF></metadata><style>.a{fill:url(#b)}</style>'
                    '<defs><linearGradient id="b"><stop/></linearGradient></defs><rect fill="url(#b)" class="a"/>'
                    '<n:namedview xmlns:n="http://sodipodi.example" pagecolor="#ffffff"/>')  # fmt: skip
    assert upload(at_the_desk(world, Role.MANAGER), drawn).status_code == 303 and served(world).data == drawn


def test_a_logo_is_previewed_before_it_is_saved_and_comes_along_while_something_else_is_wrong(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    file, typed = (BytesIO(FILES["logo.png"]), "logo.png"), as_typed(WHOLE)
    preview = manager.post(f"{PATH}/preview", shown="page", logo=file, **typed)
    assert 'src="data:image/png;base64,' in preview.text and "data:" in preview.headers["Content-Security-Policy"]
    for what, file in (("welcome", FILES["logo.png"]), ("confirm", b""), ("welcome", BOX.encode())):
        sent = typed | {"own.welcome": "1", "logo": (BytesIO(file), "logo")}
        mail = manager.post(f"{PATH}/preview", shown=what, **sent)
        assert ('src="data:image/png;base64,' in mail.text) is (file == FILES["logo.png"]), what
        assert ("img-src data: " in mail.headers["Content-Security-Policy"]) is bool(file)
    wrong = upload(manager, FILES["logo.png"], **{"own.colour": "red"})
    assert wrong.status_code == 422 and "The logo, not saved yet" in wrong.text and the_list(world).logo == ""
    carried = wrong.text.partition('name="own.logo" value="')[2].partition('"')[0]
    assert save(manager, **{"own.logo": carried}).status_code == 303
    assert served(world).data == FILES["logo.png"]
    assert save(manager, **{"own.name": "Another name"}).status_code == 303 and served(world).status_code == 200


def test_a_logo_is_taken_off_and_the_audit_says_that_it_was_changed_and_not_what_it_was(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    upload(manager, FILES["logo.png"])
    page = at_the_desk(world).get("/admin/audit").text
    assert "changed what is said about" in page and "logo" in page and "base64" not in page
    assert save(manager, **{"own.no_logo": "1"}).status_code == 303
    assert the_list(world).logo == "" and served(world).status_code == 404


def test_of_two_who_change_it_at_once_the_second_is_told_and_no_picture_is_lost(world: World) -> None:
    create(world)
    ola, bea = at_the_desk(world), at_the_desk(world, Role.MANAGER)
    before = mark_of(bea.get(PATH))
    upload(ola, FILES["logo.png"])
    stale = save(bea, before, logo=(BytesIO(FILES["logo.jpg"]), "logo.jpg"))
    assert stale.status_code == 409 and "The logo, not saved yet" in stale.text and "<del>data:" not in stale.text
    assert served(world).data == FILES["logo.png"]


def test_nobody_names_a_file_of_the_server_and_a_list_of_the_file_keeps_its_own(world: World) -> None:
    manager = at_the_desk(world, Role.MANAGER)
    path = f"/admin/lists/{NEWS}"
    answer = save(manager, mark_of(manager.get(path)), path, logo=(BytesIO(FILES["logo.png"]), "logo.png"))
    assert answer.status_code == 422 and the_list(world, NEWS).logo == ""
    create(world)
    for evil in ("/etc/passwd", "logo.png", "file:///etc/passwd.svg", "DATA:image/png;base64,"):
        assert save(manager, **{"own.logo": evil}).status_code == 303
    assert the_list(world).logo == ""
    for junk in ("data:", "data:text/html;base64,PGI+", "data:image/png;base64,!", "data:image/png,x"):
        assert save(manager, **{"own.logo": junk}).status_code == 422


def test_each_process_sees_that_a_logo_is_another_and_has_it_from_the_database(world: World) -> None:
    create(world)
    manager, known = at_the_desk(world, Role.MANAGER), world.parts.catalogue
    upload(manager, FILES["logo.png"])
    read = read_catalogue()  # as another process does
    assert read.version != known.version
    assert [row.logo for row in read.lists.values() if row.logo] == [pictures.uploaded(FILES["logo.png"])]


def test_a_logo_that_was_not_saved_when_the_session_ended_takes_no_text_with_it(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    mark = mark_of(manager.get(PATH))
    world.clock.forward(hours=2)
    carried = {"own.logo": pictures.uploaded(FILES["logo.png"]), "own.name": "Typed before"}
    page = save(manager, mark, **carried).text
    assert "Sign in" in page and "Typed before" in page and "base64" not in page
    assert "Files and very long texts are not kept." in page
