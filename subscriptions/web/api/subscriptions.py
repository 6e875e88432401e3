"""Sign-ups and codes by JSON: from programs, from apps, and from the script on a listed site."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, abort, g, request

from subscriptions.actions.confirm import BY_JSON, ConfirmStatus, LinkState
from subscriptions.actions.gate import Limited, Pass, ProofNeeded
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain import codes
from subscriptions.domain.evidence import Channel
from subscriptions.parts import current_parts
from subscriptions.web.http import cors, language
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.language import told
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import answer, json_answer, too_many, visit_of, wrong_in
from subscriptions.web.intake import guard, hints
from subscriptions.web.intake.hints import KEEP, USE, Hint
from subscriptions.web.intake.on_behalf import NOTHING, Vouched, vouched
from subscriptions.web.intake.parse import NotJson, UnknownList, from_json, lists_in, read_json, taken
from subscriptions.web.intake.submit import ask_again, complete, enter, is_behind, new_handle, submit

pages = Blueprint("api", __name__, url_prefix="/api/v1")
_OF_CODE, _OF_AGAIN = ("registration", "code"), ("registration",)  # members
_OVER = "You can no longer enter a code here. Open the link in our newest email."
_WRONG = "This code is not right. Tries left: {}. You can also use the link in the email."
_LATE = "This sign-up can no longer be confirmed. Sign up again for a new email."


def json_body() -> bytes:
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        abort(answer(415, "Send application/json in UTF-8."))
    return request.get_data(cache=False)


@pages.errorhandler(NotJson)
def not_json(error: NotJson) -> Response:
    return answer(400, str(error))


@pages.post("/subscriptions")
def subscribe() -> Response:
    cors.may_read_problems()
    body = json_body()
    if "lang" in request.args:  # for a reader of these lists, as the texts of their form are
        language.of_list(*lists_in(body, current_parts().catalogue))
    parts = current_parts()
    special = parts.settings.takes_special
    try:
        asked = from_json(body, parts.catalogue, special=special)
        if is_behind(asked):
            parts.follow()
            asked = from_json(body, parts.catalogue, special=special)
    except UnknownList:
        return answer(404, "There is no such list.")
    if isinstance(asked, list):
        return wrong_in("body", asked)
    cors.refuse_strangers(asked.rows)
    spoken_for = _spoken_for(asked.said)
    if isinstance(spoken_for, list):
        return wrong_in("body", spoken_for)
    return _take(asked, spoken_for)


def _take(asked: SignUp, spoken_for: Vouched) -> Response:
    parts, client = current_parts(), g.get("client")
    if hint := _second_look(asked, ask=False):
        return _look_again(hint)
    verdict = Pass() if client or incoming().outcome else guard.judge_program(asked, incoming(), parts)
    if isinstance(verdict, ProofNeeded):
        return _ask_for_proof()
    if hint := _second_look(asked):
        return _look_again(hint)
    handle = new_handle(asked, parts)
    ref = parts.links.ref(handle)
    sign_up = complete(asked, ref, Channel.API, incoming(), parts, actor=client, spoken_for=spoken_for, brings=verdict)
    refused = submit(sign_up, incoming(), parts)
    if isinstance(refused, Limited):
        return too_many(refused)
    return _ask_for_proof() if refused else json_answer(taken(asked, handle) | _hint(asked), 202)


def _ask_for_proof() -> Response:
    """422 with a fresh challenge, to be sent again with its solution."""
    return answer(
        422,
        "A proof of work is required: solve the challenge, and send the same request again with its solution.",
        errors=[Problem("altcha", "A fresh solution of one of our challenges, as base64 of JSON.")],
        members={"type": "urn:yestwice:proof-of-work", "challenge": current_parts().work.challenge()},
    )


def _second_look(asked: SignUp, *, ask: bool = True) -> Hint | None:
    """For who wants to be asked before a likely slip is taken."""
    return hints.of(asked.address, current_parts(), ask=ask) if "ask" in request.args else None


def _look_again(hint: Hint) -> Response:
    """422 with what a form asks its visitor then, and the texts of both buttons; without `ask` it is taken."""
    look = {"text": _said(hint.text, hint.values), "keep": _said(KEEP, {"address": hint.address})}
    if hint.suggestion:
        look |= {"suggestion": hint.suggestion, "use": _said(USE, {"address": hint.suggestion})}
    return answer(422, hint.in_english, members={"type": "urn:yestwice:second-look", "look": look})


def _hint(asked: SignUp) -> dict[str, str]:
    """A likely slip, in the language that `lang` asks for, else in English like all of the API."""
    hint = hints.of(asked.address, current_parts())
    if not hint:
        return {}
    return {"hint": _said(hint.text, hint.values)}


def _said(text: str, values: Mapping[str, str]) -> str:
    return told(text, values) if "lang" in request.args else text % values


def _spoken_for(said: Mapping[str, str]) -> Vouched | list[Problem]:
    """What a client says of the visitor that it speaks for; without a token nobody can vouch."""
    if "client" in g:
        return vouched(said, current_parts().clock.now())
    return [Problem(name, "Only a client with a token may send this member.") for name in said] or NOTHING


@pages.post("/subscriptions/again")
def again() -> Response:
    """Another mail, if the budget allows one; the same answer for every handle, also for what is none."""
    cors.refuse_strangers()
    sent = read_json(json_body())
    if wrong := _problems(sent, _OF_AGAIN):
        return wrong_in("body", wrong)
    visit = visit_of(sent["registration"])
    limited, visit = ask_again(visit, incoming(), current_parts()) if visit else (None, None)
    if isinstance(limited, Limited):
        return too_many(limited)
    handle = visit.handle if visit else sent["registration"]
    return json_answer({"status": "pending_confirmation", "registration": handle}, 202)


@pages.get("/challenge")
def challenge() -> Response:
    if not guard.may_compute(current_parts()):
        abort(404)
    return json_answer(current_parts().work.challenge())


@pages.post("/confirmations")
def confirm() -> Response:
    """Confirm with the handle that a sign-up was answered with and the code from its mail."""
    cors.refuse_strangers()
    sent = read_json(json_body())
    wrong = _problems(sent, _OF_CODE)
    if wrong:
        return wrong_in("body", wrong)
    code = codes.read(sent["code"])
    if code is None:
        return wrong_in("body", [Problem("code", "A code has eight letters and digits, such as K7QM-2XWD.")])
    parts = current_parts()
    entered = enter(visit_of(sent["registration"]), code, BY_JSON, incoming(), parts)
    if entered.status is None:
        sentence = _WRONG.format(entered.left) if entered.left else _OVER
        return wrong_in("body", [Problem("code", sentence)], tries_left=entered.left)
    return _confirmed(entered.status)


def _problems(sent: object, members: Sequence[str]) -> list[Problem]:
    if not isinstance(sent, dict):
        return [Problem("", "The body must be a JSON object.")]
    found = [Problem(name, "This member is not known here.") for name in sent if name not in members]
    for name in members:
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
