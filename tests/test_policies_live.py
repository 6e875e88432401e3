"""Versions of policies: two who look at once keep one, and none is left of a clock that was ahead."""

import threading
import zlib

from subscriptions.actions import go_live
from subscriptions.actions import policies as doing
from subscriptions.store import policies
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind
from tests.builders import ANNE
from tests.support.https_site import HttpsSite
from tests.test_policies import NEW, Start, kept, look_again, site, start

__all__ = ["site", "start"]


def test_versions_of_a_clock_that_was_ahead_go_with_what_was_tried_out(start: Start, site: HttpsSite) -> None:
    world = start()
    real, [first] = world.clock.now(), kept()
    site.says(NEW)
    look_again(world, days=40)
    world.sign_up(ANNE)
    assert len(kept()) == 2
    go_live.clear(Act(real, ActorKind.COMMAND, "root", "go-live"), is_live=True)
    with reading() as session:
        assert policies.looks(session) == {}, "each page is looked at anew"
    assert [one.id for one in kept()] == [first.id]


def test_two_who_look_at_once_keep_one_version(start: Start, site: HttpsSite) -> None:
    world = start(policy_url="https://example.org/privacy")
    row, both = world.parts.catalogue.configured[0], threading.Barrier(2)
    source = doing.Source(row, "en", site.url())

    def read(_: str) -> tuple[str, bytes]:
        both.wait(30)
        return "We keep it.", zlib.compress(b"We keep it.")

    def look() -> None:
        with world.app.app_context():
            came.append(doing.look(source, read, world.clock.now()))

    came: list[object] = []
    threads = [threading.Thread(target=look) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(kept()) == 1 and {str(one) for one in came} == {"Step.NEW", "Step.SAME"}
