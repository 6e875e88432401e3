"""The sign-up in a frame on a listed site: the same pages with little around them, and never any other page (X-05)."""

from flask import Blueprint, Response, g, request

from subscriptions.parts import parts
from subscriptions.web import headers
from subscriptions.web import pages as whole

pages = Blueprint("frame", __name__, url_prefix="/embed/<slug>/frame")
pages.add_url_rule("", "form", whole.form)
pages.add_url_rule("", "subscribe", whole.subscribe, methods=["POST"])
pages.add_url_rule("/check-inbox", "check_inbox", whole.check_inbox)


@pages.before_request
def begin() -> None:
    """Only the list's own sites may show it; in try-out mode also we ourselves, for the preview."""
    row = parts().catalogue.by_slug((request.view_args or {})["slug"])
    origins = list(row.origins) if row else []
    if row and parts().settings.mail.transport == "mailbox":
        origins.append(request.host_url.rstrip("/"))
    g.framed = origins
    headers.allow(frame_ancestors=" ".join(origins), script_src="'self'")


@pages.after_request
def open_to_sites(response: Response) -> Response:
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # for sites that ask it of all that they show
    return response
