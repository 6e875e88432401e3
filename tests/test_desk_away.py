"""With the database away each page of the desk says so, signed in or not; none of them falls."""

import pytest

from tests.builders import NEWS, World, take_database_away
from tests.desk import OLA, PASSWORD, Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE

SIGNED_OUT = {"sign-in": {"email": OLA, "password": PASSWORD}, "forgotten": {"email": OLA}}
EXPORT = {"list": NEWS, "layout": "csv", "what": "everyone"}
ACTS = {f"lists/{NEWS}": {"own.name": "New"}, "export": EXPORT, "people": {"q": OLA}, "tokens": {"name": "x"}}


@pytest.mark.parametrize("is_in", [True, False], ids=["signed in", "signed out"])
def test_every_page_and_act_says_that_the_service_is_away(world: World, is_in: bool) -> None:
    person = at_the_desk(world) if is_in else Person(world)
    mark = person.csrf()
    rules = [rule for rule in world.app.url_map.iter_rules() if rule.endpoint.startswith("desk.")]
    shown = [rule for rule in rules if "GET" in (rule.methods or ()) and rule.arguments <= {"slug"}]
    pages = [rule.rule.replace("<slug>", NEWS) for rule in shown]
    take_database_away()
    answers = {path: person.get(path).status_code for path in pages} if is_in else {}
    acts = ACTS if is_in else SIGNED_OUT
    answers |= {
        f"POST {name}": person.post(f"/admin/{name}", csrf=mark, **fields).status_code for name, fields in acts.items()
    }
    assert len(answers) > (20 if is_in else 1)
    assert {path: status for path, status in answers.items() if status != 503} == {}
