"""Where a person can complain: the authority that a list names is told on its pages, in a refusal and in an answer."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.domain.roles import Role
from tests.builders import ANNE, LISTS, Movable, World
from tests.desk import at_the_desk
from tests.support.cases import ONE_DATABASE
from tests.test_desk_people import page_of
from tests.test_desk_requests import settled
from tests.test_requests import flat, stored, written

pytestmark = ONE_DATABASE
SAYS = "The supervisory authority responsible for Example Society: The Office, 2 Street"


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=(replace(LISTS[0], authority="The Office\n2 Street"), *LISTS[1:]))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def test_the_own_page_a_refusal_and_a_ready_answer_name_the_authority(world: World) -> None:
    page, otto = written(world), at_the_desk(world, Role.PRIVACY)
    assert SAYS in page.act("show").text
    settled(otto, stored(world), "refuse")
    mail = world.mails(ANNE)[-1]
    assert SAYS in flat(mail) and SAYS in mail.as_string().replace("=\n", "")
    assert SAYS in otto.get(f"{page_of(world, ANNE)}/answers").text
