"""docs/extend.md, done: one more mail kind, job, voluntary field and link purpose, each by its row, failing closed."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from jinja2 import FileSystemLoader
from sqlalchemy.orm import Session

from subscriptions import start
from subscriptions.domain.fields import FIELDS, Field
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.lifecycle import Suppress
from subscriptions.domain.mail_kinds import MailKind, Reaches, Row, SuppressionScope
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import JOBS, NAMED, Job, Where
from subscriptions.links import BadLink
from subscriptions.links.purposes import KEY, Purpose, Tokens
from subscriptions.mail.preview import Previews
from subscriptions.settings.lists import site_problems
from subscriptions.store import guards, outbox, suppressions
from subscriptions.store.engine import transaction
from subscriptions.store.models import Job as JobRow
from subscriptions.store.models import Subscription
from subscriptions.store.trips import trip
from tests.builders import ANNE, BART, LISTS, NEWS, World, owed, text_of
from tests.conftest import ManualClock
from tests.support.rows import one_more_kind, one_more_row

GUIDE = Path(__file__).parents[1] / "docs" / "extend.md"
SUBJECT = "Two years of {{ list_name }}"
TEXT = "{{ greeting }}\n\n{{ list_name }} has been with you for two years.\n\n{{ unsubscribe_url }}\n\n" + (
    "{% include 'email/_legal.txt' %}"
)
PAGE = """{% extends 'email/_layout.html' %}{% from 'email/_parts.html' import p, link %}
{% block title %}Two years{% endblock %}{% block preheader %}Two years{% endblock %}{% block content %}
{% call p() %}{{ greeting }}{% endcall %}{% call p() %}{{ list_name }} has been with you for two years.{% endcall %}
{% call p() %}{{ link(unsubscribe_url, 'Unsubscribe') }}{% endcall %}{% endblock %}"""


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path) -> Iterator[World]:
    """With the templates of a mail that the product does not have."""
    folder = tmp_path / "templates" / "email" / "birthday"
    folder.mkdir(parents=True)
    for name, text in (("subject.txt", SUBJECT), ("body.txt", TEXT), ("body.html", PAGE)):
        (folder / name).write_text(text)
    app = make_app()
    assert isinstance(app.jinja_loader, FileSystemLoader)
    app.jinja_loader.searchpath.append(str(tmp_path / "templates"))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def owe(world: World, kind: MailKind, address: str = BART) -> None:
    """To the subscription of that address, at once."""
    with transaction() as session:
        id_ = session.scalar(sa.select(Subscription.id).where(Subscription.address == address))
        outbox.owe(session, kind, now=world.clock.now(), due_at=world.clock.now(), subscription_id=id_)


def test_one_more_kind_of_mail_leaves_and_is_previewed_by_its_row_and_its_templates(world: World) -> None:
    world.subscribe(BART)
    with one_more_kind("birthday", Row(noun="birthday email", names_lists=True)) as kind:
        owe(world, kind)
        mail = world.mails(BART)[-1]
        previews = Previews(world.parts.sender.composer, world.parts.settings, world.parts.catalogue, world.clock.now())
        shown = previews.one("birthday", world.parts.catalogue.configured[0], "en")
    assert (mail["Subject"], shown.problems) == ("Two years of Newsletter", [])
    assert "has been with you for two years" in text_of(mail)
    assert "/unsubscribe/" in mail["List-Unsubscribe"]
    assert world.evidence()[-1].details["mail"] == "birthday" and owed() == []


def against(what: str, world: World) -> None:
    """Something that stands against mails to BART."""
    with transaction() as session:
        row = session.scalars(sa.select(Subscription)).one()
        if what == "unsubscribed":
            row.state = State.UNSUBSCRIBED.value
        elif what == "restricted":
            row.restricted = True
        else:
            suppressions.add(session, row.key, Suppress(SuppressionScope(what)), "a test", world.clock.now())


@pytest.mark.parametrize("what", ["unsubscribed", "restricted", "confirmations", "all"])
def test_a_kind_of_mail_that_says_nothing_is_not_sent_against_anything(world: World, what: str) -> None:
    world.subscribe(BART)
    mails = len(world.mails())
    against(what, world)
    with one_more_kind("birthday") as kind:
        owe(world, kind)
        assert (len(world.mails()), owed()) == (mails, [])


def test_a_kind_of_mail_may_say_that_it_reaches_whoever_it_is_about(world: World) -> None:
    world.subscribe(BART)
    against("restricted", world)
    with one_more_kind("birthday", Row(reaches=Reaches.ANY, though_restricted=True)) as kind:
        owe(world, kind)
        assert world.mails(BART)[-1]["Subject"] == "Two years of Newsletter"


@contextmanager
def one_more_job(job: Job, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """As if it stood in jobs/jobs.py."""
    for module in ("subscriptions.start", "subscriptions.cli.jobs"):
        monkeypatch.setattr(f"{module}.JOBS", (*JOBS, job))
    with one_more_row(NAMED, job.name, job):
        yield job


def test_one_more_job_runs_shows_and_turns_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("greet", lambda run: 7, timedelta(minutes=10), Where.CLUSTER)
    with one_more_job(job, monkeypatch):
        start.prepare(world.app)
        assert [lease.run(job, world.parts), lease.run(job, world.parts)] == [7, None]  # once in each of its periods
        shown = world.app.test_cli_runner().invoke(args=["jobs", "show"]).output
        assert re.search(r"^greet +0:10:00 .* 7 ", shown, re.M)
        world.clock.forward(seconds=job.late_after.total_seconds() + 1)
        here = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
        assert "greet is late: it last succeeded at" in str(world.get("/readyz", **here).json["problems"])
        assert not job.by_hand  # nor does a person run what does not say so
    with transaction() as session:
        session.execute(sa.delete(JobRow).where(JobRow.name == "greet"))


def test_one_more_field_is_offered_told_stored_and_by_itself_greets_nobody(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    with one_more_row(FIELDS, "nickname", Field("nickname", "Nickname", hint="As friends call you.")):
        list_ = replace(LISTS[0], fields=("name", "nickname"))
        assert list(site_problems(list_, "lists")) == []
        app = make_app(lists=(list_,))
        with app.app_context():
            world = World(app, app.test_client(), clock)
            page = world.get(f"/subscribe/{NEWS}").text
            form = world.get(f"/api/v1/lists/{NEWS}/form").json["fields"][-1]
            world.sign_up(ANNE, nickname="Annie")
            mail = world.mails(ANNE)[0]
            assert world.registrations()[0].fields == {"nickname": "Annie"}
    assert 'name="nickname" value="" autocomplete="off"' in page and "As friends call you." in page
    assert (form["label"], form["hint"], form["need"]) == ("Nickname", "As friends call you.", "optional")
    assert text_of(mail).startswith("Hello,") and "Annie" not in text_of(mail)


def test_a_field_without_a_row_is_not_offered() -> None:
    assert list(site_problems(replace(LISTS[0], fields=("nickname",)), "lists"))


def _is_fresh(session: Session, used: bytes, until: datetime) -> bool:
    with trip(session) as out:
        fresh = guards.use(out, {used: until})
    return bool(fresh())


def test_one_more_purpose_signs_links_that_end_and_work_once(world: World) -> None:
    now, keys = world.clock.now(), [b"the key of the tests"]
    mine = Tokens(Purpose(b"my-data", (KEY,), life=timedelta(minutes=30)), keys, world.parts.clock)
    text = mine.write(bytes(range(KEY)))
    (key,), until, used = mine.read(text)
    assert (key, until) == (bytes(range(KEY)), now + timedelta(minutes=30)) and used and until
    with transaction() as session:
        assert [_is_fresh(session, used, until) for _ in range(2)] == [True, False]
    for purpose in (Purpose(b"my-data"), Purpose(b"another", (KEY,))):
        with pytest.raises(BadLink):
            Tokens(purpose, keys, world.parts.clock).read(text)


def test_the_guide_names_files_and_lines_that_there_are() -> None:
    text, home = GUIDE.read_text("utf-8"), GUIDE.parents[1]
    named = re.findall(r"`((?:subscriptions|templates|tests|docs)/[\w/.]+?)`", text)
    assert len(named) >= 10 and [one for one in named if not (home / one).exists()] == []
