"""Which list a mail names, and in which language: that of the mail, and each list once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from flask import Flask

from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.settings import ListTexts
from subscriptions.store.kept import Kept, SaidNo
from subscriptions.store.lists import read_catalogue
from tests.builders import LISTS, Movable, World
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE


def test_what_stays_after_an_erasure_names_the_list_in_the_language_of_the_mail(
    make_app: Callable[..., Flask], clock: Movable
) -> None:
    app = make_app(lists=(replace(LISTS[0], texts={"de": ListTexts("Der Brief")}), *LISTS[1:]))
    with app.app_context():
        parts = World(app, app.test_client(), clock).parts
        no = SaidNo(SuppressionScope.CONFIRMATIONS, parts.catalogue.configured[0].id, clock.now() + timedelta(days=30))
        said = {tag: parts.sender.composer.what_stays(Kept(suppressions=(no,)), tag)[0] for tag in ("en", "de")}
    assert "Newsletter" in said["en"] and "Der Brief" in said["de"] and "Newsletter" not in said["de"]


def test_a_mail_that_speaks_for_all_lists_names_each_once_though_the_catalogue_was_read_anew(world: World) -> None:
    newer, composer = read_catalogue(), world.parts.sender.composer
    spoken = composer.spoken_for(MailKind.PREFERENCES, [(newer.configured[1], None)])
    assert sorted(row.id for row, _ in spoken) == sorted(row.id for row in newer.configured)
