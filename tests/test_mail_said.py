"""Which list a mail names, in which language and with whose policy: that of the mail, each once, and its own."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from flask import Flask

from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from subscriptions.settings import ListTexts
from subscriptions.store.kept import Kept, SaidNo
from subscriptions.store.lists import read_catalogue
from tests.builders import LISTS, NEWS, OFFERS, Movable, World, text_of
from tests.controllers import CLUB, TWO_CONTROLLERS
from tests.several import ask
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


def test_of_lists_of_several_controllers_each_names_its_own_controller_and_policy(
    make_app: Callable[..., Flask], clock: Movable
) -> None:
    policies = ["https://society.example/privacy", "https://club.example/privacy"]
    app = make_app(lists=tuple(replace(one, policy_url=policies[CLUB in one.sender]) for one in TWO_CONTROLLERS))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        ask(world, NEWS, OFFERS)
        mail = world.mails()[-1]
    for kind, starts in (("plain", r"(?m)^\d\. "), ("html", "<h2")):
        _, news, offers = re.split(starts, text_of(mail, kind))[:3]
        offers = offers.partition("/confirm/")[0]  # the notice at the end names both
        for said, who, policy in ((news, "Example Society", policies[0]), (offers, "The Club", policies[1])):
            assert who in said and re.findall(r"https://\w+\.example/privacy", said) == [policy], kind
