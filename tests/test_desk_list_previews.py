"""The preview beside the editor is the real thing, of what is typed, and stores nothing."""

from dataclasses import replace

from subscriptions.domain.roles import Role
from subscriptions.store.models import Audit, List, Wording
from subscriptions.web.admin.list_editor import SHOWN
from tests.builders import NEWS, World
from tests.desk import at_the_desk
from tests.support.cases import ONE_DATABASE
from tests.test_desk_lists import PATH, as_typed
from tests.test_lists_owned import WHOLE, create

pytestmark = ONE_DATABASE

TYPED = replace(
    WHOLE, name="Typed letter", colour="#aa0033", controller="Typed Society", welcome=True,
    welcome_text="Welcome words.", confirmed_text="Confirmed words: https://example.org/next.",
    wording="Yes, send me the Typed letter of Typed Society.",
)  # fmt: skip


def test_each_preview_shows_what_is_typed_and_nothing_is_stored(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    before = [world.count(table) for table in (List, Wording, Audit)]
    wording, legal = "Yes, send me the Typed letter of Typed Society.", "Typed Society"
    says = {
        "form": wording,
        "page": legal,
        "confirm": wording,
        "confirmed": "Confirmed words: <a",
        "welcome": "Welcome words.",
    }
    for what in SHOWN:
        for scheme in ("", "light", "dark"):
            answer = manager.post(f"{PATH}/preview", shown=what, scheme=scheme, **as_typed(TYPED) | {"in": "en"})
            assert answer.status_code == 200 and says[what] in answer.text.replace("=\n", ""), what
            assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
            assert scheme == "" or f"scheme={scheme}" in answer.text or what in ("confirm", "welcome")
    assert [world.count(table) for table in (List, Wording, Audit)] == before
    assert "Concert letter" in manager.get(f"{PATH}/preview").text


def test_a_preview_speaks_the_language_that_was_chosen_and_is_dark_where_that_was(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    german = {"tags": ["de"], "de.name": "Konzertbrief", "in": "de"}
    assert "Konzertbrief" in manager.post(f"{PATH}/preview", shown="page", **as_typed(TYPED) | german).text
    dark = manager.post(f"{PATH}/preview", shown="confirm", scheme="dark", **as_typed(TYPED)).text
    assert "(min-width: 0)" in dark and "prefers-color-scheme: dark" not in dark
    css = manager.get(f"{PATH}/preview.css?scheme=dark&colour=%23aa0033").text
    assert "#aa0033" in css and "prefers-color-scheme: dark" not in css
    assert manager.get(f"{PATH}/preview.css?colour=red;}}body{{display:none").status_code == 200


def test_what_cannot_be_shown_says_why(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    answer = manager.post(f"{PATH}/preview", shown="form", **as_typed(TYPED) | {"own.colour": "red"})
    assert answer.status_code == 422 and "must be a colour" in answer.text
    assert manager.get(f"{PATH}/preview?shown=nothing").status_code == 404


def test_a_list_of_the_file_is_previewed_as_it_is_by_whoever_may_look(world: World) -> None:
    viewer = at_the_desk(world, Role.VIEWER)
    for what in SHOWN:
        assert "Newsletter" in viewer.get(f"/admin/lists/{NEWS}/preview?shown={what}&in=en").text
