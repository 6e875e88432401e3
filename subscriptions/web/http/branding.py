"""Whose a page is: the controllers of its lists, and a list's own look.

That is a style sheet made from its colour, and its logo; both for whoever asks, and kept by browsers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, request, url_for

from subscriptions import languages
from subscriptions.look.pictures import Picture, known_picture
from subscriptions.look.shades import shades, sheet
from subscriptions.look.tokens import FILE, tokens
from subscriptions.mail import responsible
from subscriptions.parts import current_parts
from subscriptions.settings import Settings
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.store.models import List
from subscriptions.web.http import language
from subscriptions.web.http.lists import any_list

pages = Blueprint("branding", __name__, url_prefix="/lists/<slug>")
FOR_A_YEAR = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"  # the address names another version, or none
LOGO_HEIGHT, LOGO_WIDTH = 48, 240
# an SVG is a document: opened by itself it may draw, and nothing else
PICTURE_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True, slots=True)
class Logo:
    """What an <img> needs."""

    url: str
    width: int
    height: int
    is_wide: bool  # most likely a name that is drawn: no need to write it once more beside it
    adapts: bool  # to the night, by itself


@dataclass(frozen=True, slots=True)
class Look:
    """What a page of a list wears."""

    name: str = ""
    css_url: str = ""
    icon_url: str = ""
    logo: Logo | None = None


Footer = List | Sequence[List] | None  # what a page is about: a list, some, or none and so the whole service


@dataclass(frozen=True, slots=True)
class Page:
    """Whose a page is. `name`: of who writes; `list`: where it is one controller's; `parties`: who is named below."""

    name: str
    list: List | None
    look: Look
    parties: Sequence[Mapping[str, Any]]


def init_app(app: Flask, settings: Settings) -> None:
    app.register_blueprint(pages)
    app.jinja_env.globals["look_of"] = lambda row: look_of(row, settings.root)
    app.jinja_env.globals["page_of"] = lambda footer: page_of(footer, settings)
    app.jinja_env.globals["everybody"] = lambda: everybody(settings)


def page_of(footer: Footer, settings: Settings) -> Page:
    """Lists of several controllers share a page without the look of any."""
    rows = [footer] if isinstance(footer, List) else public_lists() if footer is None else footer
    ours = settings.mail.sender
    parties = [party | {"lists": [row for row in rows if row.name in party["names"]]}
               for party in responsible.told(rows, rows, ours)]  # fmt: skip
    own = rows[0] if footer and len(parties) == 1 else None
    if len(parties) == 1 and not any(parties[0][name] for name in (*responsible.FACTS, "policy_url")):
        parties = []
    return Page(responsible.name_of(rows, ours), own, look_of(own, settings.root), parties)


def everybody(settings: Settings) -> str:
    """All controllers of the service: whom "never write to me again" is said to."""
    lists = language.told_of(current_parts().catalogue.configured)
    found = dict.fromkeys(responsible.who(row, settings.mail.sender) for row in lists)
    return languages.listed([*found], language.current())


def public_lists() -> list[List]:
    """Those that everybody may know, as the page's language tells them; also while the database is away."""
    with suppress(Unavailable, Contention):
        return [language.said(row) for row in current_parts().catalogue.configured if row.public]
    return []


def look_of(row: List | None, root: Path) -> Look:
    """The look of a list; of none, or of a list without one, the design's own."""
    if row is None:
        return Look()
    picture = known_picture(row.logo, root) if row.logo else None
    logo = _logo(row, picture) if picture else None
    if not row.colour:
        return Look(logo=logo)
    css_url = url_for("branding.style", slug=row.slug, v=_version(sheet(row.slug, row.colour)))
    icon_url = url_for("branding.icon", slug=row.slug, v=_version(_icon(row.colour)))
    return Look(f"look-{row.slug}", css_url, icon_url, logo)


def _logo(row: List, picture: Picture) -> Logo:
    stored = current_parts().catalogue.lists.get(row.id)
    is_stored = stored is not None and stored.logo == row.logo  # one that is only previewed has no address yet
    url = url_for("branding.logo", slug=row.slug, v=picture.version) if is_stored else row.logo
    return drawn(url, picture)


def drawn(url: str, picture: Picture) -> Logo:
    width, height = picture.size_at(LOGO_HEIGHT, LOGO_WIDTH)
    return Logo(url, width, height, width >= 2 * height, picture.adapts)


@pages.get("/look.css")
def style(slug: str) -> Response:
    colour = any_list(slug).colour
    if not colour:
        abort(404)
    css = sheet(slug, colour)
    return _kept(Response(css, mimetype="text/css"), _version(css))


@pages.get("/mark.svg")
def icon(slug: str) -> Response:
    """The mark of the house in the colour of the list: for browsers, beside the title."""
    colour = any_list(slug).colour
    if not colour:
        abort(404)
    svg = _icon(colour)
    return _kept(Response(svg, mimetype="image/svg+xml"), _version(svg))


@lru_cache(256)
def _icon(colour: str) -> str:
    svg, day = FILE.with_name("mark.svg").read_text("utf-8"), shades(colour, "light")
    return svg.replace(tokens("light")["accent"], day.fill).replace("#fff", day.on_accent)


@pages.get("/logo")
def logo(slug: str) -> Response:
    """The picture itself; mail programs and other sites may show it."""
    file = any_list(slug).logo
    picture = known_picture(file, current_parts().settings.root) if file else None
    if picture is None:
        abort(404)
    response = Response(picture.octets, mimetype=picture.type)
    response.headers["Content-Security-Policy"] = PICTURE_CSP
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return _kept(response, picture.version)


def _kept(response: Response, version: str) -> Response:
    response.headers["Cache-Control"] = FOR_A_YEAR if request.args.get("v") == version else FOR_AN_HOUR
    response.set_etag(version)
    response.make_conditional(request)
    return response


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
