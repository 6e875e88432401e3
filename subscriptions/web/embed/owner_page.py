"""For whoever owns a website: the snippets to paste, with a preview of each, and the scripts that they name."""

from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from subscriptions import languages
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.embed import snippets
from subscriptions.web.embed.options import Options, read
from subscriptions.web.http import headers, urls
from subscriptions.web.http.lists import the_list
from subscriptions.web.http.static_files import files_in
from subscriptions.web.intake.fields import shown_fields, voluntary_inputs

pages = Blueprint("embed", __name__, url_prefix="/embed")
YEAR = 365 * 86_400
_SCRIPTS = files_in(snippets.SCRIPTS)
DEFAULT_COLOUR = "#14634b"
_NOT_A_SITE = marked("This page is not on one of the sites of the list, so nobody is led there.")


@pages.get('/v1/<any("yestwice.js", "frame.js"):name>')
def script(name: str) -> Response:
    """A version never changes once it is released: pages name its hash, and browsers refuse anything else."""
    response = _SCRIPTS[name].answer(YEAR)
    response.cache_control.public = response.cache_control.immutable = True
    response.headers["Access-Control-Allow-Origin"] = "*"  # browsers check a hash only on what they may read
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@pages.get("/<slug>")
def page(slug: str) -> str:
    row = the_list(slug)
    options = read(row, request.args)
    headers.allow(script_src="'self'", connect_src="'self'", frame_src="'self'")
    return render_template(
        "pages/embed.html",
        list=row,
        options=options,
        origins=_shared_origins(options),
        wished=options.query(),
        policies=_policies(urls.public("")),
        **_controls(row, options),
        **_snippets(options),
    )


def _shared_origins(options: Options) -> list[str]:
    """The sites that every list of the form knows."""
    return [origin for origin in options.rows[0].origins if all(origin in one.origins for one in options.rows)]


def _policies(base: str) -> list[tuple[str, str]]:
    """What a Content-Security-Policy of the site must allow, for each of the three."""
    script = ("script-src", "connect-src", "form-action", "frame-src")
    needed = {
        marked("Plain form"): ["form-action"],
        marked("Frame"): ["frame-src", "script-src"],
        marked("Script"): script,
    }
    return [(gettext(name), "; ".join(f"{one} {base}" for one in directives)) for name, directives in needed.items()]


def _controls(row: List, options: Options) -> dict[str, Any]:
    """What can be wished for."""
    asked = request.args.get("return_url", "")
    configured = current_parts().catalogue.configured
    return {
        "tags": [(tag, languages.own_name(tag)) for tag in current_parts().languages.tags],
        "others": [one for one in configured if one is not row and (one.public or one in options.rows)],
        "offered": voluntary_inputs(shown_fields(options.rows, MultiDict()), gettext),
        "colour": options.colour or row.colour or DEFAULT_COLOUR,
        "asked_return": asked,
        "trouble": _NOT_A_SITE if asked and not options.return_url else "",
    }


def _snippets(options: Options) -> dict[str, str]:
    form, src = options.form(), snippets.frame_src(options)
    return {
        "frame_src": src,
        "plain": snippets.plain(form),
        "framed_code": str(snippets.framed(form, src)),
        "element_code": str(snippets.element(form, options)),
    }
