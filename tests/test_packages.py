"""The five packages are kept, and each does the work that it is here for (architecture 8)."""

import flask_mail
import itsdangerous
import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from subscriptions.jobs import schedule
from subscriptions.jobs.jobs import JOBS
from subscriptions.links.purposes import PURPOSES, OfMailbox, Tokens
from subscriptions.mail.lines import OutMessage
from subscriptions.mail.setup import MailboxConnection
from subscriptions.mail.smtp import SmtpConnection
from subscriptions.store.models import db
from tests.builders import World


def test_every_table_of_the_database_is_a_flask_sqlalchemy_model(app: Flask) -> None:
    models = {mapper.local_table.name for mapper in db.Model.registry.mappers if issubclass(mapper.class_, db.Model)}  # type: ignore[attr-defined]
    assert set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"} == models == set(db.metadata.tables)


def test_every_mail_leaves_as_a_flask_mail_message_over_a_flask_mail_connection(world: World) -> None:
    assert issubclass(OutMessage, flask_mail.Message)
    assert issubclass(SmtpConnection, flask_mail.Connection) and issubclass(MailboxConnection, flask_mail.Connection)
    assert isinstance(world.parts.sender.new_line(), flask_mail.Connection)


def test_every_link_is_read_and_written_by_an_itsdangerous_serializer(world: World) -> None:
    links = world.parts.links
    held = [one for holder in (links, links.desk, world.parts.forms) for one in vars(holder).values()]
    held += [one for two in held if isinstance(two, OfMailbox) for one in vars(two).values()]
    made = [one for one in held if isinstance(one, Tokens)]
    assert sorted(one._serializer.salt for one in made) == sorted(purpose.salt for purpose in PURPOSES)
    assert all(isinstance(one._serializer, itsdangerous.Serializer) for one in made)


def test_block_purge_and_deliver_are_jobs_of_one_background_scheduler() -> None:
    made = schedule.scheduler(lambda job: None, JOBS)
    assert isinstance(made, BackgroundScheduler)
    assert {"block", "purge", "deliver"} <= {job.id for job in made.get_jobs()}
