"""Who is let through at once, and who takes one more step: forms that programs filled, and times of attack."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import Flask, Response, render_template, request
from werkzeug.datastructures import MultiDict

from subscriptions.actions.gate import Need, Pass, ProofNeeded
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.guarding import FORM_LIFE, STEP_LIFE, is_step_alive, is_too_fast, seconds_left
from subscriptions.links.forms import Step as Begun
from subscriptions.parts import parts
from subscriptions.web.http import language, open_tab
from subscriptions.web.http.problems import answer
from subscriptions.web.intake import hints
from subscriptions.web.intake.hints import Hint
from subscriptions.web.intake.parse import HONEYPOT, Problem, carried
from subscriptions.web.intake.proof_of_work import computes, is_asked, may_compute


class Why(StrEnum):
    """Why a form gets the page of one more step."""

    SUSPECTED = "suspected"
    ASKED = "asked"
    EARLY = "early"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Step:
    """One more step: the token that comes back with it, and how long the wait takes where nothing computes."""

    why: Why
    token: str
    seconds: int


def init_app(app: Flask) -> None:
    app.jinja_env.globals["form_time"] = form_time


def form_time(earlier: str | None = None) -> str:
    """When this form was shown. One that comes again keeps its time: who has it filled already may be quick."""
    now = parts().clock.now()
    if request.method != "POST":
        return parts().forms.time(now)
    shown = parts().forms.read_time(earlier) if earlier else None
    return earlier if earlier and shown and now - shown < FORM_LIFE else ""


# Forms


def judge(form: "MultiDict[str, str]", asked: SignUp) -> Pass | Step:
    """What lets this form through, or the step that it takes first."""
    now = parts().clock.now()
    begun, work = _begun(form.get("step", ""), asked, now), _work(asked)
    if begun:
        return _finish(form["step"], begun, work, now)
    if _is_suspicious(form, now):
        return _step(Why.SUSPECTED, asked)
    if work:
        return Pass(Need.NOW, work)
    return _step(Why.ASKED, asked) if is_asked(asked) else Pass()


def _begun(token: str, asked: SignUp, now: datetime) -> Begun | None:
    found = parts().forms.read_step(token, _key(asked), _lists(asked)) if token else None
    return found if found and is_step_alive(found.since, now) else None


def _finish(token: str, begun: Begun, work: tuple[tuple[bytes, datetime], ...], now: datetime) -> Pass | Step:
    """By computing or by waiting; whoever presses too early waits on, counted from the first page."""
    left = seconds_left(begun.since, now)
    if left and not work:
        return Step(Why.EARLY, token, left)
    return Pass(Need.NOW, (*work, (begun.hash, begun.since + STEP_LIFE)))


def _is_suspicious(form: "MultiDict[str, str]", now: datetime) -> bool:
    if form.get(HONEYPOT) or form.get("step"):  # a step that is old, forged or somebody else's begins anew
        return True
    least = timedelta(seconds=parts().settings.abuse.fill_seconds)
    return is_too_fast(parts().forms.read_time(form.get("t", "")), now, least)


def _work(asked: SignUp) -> tuple[tuple[bytes, datetime], ...]:
    solved = parts().work.read(asked.altcha) if asked.altcha and may_compute() else None
    return ((solved.hash, solved.until),) if solved else ()


def _step(why: Why, asked: SignUp) -> Step:
    if why is not Why.USED:  # that one was counted where it was refused
        parts().tally.note("suspected" if why is Why.SUSPECTED else "proof_asked")
    now = parts().clock.now()
    return Step(why, parts().forms.step(now, _key(asked), _lists(asked)), seconds_left(now, now))


def page(asked: SignUp, step: Step) -> Response:
    """One more page with one button; nothing is stored before it is pressed (B-07, B-09)."""
    open_tab.comes_from_form()
    rows, form = asked.rows, hints.chosen(request.form)
    fields = carried(form, rows)
    if "locale" not in dict(fields):
        fields.append(("locale", asked.locale))
    shown = render_template(
        "pages/one_more_step.html",
        list=rows[0],
        names=language.listed(rows),
        action=request.full_path.removesuffix("?"),
        fields=[*fields, ("step", step.token)],
        address=asked.address.typed,
        why=step.why.value,
        seconds=step.seconds,
        computes=computes(),
        footer=rows[0],
    )
    return Response(shown, 422)


def hint(form: "MultiDict[str, str]", asked: SignUp) -> Hint | None:
    """A hint on the address; not after a step, which the visitor would have to take again."""
    return None if form.get("step") else hints.unseen(form, asked.address)


def _lists(asked: SignUp) -> list[int]:
    return [row.id for row in asked.rows]


def _key(asked: SignUp) -> bytes:
    return parts().links.key(asked.address.folded)


def refused(asked: SignUp, brought: Pass | None) -> Step:
    """The step for a form that the batch did not take: its network is busy, or what it brought was used before."""
    return _step(Why.USED if brought and brought.once else Why.ASKED, asked)


# Programs


def judge_program(asked: SignUp) -> Pass | ProofNeeded:
    """A program brings its proof in the member `altcha`; there is no page and no wait for it."""
    work = _work(asked)
    if work:
        return Pass(Need.NOW, work)
    if not is_asked(asked):
        return Pass()
    parts().tally.note("proof_asked")
    return ProofNeeded()


def answer_program() -> Response:
    """422 with a fresh challenge, to be sent again with its solution."""
    return answer(
        422,
        "A proof of work is asked for: solve the challenge, and send the same again with its solution.",
        errors=[Problem("altcha", "A fresh solution of a challenge of ours, as base64 of JSON.")],
        members={"type": "urn:yestwice:proof-of-work", "challenge": parts().work.challenge()},
    )
