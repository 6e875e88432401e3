"""Sessions of the desk end when they should, and a POST comes from a page of ours or not at all."""

from subscriptions.actions import accounts
from subscriptions.domain.roles import RIGHTS, Right, Role
from subscriptions.store import audit
from subscriptions.store.accounts import all_of
from subscriptions.store.engine import reading
from subscriptions.store.models import Account, ActorKind, DeskSession
from subscriptions.web.http.routes import ROUTES, Who
from tests.builders import NEWS, World
from tests.desk import OLA, PASSWORD, Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_routes import path_of, rules_of

pytestmark = BY_DAY_ON_SQLITE


def test_a_session_ends_after_an_hour_without_use_and_after_twelve_in_any_case(world: World) -> None:
    ola = at_the_desk(world, email=OLA)
    for _ in range(12):
        world.clock.forward(minutes=59)
        assert ola.is_in
    stays = [(world.clock.forward(**by), ola.is_in)[1] for by in ({"minutes": 11, "seconds": 59}, {"seconds": 1})]
    assert stays == [True, False]
    ola.sign_in()
    world.clock.forward(minutes=60)
    assert not ola.is_in


def test_each_sign_in_is_a_new_session_and_signing_out_ends_it_for_good(world: World) -> None:
    ola = at_the_desk(world, email=OLA)
    first = ola.client.get_cookie("desk", "127.0.0.1")
    ola.sign_in()
    second = ola.client.get_cookie("desk", "127.0.0.1")
    assert first and second and first.value != second.value
    ola.post("/admin/sign-out")
    ola.client.set_cookie("desk", second.value, domain="127.0.0.1")
    assert not ola.is_in


def test_whoever_signs_out_everywhere_is_out_in_every_browser(world: World) -> None:
    phone, laptop, other = at_the_desk(world, email=OLA), Person(world), at_the_desk(world, Role.VIEWER)
    laptop.sign_in()
    assert laptop.get("/admin/account").text.count("<li>") >= 2
    laptop.post("/admin/sign-out-everywhere")
    assert [phone.is_in, laptop.is_in, other.is_in] == [False, False, True]


def test_a_new_password_and_another_role_and_a_closed_account_end_its_sessions(world: World) -> None:
    boss = at_the_desk(world, email="boss@example.org")
    for what in ("reset", "role", "disable"):
        ola = at_the_desk(world, Role.MANAGER, f"{what}@example.org")
        number = next(row.id for row in _accounts() if row.email == f"{what}@example.org")
        answer = boss.post(f"/admin/accounts/{number}/{what}", role="viewer")
        assert answer.status_code == 200
        if what == "reset":
            link = answer.text.partition(f"{world.base_url}/admin/come-in/")[2].partition("<")[0]
            assert ola.is_in, "the link alone ends nothing"
            assert (
                Person(world).post(f"/admin/come-in/{link}", password="another five words it is", csrf=None).status_code
                == 303
            )
        assert not ola.is_in


def _accounts() -> list[Account]:
    with reading() as session:
        return [*all_of(session)]


FOREIGN: list[tuple[dict[str, str], dict[str, object]]] = [
    ({}, {"csrf": ""}), ({}, {"csrf": "made up"}), ({}, {"csrf": "ä"}), ({"Sec-Fetch-Site": "cross-site"}, {}),
    ({"Sec-Fetch-Site": "same-site"}, {}), ({"Sec-Fetch-Site": ""}, {}),
]  # fmt: skip


@each(("headers", "fields"), FOREIGN)
def test_a_post_that_no_page_of_the_desk_has_sent_changes_nothing(
    world: World, headers: dict[str, str], fields: dict[str, object]
) -> None:
    ola = at_the_desk(world, email=OLA) if not accounts.find(OLA) else _again(world)
    before = len(_accounts())
    answer = ola.post("/admin/accounts/invite", headers, email="eve@example.org", role="owner", **fields)
    assert answer.status_code == 403 and len(_accounts()) == before and ola.is_in


def _again(world: World) -> Person:
    ola = Person(world)
    ola.sign_in()
    return ola


def test_the_mark_of_a_form_is_of_one_session(world: World) -> None:
    ola, eve = at_the_desk(world, email=OLA), at_the_desk(world, email="eve@example.org")
    assert ola.post("/admin/sign-out", csrf=eve.csrf()).status_code == 403 and ola.is_in


def test_each_role_may_what_its_rights_say_on_every_page_and_nothing_else(world: World) -> None:
    people = {role: at_the_desk(world, role) for role in Role}
    mistakes = []
    for rule in world.app.url_map.iter_rules():
        row = ROUTES[rule.endpoint]
        if row.who is not Who.ACCOUNT or rule.endpoint in ("desk.sign_out", "desk.sign_out_everywhere"):
            continue
        for role, person in people.items():
            path = path_of(rule)
            answer = person.post(path) if "POST" in (rule.methods or set()) else person.get(path)
            may = row.right is None or row.right in RIGHTS[role]
            if (answer.status_code == 403) is may or answer.status_code >= 500:
                mistakes.append((rule.endpoint, role, answer.status_code))
    assert mistakes == []


def test_roles_hold_what_the_plan_of_the_desk_says() -> None:
    viewer, manager, privacy, owner = (RIGHTS[role] for role in Role)
    assert viewer == {Right.NUMBERS} and viewer < manager and viewer < privacy and owner == set(Right)
    assert not {Right.EXPORT, Right.TEXTS, Right.SERVICE} & privacy and not {Right.PRIVACY, Right.SERVICE} & manager


def test_without_a_session_every_page_of_the_desk_leads_to_the_way_in(world: World) -> None:
    nobody = Person(world)
    for method in ("GET", "POST"):
        for rule in rules_of(world.app, method):
            if ROUTES[rule.endpoint].who is Who.ACCOUNT:
                answer = nobody.get(path_of(rule)) if method == "GET" else nobody.post(path_of(rule))
                assert answer.status_code == 303 and answer.location.startswith("/admin/sign-in"), rule.endpoint


def test_what_is_grave_asks_for_the_password_once_more_and_what_was_typed_goes_on(world: World) -> None:
    ola = at_the_desk(world, email=OLA)
    world.clock.forward(minutes=9, seconds=59)
    assert "Invite somebody" in ola.get("/admin/accounts").text
    world.clock.forward(seconds=1)
    asked = ola.post("/admin/tokens", name="my-sender", scope="export")
    assert "Your password, please" in asked.text and 'value="my-sender"' in asked.text
    wrong = ola.post("/admin/tokens", name="my-sender", scope="export", proof="wrong")
    assert wrong.status_code == 422 and "not your password" in wrong.text and 'value="my-sender"' in wrong.text
    assert "yt_" in ola.post("/admin/tokens", name="my-sender", scope="export", proof=PASSWORD).text
    world.clock.forward(minutes=10)
    page = ola.get("/admin/accounts").text
    assert 'action="/admin/prove"' in page and 'value="/admin/accounts?"' in page
    assert ola.post("/admin/prove", then="/admin/accounts", proof=PASSWORD).location == "/admin/accounts"
    assert "Invite somebody" in ola.get("/admin/accounts").text


def test_the_last_owner_stays_whoever_wants_it_otherwise(world: World) -> None:
    boss = at_the_desk(world, email=OLA)
    [me] = _accounts()
    for what in ("role", "disable"):
        answer = boss.post(f"/admin/accounts/{me.id}/{what}", role="viewer")
        assert answer.status_code == 422 and "last owner" in answer.text
    at_the_desk(world, email="second@example.org")
    assert boss.post(f"/admin/accounts/{me.id}/disable").status_code == 303 or not boss.is_in


def test_who_becomes_an_owner_has_every_list(world: World) -> None:
    boss, row = at_the_desk(world, email=OLA), world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    at_the_desk(world, Role.MANAGER, "deputy@example.org", lists=[row.id])
    number = next(one.id for one in _accounts() if one.email == "deputy@example.org")
    assert boss.post(f"/admin/accounts/{number}/role", role="owner").status_code == 200
    assert [one.lists for one in _accounts()] == [None, None]


def test_who_has_one_list_sees_no_other(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    page = at_the_desk(world, Role.MANAGER, lists=[row.id]).get("/admin/").text
    assert "Newsletter" in page and "Offers" not in page
    assert "Offers" in at_the_desk(world, Role.MANAGER, "all@example.org").get("/admin/").text


def test_every_act_of_the_desk_stands_in_the_audit_by_the_number_of_the_account(world: World) -> None:
    boss = at_the_desk(world, email=OLA)
    boss.post("/admin/accounts/invite", email="deputy@example.org", role="manager")
    boss.post("/admin/tokens", name="my-sender", scope="export")
    boss.post("/admin/tokens/revoke", name="my-sender")
    page = boss.get("/admin/audit").text
    who = f"<strong><bdi>{OLA}</bdi></strong>"
    for told in ("invited <bdi>deputy@example.org</bdi> as manager.", "created the token my-sender (export).",
                 "revoked the token my-sender."):  # fmt: skip
        assert f"{who} {told}" in page
    with reading() as session:
        acts = [(row.actor_kind, row.actor, row.act) for row in audit.newest(session, 3)]
    assert acts == [(ActorKind.ACCOUNT, "1", "tokens revoke"), (ActorKind.ACCOUNT, "1", "tokens create"),
                    (ActorKind.ACCOUNT, "1", "accounts invite")]  # fmt: skip


def test_links_and_sessions_that_are_over_are_swept(world: World) -> None:
    at_the_desk(world, email=OLA)
    world.clock.forward(hours=1)
    world.run("tidy")
    assert world.count(DeskSession) == 0


def test_health_says_that_all_is_well_or_what_stands_in_the_way(world: World) -> None:
    viewer = at_the_desk(world, Role.VIEWER)
    for name in ("block", "purge", "deliver", "tidy"):
        assert name in viewer.get("/admin/health").text
    assert "All has been well since" in viewer.get("/admin/health").text
    world.clock.forward(hours=2)
    viewer = at_the_desk(world, Role.VIEWER, "later@example.org")
    page = viewer.get("/admin/health").text
    assert "All has been well" not in page and "(block) is late" in page
