"""Promises over the whole application, checked for everything that there is and will be."""

from itertools import product

import sqlalchemy as sa
from flask import Flask

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.jobs.jobs import JOBS, OF_MAILS, OF_WEB
from subscriptions.store.engine import reading
from subscriptions.store.models import db
from tests.builders import ANNE, BART, NEWS, World
from tests.preferences import ask, link
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each

pytestmark = BY_DAY_ON_SQLITE

QUIET = {"jobs", "counters"}  # what only says how often, or when a job ran


def everything() -> dict[str, list[tuple[object, ...]]]:
    with reading() as session:
        return {
            name: sorted(map(tuple, session.execute(sa.select(table))), key=repr)
            for name, table in db.metadata.tables.items()
            if name not in QUIET
        }


def addresses_of(world: World) -> list[str]:
    """A real URL of every route that answers a GET."""
    world.sign_up(ANNE)
    confirm, not_me = world.confirm_link(ANNE), world.not_me_link(ANNE)
    world.subscribe(BART)
    ask(world, BART)
    values = {
        "slug": NEWS, "id_": "1", "filename": "style.css", "act": "leave", "kind": "confirm", "tag": "en",
        "name": "yestwice.js",
        "version": "v2",
        "key": world.parts.links.key(BART).hex(),
    }  # fmt: skip
    found = [confirm, not_me, world.leave_link(BART), link(world, BART)]
    for rule in world.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()) and "token" not in rule.arguments:
            found.append(rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1])  # type: ignore[index]
    return found


def test_no_safe_request_changes_anything(world: World) -> None:
    urls = addresses_of(world)
    before = everything()
    ahead = {"Sec-Purpose": "prefetch", "User-Agent": "BingPreview"}
    wrong = []
    for url, method, headers in product(urls, ["GET", "HEAD", "OPTIONS"], [{}, ahead]):
        with world.client.open(url, method=method, headers=headers) as answer:
            if answer.status_code == 500:
                wrong.append((method, url))
    assert wrong == []
    assert everything() == before


@ONE_DATABASE
@each("mail", [one.value for one in MailKind])
@each("part", ["subject.txt", "body.txt", "body.html"])
def test_every_mail_has_its_three_templates(app: Flask, mail: str, part: str) -> None:
    assert app.jinja_env.get_template(f"email/{mail}/{part}")


def test_every_job_runs_with_the_mails_or_in_each_web_process() -> None:
    assert sorted(job.name for job in (*OF_WEB, *OF_MAILS)) == sorted({job.name for job in JOBS})


def test_no_answer_ever_sets_a_cookie(world: World) -> None:
    for url in addresses_of(world):
        with world.get(url) as answer:
            assert "Set-Cookie" not in answer.headers
    assert not [one for one in (world.sign_up_by_form(ANNE), world.sign_up(ANNE)) if "Set-Cookie" in one.headers]
