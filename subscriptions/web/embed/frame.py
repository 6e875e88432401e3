"""The sign-up in a frame on a listed site: the same pages with little around them, and never any other page."""

from typing import Any

from flask import Blueprint, Response, abort, g, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.look import tokens
from subscriptions.look.shades import sheet
from subscriptions.parts import current_parts
from subscriptions.web.embed.options import Options, read
from subscriptions.web.http import headers, urls
from subscriptions.web.http.adapter import incoming
from subscriptions.web.pages import inbox, signup

pages = Blueprint("frame", __name__, url_prefix="/embed/<slug>/frame")
pages.add_url_rule("/check-inbox", "check_inbox", inbox.check_inbox)
pages.add_url_rule("/check-inbox", "again", inbox.again, methods=["POST"])
pages.add_url_rule("/code", "code", inbox.code, methods=["POST"])
pages.add_url_rule("/correct", "correct", inbox.correct, methods=["POST"])


@pages.before_request
def begin() -> None:
    """Only sites of every list on the form may show it; in try-out mode also we ourselves, for the preview."""
    origins = _options().origins
    if current_parts().settings.mail.transport == "mailbox":
        origins.append(request.host_url.rstrip("/"))
    g.framed = origins
    came_from = incoming().sent_from
    g.stood_on = request.args.get(urls.STOOD_ON) or (current_parts().forms.site(came_from) if came_from else None)
    headers.allow(frame_ancestors=" ".join(origins), script_src="'self'")


@pages.context_processor
def _looks() -> dict[str, Any]:
    """The style sheet that takes the place of the usual two, where a frame was wished for in a scheme or a colour."""
    options = _options()
    scheme, colour = options.scheme, options.colour
    slug = options.rows[0].slug
    url = url_for("frame.look", slug=slug, scheme=scheme, colour=colour) if scheme or colour else ""
    fixed = options.scheme if options.scheme in tokens.FIXED else ""
    return {"framed_look": url, "framed_scheme": fixed, "is_compact": options.compact}


@pages.get("/look.css")
def look(slug: str) -> Response:
    """The tokens of the design and the shades of the colour, as they are by day or at night."""
    options = _options()
    colour = options.colour or options.rows[0].colour
    css = tokens.FILE.read_text("utf-8") + (sheet(slug, colour) if colour else "")
    response = Response(tokens.fixed(css, options.scheme), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def _options() -> Options:
    row = current_parts().catalogue.by_slug((request.view_args or {})["slug"]) or abort(404)
    return read(row, request.args)


@pages.get("")
def form(slug: str) -> str:
    return signup.form_of(_options().rows)


@pages.post("")
def subscribe(slug: str) -> BaseResponse | tuple[str, int]:
    options = _options()
    return signup.subscribe_to(options.rows, is_choice=options.is_choice)


@pages.after_request
def open_to_sites(response: Response) -> Response:
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # for sites that ask it of all that they show
    return response
