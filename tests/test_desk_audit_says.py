"""The audit at the desk is told in sentences: every act that the code knows has one, in plain words."""

import re
from pathlib import Path

from subscriptions.store import audit
from subscriptions.store.engine import transaction
from subscriptions.store.models import ActorKind
from subscriptions.web.admin.acts_told import SAYS
from tests.builders import ANNE, NEWS, OFFERS, World
from tests.desk import PASSWORD, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_audit import GRID
from tests.test_desk_people import find

pytestmark = BY_DAY_ON_SQLITE

CODE = Path(__file__).resolve().parents[1] / "subscriptions"
NAMED = re.compile(r'(?:guard\.act\(|\bACT = |\bREAD = |Act\([^()"]*|Act\(.*", )\s*f?"([a-z -]+)')


def acts_in_the_code() -> set[str]:
    """What is written there as the name of an act, and the commands that leave rows by their own names."""
    written = {name.strip() for path in CODE.rglob("*.py") for name in NAMED.findall(path.read_text("utf-8"))}
    return written | {act for _, rows in GRID.values() for act, _ in rows}


def test_every_act_that_the_code_knows_has_its_sentence() -> None:
    found = acts_in_the_code()
    assert {"people show", "people back", "export taken", "read", "accounts invite", "go-live"} <= found
    begun = {name for name in found if any(other.startswith(f"{name} ") for other in SAYS)}  # more follows
    assert found - SAYS.keys() - begun == set()


def test_an_export_reads_as_who_took_how_many_of_which_list(world: World) -> None:
    world.subscribe(ANNE)
    ola = at_the_desk(world)
    ola.post("/admin/export", list=NEWS, layout="csv", what="everyone", proof=PASSWORD)
    world.subscribe("bart@example.org")
    ola.post("/admin/export", list=NEWS, layout="csv", what="everyone", proof=PASSWORD)
    find(ola, ANNE)
    page = ola.get("/admin/audit").text
    who = "<strong><bdi>owner@example.org</bdi></strong>"
    for told in ("exported 1 address of Newsletter.", "exported 2 addresses of Newsletter.",
                 "opened a person’s page.", "searched for people: 1 was found."):  # fmt: skip
        assert f"{who} {told}" in page


def test_programs_commands_and_acts_of_another_version_are_told_too(world: World) -> None:
    now = world.clock.now()
    with transaction() as session:
        audit.write(session, audit.Act(now, ActorKind.TOKEN, "sender", "read", count=7, details={"list": OFFERS}))
        audit.write(session, audit.Act(now, ActorKind.COMMAND, "root", "jobs run", count=0, details={"job": "purge"}))
        audit.write(session, audit.Act(now, ActorKind.TRY_OUT, "desk", "moon landing", details={"flag": "<b>"}))
        audit.write(session, audit.Act(now, ActorKind.COMMAND, "root", "export", count=0, details={"list": "gone"}))
    page = at_the_desk(world).get("/admin/audit").text
    assert "<bdi>The token sender</bdi></strong> read Offers 7 times within an hour." in page
    assert "<bdi>root, on the server,</bdi></strong> ran the job purge by hand." in page
    assert "<bdi>Somebody at this machine</bdi></strong>: moon landing" in page and "flag &lt;b&gt;" in page
    assert "exported 0 addresses of gone." in page
