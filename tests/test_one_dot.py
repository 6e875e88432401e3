"""A legal name stays as it is ("Taller Ejemplo S.L."): where it ends a sentence, its dot is the sentence's."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask_babel import force_locale, gettext
from markupsafe import Markup

from subscriptions.domain.texts import filled
from subscriptions.mail.preview import Previews, all_kinds
from tests.builders import LISTS, Movable, World, parse_mail, text_of
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE
DOTTED = tuple(
    replace(one, name=f"{one.name} S.A.", controller=f"{one.slug} S.L.", welcome=True, texts={}) for one in LISTS
)
TWO_DOTS = re.compile(r"(?:</\w+>)?\.(?:</\w+>)*\.(?!\w)")


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=DOTTED)
    with app.app_context():
        yield World(app, app.test_client(), clock)


FILLED = [
    ("By %(who)s. More.", "A S.L.", "By A S.L. More."), ("By %(who)s.", "A", "By A."), ("%(who)s...", "A.", "A...."),
    ("By %(who)s, or", "A S.L.", "By A S.L., or"), ("50%% of %(who)s.", "e. V.", "50% of e. V."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "who", "said"), FILLED)
def test_the_dot_of_a_name_ends_the_sentence(text: str, who: str, said: str) -> None:
    assert filled(text, {"who": who}) == said


def test_the_dot_counts_within_an_element_and_values_are_escaped() -> None:
    found = filled(Markup("By %(who)s."), {"who": Markup("<b><i>A S.L.</i></b>")})
    assert found == "By <b><i>A S.L.</i></b>" and isinstance(found, Markup)
    assert filled(Markup("By %(who)s."), {"who": "<A."}) == "By &lt;A."


def test_templates_and_code_fill_texts_by_the_same_rule(world: World) -> None:
    text = "You are subscribed to the list %(list)s."
    render = world.app.jinja_env.from_string(
        "{{ _(text, list=name) }} {% trans %}{{ name }}.{% endtrans %} "
        "{% trans n=2 %}x{% pluralize %}{{ name }}.{% endtrans %}"
    ).render
    for tag in ("en", "de", "fr", "es"):
        with world.app.test_request_context(), force_locale(tag):
            said = gettext(text, list="A S.A.")
            assert "A S.A." in said and ".." not in said
            assert render(text=text, name="A S.A.") == f"{said} A S.A. A S.A."


@each("tag", ["en", "de", "fr", "es"])
def test_no_mail_has_two_dots_at_the_end_of_a_sentence(world: World, tag: str) -> None:
    parts = world.parts
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, world.clock.now())
    for one in previews.all_of(all_kinds(), parts.catalogue.configured, [tag]):
        mail = parse_mail(one.octets)
        for said in (text_of(mail), text_of(mail, "html"), str(mail["Subject"])):
            assert TWO_DOTS.findall(said) == [], one.kind
