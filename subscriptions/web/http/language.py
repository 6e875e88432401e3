"""The language of a page: asked for, stored with the row that it is about, accepted by the browser, or its list's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, Response, g, has_request_context, request, url_for
from flask_babel import Babel, Domain, get_locale, get_translations, gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException

from subscriptions import clock, languages
from subscriptions.domain.texts import Sentence, filled
from subscriptions.languages import Languages
from subscriptions.parts import current_parts
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.store.lists import common
from subscriptions.store.models import List
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.problem import Problem

_KEEP_IT = ("pages.", "inbox.", "frame.", "confirm.", "leave.", "preferences.", "retention.")
_SWITCHED = {"pages.index": "pages.index", "pages.form": "pages.form", "inbox.check_inbox": "inbox.check_inbox",
             "pages.subscribe": "pages.form", "pages.choose": "pages.choose", "pages.subscribe_chosen": "pages.choose",
             "preferences.form": "preferences.form", "preferences.ask": "preferences.form",
             "preferences.sent": "preferences.sent", "retention.page": "retention.page"}  # fmt: skip
_SAME = ("r", "a", "also", "lists")


class About(NamedTuple):
    """What a page is about: the locale that is stored with its row, if there is one, and its list's, with its zone.

    `form`: of address, where all its lists have the same.
    """

    stored: str | None
    of_list: str
    timezone: str
    form: str


def init_app(app: Flask) -> None:
    folder = str(current_parts(app).languages.folder)
    _Babel(app, default_translation_directories=folder, locale_selector=_chosen)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals |= {"gettext": _said, "ngettext": _counted, "named": named}
    app.after_request(_say)
    app.url_defaults(_keep)
    app.context_processor(_context)


class _Domain(Domain):  # type: ignore[misc]
    def get_translations(self) -> NullTranslations:
        """Read once for a process, and those of the familiar form over the formal ones."""
        return languages.texts(current_parts().languages.folder, get_locale())

    def gettext(self, string: str, **values: Any) -> str:
        said = str(self.get_translations().ugettext(string))
        return filled(said, values) if values else said

    def ngettext(self, singular: str, plural: str, num: int, **values: Any) -> str:
        return filled(str(self.get_translations().ungettext(singular, plural, num)), {"num": num, **values})


class _Babel(Babel):  # type: ignore[misc]
    """Finds texts and fills values into them by our own rules, as the templates do."""

    @property
    def domain_instance(self) -> Domain:
        return _Domain(domain=self.domain)


@pass_context
def _said(context: Context, text: str, **values: Any) -> str:
    return _in_template(context, get_translations().ugettext(text), values)


@pass_context
def _counted(context: Context, one: str, more: str, num: int, **values: Any) -> str:
    return _in_template(context, get_translations().ungettext(one, more, num), {"num": num, **values})


def _in_template(context: Context, text: str, values: Mapping[str, object]) -> str:
    return filled(Markup(text) if context.eval_ctx.autoescape else text, values)  # noqa: S704  a text of the catalogues


def of_list(row: List | None = None, *beside: List) -> None:
    """The page is about a list: the reader's browser decides before it. To be said before anything is rendered.

    `beside`: lists that it shows as well; it addresses its reader as a friend where all do.
    """
    of_row(None, row, *beside)


def of_row(locale: str | None, row: List | None, *beside: List) -> None:
    """The same of a registration or subscription: its own locale decides, like in its mails."""
    form = common([row, *beside], "address_form") if row else ""
    g.about = About(locale, row.locale, row.timezone, form) if row else _first_list(locale)
    g.pop("_flask_babel", None)  # Flask-Babel keeps the locale that it found first, with the application's context


def current() -> str:
    """The tag of the page's language."""
    return languages.tag_of(get_locale())


def form() -> str:
    """How the page addresses its reader."""
    return get_locale().modifier or ""


def to_store(row: List) -> str:
    """The locale of a sign-up from this page."""
    return stored(row, current(), current_parts().languages)


def stored(row: List, here: str, known: Languages) -> str:
    """The list's own locale ("de-AT") where the page is in that language."""
    return row.locale if known.best(None, (), row.locale) == here else here


def words(at: datetime, row: List | None = None) -> Markup:
    """A time as the page's language writes it, in the zone of this list or the page's; programs read it exactly."""
    text = languages.words(at, current(), clock.zone_of(row.timezone if row else _about().timezone))
    return Markup('<time datetime="{}">{}</time>').format(clock.text(at), text)


def day(at: date) -> str:
    """A day as the page's language writes it."""
    return languages.day(at, current())


def said(row: List) -> List:
    """The list as the page's language tells it."""
    return row.said_in(current())


def told_of(rows: Sequence[List]) -> list[List]:
    """The same of several."""
    return [said(row) for row in rows]


def listed(rows: Sequence[List]) -> str:
    """The names of lists, in a row."""
    return languages.listed([said(row).name for row in rows], current())


def named(about: List | Sequence[List] | None) -> Markup:
    """The same for a sentence of a page: each name in the language that it is in."""
    rows, here = [about] if isinstance(about, List) else about or (), current()
    return Markup(languages.listed([_named(row, here) for row in told_of(rows)], here))  # noqa: S704 ours


def _named(row: List, here: str) -> Markup:
    lang = row.lang_of("name")
    return Markup('<span lang="{}">{}</span>').format(lang, row.name) if lang != here else escape(row.name)


def in_markup(text: str, **values: object) -> Markup:
    """A marked text in the page's language, with what stands in it as HTML."""
    return Markup(filled(Markup(gettext(text)), values))  # noqa: S704 ours


def told(text: str, values: Mapping[str, object]) -> str:
    """A marked text, and what stands in it, in the page's language."""
    return str(gettext(text, **values))


def translated(text: str) -> Markup:
    """A sentence of the service in the page's language; what is none of ours is English, and says so."""
    english = Markup('<span lang="en">{}</span>')
    return escape(text.told(gettext)) if isinstance(text, Sentence) else english.format(text)


def in_words(problems: Sequence[Problem]) -> list[Problem]:
    """The problems of a form in the page's language."""
    return [Problem(problem.field, sentence(problem)) for problem in problems]


def sentence(problem: Problem) -> str:
    """What is wrong, in the page's language."""
    values = dict(problem.values or {})
    if "label" in values:
        values["label"] = gettext(str(values["label"]))
    return told(problem.message, values)


def _chosen() -> Locale:
    if not has_request_context():
        return languages.locale_of(languages.SOURCE)
    stored, of_list, _, form = _about()
    tag = current_parts().languages.best(_asked(), [stored] if stored else incoming().languages, of_list)
    return languages.locale_of(tag, form)


def _about() -> About:
    found: About = g.get("about") or _first_list(None)
    return found


def _first_list(stored: str | None) -> About:
    with suppress(Unavailable, Contention):  # only before the lists have been read for the first time
        if lists := current_parts().catalogue.configured:
            return About(stored, lists[0].locale, lists[0].timezone, common(lists, "address_form"))
    return About(stored, languages.SOURCE, "", "")


def _asked() -> str | None:
    """By a link, or by a form: it carries the language of its page."""
    if "lang" in request.args or request.method != "POST":
        return request.args.get("lang")
    with suppress(HTTPException):  # a body that cannot be read is answered as well
        return request.form.get("lang") or request.form.get("locale")
    return None


def _say(response: Response) -> Response:
    if (response.content_type or "").startswith("text/html") and not 300 <= response.status_code < 400:
        response.headers.setdefault("Content-Language", current())
    return response


def _keep(endpoint: str, values: dict[str, Any]) -> None:
    """A link keeps the language where the page that it leads to would not find it by itself."""
    if not endpoint.startswith(_KEEP_IT) or not has_request_context():
        return
    here = current()
    if here != current_parts().languages.best(None, incoming().languages, _about().of_list):
        values.setdefault("lang", here)


def _context() -> dict[str, Any]:
    return {"lang": current(), "dir": languages.direction(current()), "languages": list(_switches())}


def _switches() -> Iterator[dict[str, str]]:
    """Links to this page in each language, on the pages where a visitor begins."""
    to, tags = _SWITCHED.get(request.endpoint or "") if has_request_context() else None, current_parts().languages.tags
    if to is None or len(tags) < 2:
        return
    same = dict(request.view_args or {}) | {name: value for name, value in request.args.items() if name in _SAME}
    if current_parts().links.visit(same.get("r", "")) is None:  # the same page for whatever is no handle of ours
        same.pop("r", None), same.pop("a", None)
    for tag in tags:
        yield {"tag": tag, "name": languages.own_name(tag), "url": url_for(to, **(same | {"lang": tag}))}
