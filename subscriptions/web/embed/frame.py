"""The sign-up in a frame on a listed site: the same pages with little around them, and never any other page."""

from flask import Blueprint, Response, abort, g, request
from werkzeug.wrappers import Response as BaseResponse

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
