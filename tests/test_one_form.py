"""The sign-up form is described once: all of it stands in our page, in the data for the script and in the snippet."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from html.parser import HTMLParser

import pytest
from flask import Flask

from subscriptions.parts import current_parts
from subscriptions.web.embed.options import Options
from subscriptions.web.http import language
from subscriptions.web.pages.sign_up_form import SignUpForm
from tests.builders import NEWS, OFFERS, World
from tests.conftest import ManualClock
from tests.several import EVENTS, LISTS

SITE = "https://site.example"


@dataclass
class Written(HTMLParser):
    """A form as HTML: its inputs and buttons by their names, its labels, all that can be read."""

    inputs: dict[str, dict[str, str | None]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    text: str = ""
    _label: str | None = None

    @classmethod
    def of(cls, html: str, slug: str) -> "Written":
        """The form that goes there."""
        self = cls()
        HTMLParser.__init__(self)
        found = re.search(rf'<form[^>]* action="[^"]*/subscribe{slug}".*?</form>', html, re.S)
        assert found is not None
        self.feed(found[0])
        self.text = " ".join(self.text.split())
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") != "checkbox":
            self.inputs[given["name"] or ""] = given
            self.order.append(given["name"] or "")
        if tag == "label":
            self._label = given.get("for")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._label:
            self.labels[self._label] = " ".join(f"{self.labels.get(self._label, '')} {data}".split())

    def handle_endtag(self, tag: str) -> None:
        self._label = None if tag == "label" else self._label


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock) -> World:
    app = make_app(lists=tuple(replace(one, origins=(SITE,), policy_url=f"{SITE}/policy") for one in LISTS))
    return World(app, app.test_client(), clock)


def described(world: World, slugs: tuple[str, ...], tag: str) -> SignUpForm:
    with world.app.test_request_context(f"/?lang={tag}"):
        rows = tuple(row for row in map(current_parts().catalogue.by_slug, slugs) if row)
        language.of_list(rows[0])
        texts = tuple(dict.fromkeys(text for row in rows for text in row.fields))
        return Options(rows, texts).form()


def shares(form: SignUpForm, html: Written, *, limits: bool) -> None:
    """What a form as HTML has of the description."""
    names = [one.name for one in form.fields]
    assert [name for name in html.order if name in names] == names
    for one in form.fields:
        given = html.inputs[one.name]
        assert (given["type"], given["autocomplete"], "required" in given) == (one.type, one.autocomplete, one.required)
        assert given.get("maxlength") == (str(one.longest) if limits else None)
        assert html.labels[given["id"] or ""] == f"{one.label} ({one.need})"
        assert one.hint in html.text and (not one.hint or "aria-describedby" in given)
    assert html.inputs[form.trap.name]["autocomplete"] == "off"
    assert {name: html.inputs[name]["value"] for name in form.unseen} == form.unseen
    for entry in form.agreements:
        assert entry.wording.text in html.text and entry.purpose.striptags() in html.text
    for text in (form.about, form.trap.label, form.kept, form.rest, form.button, form.policy):
        assert text in html.text


@pytest.mark.parametrize("database", ["sqlite"])  # what stands in a form is the same on both
@pytest.mark.parametrize("tag", ["en", "de"])
@pytest.mark.parametrize("slugs", [(NEWS,), (OFFERS,), (EVENTS,), (NEWS, EVENTS)], ids=",".join)
def test_page_script_and_snippet_say_what_the_form_is_described_as(
    world: World, slugs: tuple[str, ...], tag: str
) -> None:
    form, (first, *others) = described(world, slugs, tag), slugs
    query = f"lang={tag}&lists={','.join(slugs if others else ())}"
    path = "" if others else f"/{first}"
    page = world.get(f"/subscribe{path}?{query}").text
    snippet = world.get(f"/embed/{first}?{query}").text.partition('<div class="preview">')[2]
    data = world.get(f"/api/v1/lists/{first}/form?{query}").get_json()
    shares(form, Written.of(page, f'{path}[^"]*'), limits=False)
    shares(form, Written.of(snippet, path), limits=True)
    assert data["fields"] == [asdict(one) for one in form.fields]
    assert (data["honeypot"], data["hidden"], data["action"]) == (form.trap.name, form.hidden, form.action)
    for said, name in (("title", form.title), ("about", form.about), ("agree", form.agree), ("policy", form.policy),
                       ("fine", form.fine), ("trap", form.trap.label), ("subscribe", form.button)):  # fmt: skip
        assert data["texts"][said] == name
    assert [(one["wording"], one["text"], one["purpose"]) for one in data["lists"]] == [
        (entry.wording.id, entry.wording.text, entry.purpose.striptags()) for entry in form.agreements
    ]
