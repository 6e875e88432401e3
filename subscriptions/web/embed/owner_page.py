"""For whoever owns a website: the snippets to paste, with a preview of each, and the scripts that they name."""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from subscriptions import languages
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.web.embed.options import Options, read
from subscriptions.web.http import headers, language, urls
from subscriptions.web.http.lists import the_list
from subscriptions.web.http.static_files import files_in
from subscriptions.web.intake.fields import shown_fields, voluntary_inputs

pages = Blueprint("embed", __name__, url_prefix="/embed")
YEAR = 365 * 86_400
SCRIPTS = Path(__file__).parent / "scripts"
_FILES = {version: files_in(SCRIPTS / version) for version in ("v1", "v2")}
_NEWEST = {"yestwice.js": "v2", "frame.js": "v1"}
DEFAULT_COLOUR = "#14634b"
HEIGHT = 720  # of a frame whose page has no script of ours
_NOT_A_SITE = marked("This page is not on one of the sites of the list, so nobody is led there.")


@pages.get('/<any("v1", "v2"):version>/<any("yestwice.js", "frame.js"):name>')
def script(version: str, name: str) -> Response:
    """A version never changes once it is released: pages name its hash, and browsers refuse anything else."""
    if name not in _FILES[version]:
        abort(404)
    response = _FILES[version][name].answer(YEAR)
    response.cache_control.public = response.cache_control.immutable = True
    response.headers["Access-Control-Allow-Origin"] = "*"  # browsers check a hash only on what they may read
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@pages.get("/<slug>")
def page(slug: str) -> str:
    row = the_list(slug)
    options, asked = read(row, request.args), request.args.get("return_url", "")
    headers.allow(script_src="'self'", connect_src="'self'", frame_src="'self'")
    configured = map(language.said, current_parts().catalogue.configured)
    return render_template(
        "pages/embed.html", list=row, options=options, origins=options.origins, wished=options.query(),
        base=urls.public(""), tags=[(tag, languages.own_name(tag)) for tag in current_parts().languages.tags],
        others=[other for other in configured if other is not row and (other.public or other in options.rows)],
        offered=voluntary_inputs(shown_fields(options.rows, MultiDict()), gettext),
        colour=options.colour or row.colour or DEFAULT_COLOUR,
        asked_return=asked, trouble=_NOT_A_SITE if asked and not options.return_url else "",
        **_snippets(options),
    )  # fmt: skip


def _snippets(options: Options) -> dict[str, Any]:
    form, lang, wished = options.form(), language.current(), options.query()
    src = f"/embed/{options.rows[0].slug}/frame?{urlencode({'lang': lang, **wished}, safe=',')}"
    # what stood in the form when the snippet was made, for whoever reads the page's source years later
    wordings = " ".join(entry.wording.id for entry in form.agreements)
    frame = _tag(
        "iframe", src=urls.public(src), title=form.title, width="100%", height=HEIGHT, frameborder="0",
        referrerpolicy="origin", data_wording=wordings,
    )  # fmt: skip
    known = {"data_list": options.rows[0].slug, "data_lang": lang, **{f"data_{name}": wished[name] for name in wished}}
    return {"form": form, "frame_src": src, "framed_code": f"{frame}</iframe>\n{_script('frame.js')}",
            "element_code": _script("yestwice.js", **known, data_wording=wordings)}  # fmt: skip


def _script(name: str, **attributes: object) -> str:
    src = urls.public(f"/embed/{_NEWEST[name]}/{name}")
    known = {"src": src, "integrity": integrity(name), "crossorigin": "anonymous"}
    return _tag("script", "async", **known, **attributes) + "</script>"


def _tag(*words: str, **attributes: object) -> str:
    given = [Markup('{}="{}"').format(name.replace("_", "-"), value) for name, value in attributes.items() if value]
    name, *flags = words
    return f"<{' '.join([name, *given, *flags])}>"


@lru_cache
def integrity(name: str) -> str:
    """What browsers hold a script against (SRI)."""
    return "sha384-" + base64.b64encode(hashlib.sha384((SCRIPTS / _NEWEST[name] / name).read_bytes()).digest()).decode()
