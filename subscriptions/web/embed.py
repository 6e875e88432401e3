"""For whoever owns a website: the snippets to paste, with a preview of each, and the scripts that they name."""

from dataclasses import replace

from flask import Blueprint, Response, render_template, request, send_from_directory, url_for

from subscriptions import languages
from subscriptions.languages import marked
from subscriptions.parts import parts
from subscriptions.store.models import List
from subscriptions.web import form_data, headers, language, snippets
from subscriptions.web.options import Options, keys, read
from subscriptions.web.pages import the_list

pages = Blueprint("embed", __name__, url_prefix="/embed")
YEAR = 365 * 86_400
DEFAULT_COLOUR = "#14634b"
_NOT_A_SITE = marked("This page is not on one of the sites of the list, so nobody is led there.")


@pages.get('/v1/<any("yestwice.js", "frame.js"):name>')
def script(name: str) -> Response:
    """A version never changes once it is released: pages name its hash, and browsers refuse anything else."""
    response = send_from_directory(snippets.SCRIPTS, name, mimetype="text/javascript", max_age=YEAR)
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
        is_tried=parts().settings.mail.transport == "mailbox",
        wished=options.query(row),
        frame_src=url_for("frame.form", slug=row.slug, lang=language.current(), **options.query(row)),
        tags=[(tag, languages.own_name(tag)) for tag in parts().languages.tags],
        keys=keys(row),
        labels={one["name"]: one["label"] for one in form_data.fields(replace(options, fields=keys(row)))},
        colour=options.colour or row.colour or DEFAULT_COLOUR,
        asked_return=request.args.get("return_url", ""),
        trouble=_trouble(options),
        base=parts().settings.server.base_url.rstrip("/"),
        **_snippets(row, options),
    )


def _trouble(options: Options) -> str:
    return _NOT_A_SITE if request.args.get("return_url") and not options.return_url else ""


def _snippets(row: List, options: Options) -> dict[str, str]:
    data = form_data.data(row, options)
    return {
        "plain": snippets.plain(data, options),
        "framed_code": str(snippets.framed(data, row, options)),
        "element_code": str(snippets.element(data, row, options)),
    }
