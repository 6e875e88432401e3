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
    shown = {"origins": options.origins, "wished": options.query(), "policies": _policies(urls.public(""))}
    shown |= _controls(row, options) | _snippets(options)
    return render_template("pages/embed.html", list=row, options=options, **shown)


def _policies(base: str) -> list[tuple[str, str]]:
    """What a Content-Security-Policy of the site must allow, for each of the three."""
    needed = {
        gettext("Plain form"): "form-action",
        gettext("Frame"): "frame-src script-src",
        gettext("Script"): "script-src connect-src form-action frame-src",
    }
    return [(name, "; ".join(f"{directive} {base}" for directive in of.split())) for name, of in needed.items()]


def _controls(row: List, options: Options) -> dict[str, Any]:
    """What can be wished for."""
    asked = request.args.get("return_url", "")
    configured = current_parts().catalogue.configured
    return {
        "tags": [(tag, languages.own_name(tag)) for tag in current_parts().languages.tags],
        "others": [other for other in configured if other is not row and (other.public or other in options.rows)],
        "offered": voluntary_inputs(shown_fields(options.rows, MultiDict()), gettext),
        "colour": options.colour or row.colour or DEFAULT_COLOUR,
        "asked_return": asked,
        "trouble": _NOT_A_SITE if asked and not options.return_url else "",
    }


def _snippets(options: Options) -> dict[str, str]:
    form, src = options.form(), snippets.frame_src(options)
    framed, element = snippets.framed(form, src), str(snippets.element(form, options))
    return {"frame_src": src, "plain": snippets.plain(form), "framed_code": framed, "element_code": element}
