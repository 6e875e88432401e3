"""A list's own look: a style sheet made from its colour, and its logo; both for whoever asks, and kept by browsers."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, url_for

from subscriptions.look.pictures import Picture, known_picture
from subscriptions.look.shades import sheet
from subscriptions.parts import current_parts
from subscriptions.settings import Settings
from subscriptions.store.models import List
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
    logo: Logo | None = None


def init_app(app: Flask, settings: Settings) -> None:
    app.register_blueprint(pages)
    app.jinja_env.globals["look_of"] = lambda row: look_of(row, settings.root)


def look_of(row: List | None, root: Path) -> Look:
    """The look of a list; of none, or of a list without one, the design's own."""
    if row is None:
        return Look()
    picture = known_picture(root / row.logo) if row.logo else None
    logo = _logo(row, picture) if picture else None
    if not row.colour:
        return Look(logo=logo)
    version = _version(sheet(row.slug, row.colour))
    return Look(f"look-{row.slug}", url_for("branding.style", slug=row.slug, v=version), logo)


def _logo(row: List, picture: Picture) -> Logo:
    width, height = picture.size_at(LOGO_HEIGHT, LOGO_WIDTH)
    url = url_for("branding.logo", slug=row.slug, v=picture.version)
    return Logo(url, width, height, width >= 2 * height, picture.adapts)


@pages.get("/look.css")
def style(slug: str) -> Response:
    colour = any_list(slug).colour
    if not colour:
        abort(404)
    css = sheet(slug, colour)
    return _kept(Response(css, mimetype="text/css"), _version(css))


@pages.get("/logo")
def logo(slug: str) -> Response:
    """The file itself; mail programs and other sites may show it."""
    file = any_list(slug).logo
    picture = known_picture(current_parts().settings.root / file) if file else None
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


def _version(css: str) -> str:
    return hashlib.sha256(css.encode()).hexdigest()[:12]
