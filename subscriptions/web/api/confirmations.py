"""Codes by JSON: what the script of an embedded form, or an app, sends when somebody has typed one."""

from flask import Blueprint, Response, request

from subscriptions.actions.confirm import BY_JSON, ConfirmStatus, LinkState
from subscriptions.domain import codes
from subscriptions.parts import current_parts
from subscriptions.web.http import cors
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import answer, json_answer, wrong_in
from subscriptions.web.intake.parse import NotJson, read_json
from subscriptions.web.intake.submit import enter

pages = Blueprint("confirmations", __name__, url_prefix="/api/v1")
MEMBERS = ("registration", "code")

_OVER = "The code can no longer be used here. The link in the mail still works."
_WRONG = "This code is not right. Tries left: {}. The link in the mail works as well."
_LATE = "This sign-up can no longer be confirmed. Sign up again for a fresh mail."


@pages.post("/confirmations")
def confirm() -> Response:
    """Confirm with the handle that a sign-up was answered with and the code from its mail."""
    closed = cors.refused_everywhere()
    if closed:
        return closed
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        return answer(415, "Send application/json in UTF-8.")
    try:
        sent = read_json(request.get_data(cache=False))
    except NotJson as error:
        return answer(400, str(error))
    wrong = _problems(sent)
    if wrong:
        return wrong_in("body", wrong)
    code = codes.read(sent["code"])
    if code is None:
        return wrong_in("body", [Problem("code", "A code has eight letters and digits, such as K7QM-2XWD.")])
    parts = current_parts()
    entered = enter(parts.links.visit(sent["registration"]), code, BY_JSON, incoming(), parts)
    if entered.status is None:
        sentence = _WRONG.format(entered.left) if entered.left else _OVER
        return wrong_in("body", [Problem("code", sentence)], tries_left=entered.left)
    return _confirmed(entered.status)


def _problems(sent: object) -> list[Problem]:
    if not isinstance(sent, dict):
        return [Problem("", "The body must be a JSON object.")]
    found = [Problem(name, "This member is not known here.") for name in sent if name not in MEMBERS]
    for name in MEMBERS:
        if name not in sent:
            found.append(Problem(name, "This member is required."))
        elif not isinstance(sent[name], str):
            found.append(Problem(name, "This member must be a text."))
    return found


def _confirmed(status: ConfirmStatus) -> Response:
    """Like the button of the mail: 410 where it would be too late."""
    if status.state is not LinkState.SUBSCRIBED:
        return answer(410, _LATE)
    lists = current_parts().catalogue.lists
    slugs = [lists[row.list_id].slug for row in status.those(LinkState.SUBSCRIBED)]
    which: dict[str, object] = {"lists": slugs} if len(status.lists) > 1 else {"list": slugs[0]}
    return json_answer({"status": "confirmed", **which})
