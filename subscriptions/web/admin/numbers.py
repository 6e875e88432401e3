"""Whether numbers are mailed to an account, and how often; the link of these emails turns them off."""

from flask import abort, render_template, request
from flask_babel import gettext

from subscriptions.actions import numbers as actions
from subscriptions.domain.figures import HowOften
from subscriptions.links import BadLink
from subscriptions.parts import current_parts
from subscriptions.store import accounts
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind
from subscriptions.web.admin import guard, pages
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now

ACT = "numbers choose"


@pages.get("/numbers")
def numbers() -> str:
    return _page()


def _page(**said: str) -> str:
    return render_template("desk/numbers.html", choices=[*HowOften], **said)


@pages.post("/numbers")
def choose_numbers() -> str | tuple[str, int]:
    account, chosen = guard.who().account, request.form.get("how_often", "")
    if account is None or chosen not in [*HowOften]:
        return _page(problem=gettext("Please choose how often.")), 422
    act = guard.act(ACT, how_often=chosen)
    actions.choose(account.id, HowOften(chosen), now(), act, language.current())
    account.numbers = HowOften(chosen)  # as the page shows it
    return _page(done=gettext("Done."))


@pages.get("/no-numbers/<token>")
def no_numbers_page(token: str) -> str:
    _account_of(token)
    return render_template("desk/no_numbers.html")


@pages.post("/no-numbers/<token>")
def no_numbers(token: str) -> str:
    """Without a session: the link came to the account's own mailbox, and there is nothing to learn from it."""
    id_ = _account_of(token)
    actions.choose(id_, HowOften.NEVER, now(), Act(now(), ActorKind.ACCOUNT, str(id_), ACT, details={"by": "link"}))
    return render_template("desk/no_numbers.html", is_done=True)


def _account_of(token: str) -> int:
    try:
        id_ = current_parts().links.read_no_numbers(token)
    except BadLink:
        abort(404)
    with reading() as session:
        return id_ if accounts.find(session, id_) else abort(404)
