"""A sign-up by a program, or by the script on a listed site."""

from collections.abc import Mapping

from flask import Blueprint, Response, abort, g, request

from subscriptions.actions.gate import Limited, Pass, ProofNeeded
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.evidence import Channel
from subscriptions.parts import current_parts
from subscriptions.web.http import cors
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.language import told
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import answer, json_answer, too_many, wrong_in
from subscriptions.web.intake import guard, hints
from subscriptions.web.intake.on_behalf import NOTHING, Vouched, vouched
from subscriptions.web.intake.parse import NotJson, UnknownList, from_json, taken
from subscriptions.web.intake.proof_of_work import may_compute
from subscriptions.web.intake.submit import complete, new_handle, submit

pages = Blueprint("api", __name__, url_prefix="/api/v1")


@pages.post("/subscriptions")
def subscribe() -> Response:
    cors.may_read_problems()
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        return answer(415, "Send application/json in UTF-8.")
    try:
        asked = from_json(request.get_data(cache=False), current_parts().catalogue)
    except NotJson as error:
        return answer(400, str(error))
    except UnknownList:
        return answer(404, "There is no such list.")
    if isinstance(asked, list):
        return wrong_in("body", asked)
    closed = cors.refused(asked.rows)
    if closed:
        return closed
    spoken_for = _spoken_for(asked.said)
    if isinstance(spoken_for, list):
        return wrong_in("body", spoken_for)
    return _take(asked, spoken_for)


def _take(asked: SignUp, spoken_for: Vouched) -> Response:
    parts, client = current_parts(), g.get("client")
    verdict = Pass() if client or incoming().outcome else guard.judge_program(asked, incoming(), parts)
    if isinstance(verdict, ProofNeeded):
        return _ask_for_proof()
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
        "A proof of work is asked for: solve the challenge, and send the same again with its solution.",
        errors=[Problem("altcha", "A fresh solution of a challenge of ours, as base64 of JSON.")],
        members={"type": "urn:yestwice:proof-of-work", "challenge": current_parts().work.challenge()},
    )


def _hint(asked: SignUp) -> dict[str, str]:
    """A likely slip, in the language that the address of the request asks for, else in English like all of the API."""
    hint = hints.of(asked.address, current_parts())
    if not hint:
        return {}
    return {"hint": told(hint.text, hint.values) if "lang" in request.args else hint.in_english}


def _spoken_for(said: Mapping[str, str]) -> Vouched | list[Problem]:
    """What a client says of the visitor that it speaks for; without a token nobody can vouch."""
    if "client" in g:
        return vouched(said, current_parts().clock.now())
    return [Problem(name, "Only a client with a token may send this member.") for name in said] or NOTHING


@pages.get("/challenge")
def challenge() -> Response:
    if not may_compute(current_parts()):
        abort(404)
    return json_answer(current_parts().work.challenge())
