"""For whoever owns a website: the snippets to paste, with a preview of each, and the scripts that they name."""

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from subscriptions import languages
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.web.embed import presets, site
from subscriptions.web.embed.options import DEFAULT_COLOUR, Options, read
from subscriptions.web.http import headers, language, urls
from subscriptions.web.http.lists import the_list
from subscriptions.web.http.static_files import files_in
from subscriptions.web.intake.fields import shown_fields, voluntary_inputs
from subscriptions.web.pages.sign_up_form import SignUpForm

pages = Blueprint("embed", __name__, url_prefix="/embed")
YEAR = 365 * 86_400
SCRIPTS = Path(__file__).parent / "scripts"
_FILES = {version: files_in(SCRIPTS / version) for version in ("v1", "v2")}
NEWEST = "v2"
HEIGHT, COMPACT = 720, 420  # of a frame whose page has no script of ours
_SCHEMES = {"": marked("Same as the page around it"), "light": marked("Light"), "dark": marked("Dark"),
            "auto": marked("As set on the visitor’s device")}  # fmt: skip
_NOT_A_SITE = marked("This page is not on a website that is allowed for this list, so nobody is sent there.")


@pages.get('/<any("v1", "v2"):version>/<any("yestwice.js", "frame.js"):name>')
def script(version: str, name: str) -> Response:
    """A version never changes once it is released: pages name its hash, and browsers refuse anything else."""
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
        "pages/embed.html", list=row, options=options, wished=options.query(),
        site=site.asked(request.args.get("site", ""), options.rows), worn=presets.look(request.args.get("look", "")),
        looks=presets.LOOKS, schemes=_SCHEMES, version=NEWEST, base=urls.public(""),
        tags=[(tag, languages.own_name(tag)) for tag in current_parts().languages.tags],
        others=[other for other in configured if other is not row and (other.public or other in options.rows)],
        offered=voluntary_inputs(shown_fields(options.rows, MultiDict()), gettext),
        colour=options.colour or row.colour or DEFAULT_COLOUR,
        asked_return=asked, trouble=_NOT_A_SITE if asked and not options.return_url else "",
        **snippets(options),
    )  # fmt: skip


def snippets(options: Options) -> dict[str, Any]:
    form, lang, wished = options.form(), language.current(), options.query()
    src = f"/embed/{options.rows[0].slug}/frame?{urlencode({'lang': lang, **wished}, safe=',')}"
    # what stood in the form when the snippet was made, for whoever reads the page's source years later
    wordings = " ".join(entry.wording.id for entry in form.agreements)
    frame = _tag(
        "iframe", src=urls.public(src), title=form.title, width="100%", frameborder="0",
        height=COMPACT if options.compact else HEIGHT, referrerpolicy="origin", data_wording=wordings,
    )  # fmt: skip
    return {"form": form, "frame_src": src, "framed_code": f"{frame}</iframe>\n{_script('frame.js')}",
            "element_code": f"{_element(options, form, wordings)}\n{_script('yestwice.js')}"}  # fmt: skip


def _element(options: Options, form: SignUpForm, wordings: str) -> str:
    """With a link in it, which stands there until the form does, and where it cannot."""
    lists = {"lists": ",".join(row.slug for row in options.rows)} if options.is_choice else {}
    link = _tag("a", href=f"{form.action}?{urlencode({'lang': language.current(), **lists}, safe=',')}")
    wished, lang = options.query(), language.current()
    element = _tag("yestwice-form", list=options.rows[0].slug, lang=lang, **wished, data_wording=wordings)
    return f"{element}{link}{form.button}</a></yestwice-form>"


def _script(name: str) -> str:
    src = urls.public(f"/embed/{NEWEST}/{name}")
    return _tag("script", "async", src=src, integrity=integrity(name), crossorigin="anonymous") + "</script>"


def _tag(*words: str, **attributes: object) -> str:
    given = [Markup('{}="{}"').format(name.replace("_", "-"), value) for name, value in attributes.items() if value]
    name, *flags = words
    return f"<{' '.join([name, *given, *flags])}>"


@lru_cache
def integrity(name: str) -> str:
    """What browsers hold a script against (SRI)."""
    return "sha384-" + base64.b64encode(hashlib.sha384((SCRIPTS / NEWEST / name).read_bytes()).digest()).decode()
