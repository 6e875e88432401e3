"""From what went wrong to a status and a sentence: a page for people, RFC 9457 for programs."""

import json
import logging
from collections.abc import Mapping, Sequence

from flask import Flask, Response, g, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES

from subscriptions.actions.gate import Limited
from subscriptions.languages import marked
from subscriptions.links import BadLink, Visit
from subscriptions.logs import where
from subscriptions.parts import current_parts
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.web.http import language
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.problem import Problem

log = logging.getLogger(__name__)

RETRY_AFTER = 5  # seconds
MANY_GUESSES = 100  # in an hour, of one network
GUESSING = marked(
    "one network has opened at least %(num)s links in an hour that this service never signed: somebody is guessing, "
    "which cannot succeed, or a program damages links, or a key is missing from secret_keys in [server]"
)

_SAYS = {
    400: (marked("We could not understand that request"),
          marked("Something in the request is not right. Please go back and try again.")),
    401: (marked("A token is needed"), marked("Send it as Authorization: Bearer …")),
    403: (marked("Not allowed"), marked("You are not allowed to do this.")),
    404: (marked("This page does not exist"),
          marked("The link may be incomplete. Please copy all of it from the email, or start again.")),
    405: (marked("You cannot do that here"), marked("This page does not accept that kind of request.")),
    410: (marked("This has expired"), marked("Please start again.")),
    413: (marked("That is too much"), marked("What you sent is too large for this form.")),
    415: (marked("Wrong format"), marked("Send application/json, or the fields of a form.")),
    429: (marked("A moment, please"), marked("Many people have signed up from your network. Please try again later.")),
    500: (marked("Something went wrong here"),
          marked("This is our fault, not yours, and we have recorded it. Please try again later.")),
    503: (marked("A moment, please"),
          marked("We cannot answer just now, and nothing was changed. Please try again in a few seconds.")),
}  # fmt: skip
_ANYTHING_ELSE = marked("Please go back and try again.")


def is_api() -> bool:
    return request.path.startswith("/api/")


def answer(
    status: int, sentence: str | None = None, *, errors: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None, members: Mapping[str, object] | None = None,
) -> Response:  # fmt: skip
    """The answer to a request that failed: a page or a problem, by who asks."""
    heading, usual = _SAYS.get(status, (HTTP_STATUS_CODES.get(status, "Error"), _ANYTHING_ELSE))
    if is_api():
        response = _problem(status, sentence or usual, errors, members or {})
    else:
        says = {"status": status, "heading": gettext(heading), "sentence": gettext(sentence or usual)}
        # no links to other languages: they would repeat an address that may hold anything
        page = render_template("pages/error.html", request_id=g.request_id, languages=(), **says)
        response = Response(page, status)
    response.headers.update(headers or {})
    return response


def wrong_in(what: str, errors: Sequence[Problem], **members: object) -> Response:
    """The answer to a program whose `what`, body or query, is wrong."""
    return answer(422, f"Something in the {what} is not as it should be.", errors=errors, members=members)


def _problem(status: int, detail: str, errors: Sequence[Problem], members: Mapping[str, object]) -> Response:
    body: dict[str, object] = {"type": "about:blank", "title": HTTP_STATUS_CODES.get(status, "Error"), "status": status}
    body |= {"detail": detail, "instance": f"urn:request:{g.request_id}"}
    if errors:
        body["errors"] = [problem_told(error) for error in errors]
    body |= members
    return Response(json.dumps(body), status, mimetype="application/problem+json")


def problem_told(error: Problem) -> dict[str, str]:
    """In the language that the address of the request asks for, else in English like all of the API."""
    detail = language.sentence(error) if "lang" in request.args else error.text
    return {"detail": detail, "pointer": _pointer(error.field), **({"code": error.code} if error.code else {})}


def _pointer(field: str) -> str:
    """RFC 6901."""
    return "/" + field.replace("~", "~0").replace("/", "~1") if field else ""


def json_answer(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def too_many(limited: Limited) -> Response:
    """The network has used up its sign-ups."""
    wait = max(1, round((limited.until - current_parts().clock.now()).total_seconds()))
    return answer(429, headers={"Retry-After": str(wait)})


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(BadLink, _bad_link)
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(Contention, _unavailable)
    app.register_error_handler(Exception, _unexpected)


def visit_of(handle: str) -> Visit | None:
    """The visit of a handle of ours; one that is none is a guess as well."""
    visit = current_parts().links.visit(handle)
    if handle and visit is None:
        note_bad_signature()
    return visit


def _bad_link(_: BadLink) -> Response:
    note_bad_signature()
    return answer(404)


def note_bad_signature() -> None:
    """Whoever guesses is counted and told nothing: the answer is that of any link which is none."""
    parts, now = current_parts(), current_parts().clock.now()
    parts.tally.note("bad_signatures")
    if parts.guesses.note(origin(incoming(), parts).network, now) == MANY_GUESSES:
        log.warning(GUESSING.format(MANY_GUESSES))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # Werkzeug's own redirects
        return error.get_response()  # type: ignore[return-value]
    methods = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    return answer(status, headers={"Allow": ", ".join(sorted(methods))} if methods else None)


def _unavailable(error: Exception) -> Response:
    log.error("database not available", extra={"trouble": str(error)})
    return answer(503, headers={"Retry-After": str(RETRY_AFTER)})


def _unexpected(error: Exception) -> Response:
    """The type and the place, never the text: it could hold an address."""
    log.error("unexpected error", extra={"trouble": type(error).__name__, "at": where(error)})
    return answer(500)
