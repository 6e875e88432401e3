"""The form on somebody's site, and the way from trying out to a live service, at the desk."""

from dataclasses import replace

from subscriptions.domain.roles import Role
from subscriptions.store.models import Account, Evidence
from tests.builders import ANNE, BART, NEWS, World
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_lists import PATH, the_list
from tests.test_desk_people import find
from tests.test_lists_owned import WHOLE, change, create

pytestmark = BY_DAY_ON_SQLITE

SITE = "https://www.verein.example"


def sign_up_from(world: World, address: str, wording: str) -> None:
    headers = {"Origin": SITE, "Referer": f"{SITE}/"}
    assert world.sign_up(address, "concerts", wording=wording, headers=headers).status_code == 202


def test_a_site_is_allowed_by_its_address_and_is_said_to_be_silent_current_or_late(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    wrong = manager.post(f"{PATH}/site", site="no site")
    assert wrong.status_code == 422 and 'value="no site"' in wrong.text
    assert manager.post(f"{PATH}/site", site="www.verein.example/contact").status_code == 303
    assert the_list(world).origins == ["https://verein.example", SITE]
    assert manager.get(f"{PATH}/site").text.count("No sign-up has come from there yet.") == 2
    old = the_list(world).wording_id
    sign_up_from(world, ANNE, old)
    assert "Sign-ups come from there, with the consent text in use." in manager.get(f"{PATH}/site").text
    assert "Signed up by the form on www.verein.example" in find(manager, ANNE)
    world.clock.forward(days=1)
    manager = at_the_desk(world, Role.MANAGER, "later@example.org")
    change(world, "concerts", wording="Yes, send me the Concert letter of Example Society, weekly.")
    sign_up_from(world, BART, old)
    page = manager.get(f"{PATH}/site").text
    assert "It still shows the consent text of" in page and "(1 sign-up since it changed)" in page


def test_a_site_of_a_list_of_the_file_is_named_there(world: World) -> None:
    manager = at_the_desk(world, Role.MANAGER)
    refused = manager.post(f"/admin/lists/{NEWS}/site", site="www.verein.example")
    assert refused.status_code == 422 and "set in config.toml" in refused.text
    assert "Let it show the form" not in manager.get(f"/admin/lists/{NEWS}/site").text


def test_going_live_says_what_is_to_do_and_removes_the_people_that_were_made_up_and_nobody_else(world: World) -> None:
    create(world, replace(WHOLE, policy_url=""))
    world.subscribe(ANNE)
    owner = at_the_desk(world)
    page = owner.get("/admin/go-live").text
    assert "1 person was made up here." in page and "Concert letter</span></a>: Privacy policy" in page
    assert "Whoever has an account comes in with it as before." in page
    assert owner.post("/admin/go-live").status_code == 422 and world.count(Evidence) > 0
    done = owner.post("/admin/go-live", sure="yes")
    assert "Done: 1 made-up person is removed." in done.text
    assert (world.count(Evidence), world.count(Account), len(world.parts.catalogue.kept)) == (0, 1, 4)
    assert at_the_desk(world, Role.MANAGER).get("/admin/go-live").status_code == 403


def test_before_going_live_whoever_is_here_without_an_account_is_told_to_make_one(world: World) -> None:
    here = Person(world, "127.0.0.1")
    here.post("/admin/from-here", csrf=None)
    page = here.get("/admin/go-live").text
    assert "Invite yourself as an owner" in page and 'href="/admin/accounts"' in page
    world.clock.forward(minutes=50)
    assert here.post("/admin/go-live", sure="yes").status_code == 200
    assert here.get("/admin/accounts").status_code == 200, "still here"
