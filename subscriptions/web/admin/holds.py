"""Legal holds at the desk: the page of all, and placing and lifting them."""

from collections.abc import Mapping
from datetime import date

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from subscriptions.actions import Refused
from subscriptions.actions import holds as holding
from subscriptions.actions.holds import Wanted
from subscriptions.domain.evidence import Channel
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import accounts, audit, holds
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind, List
from subscriptions.web.admin import Answer, door, guard, pages, telling
from subscriptions.web.admin.act_form import done, reason, to_fill_in, unchanged
from subscriptions.web.admin.people import the_person
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now

_SINCE = marked("This has been on hold since %(time)s. Nothing was changed.")


@pages.get("/holds")
def all_holds() -> Answer:
    return _page()


@pages.post("/holds")
def hold_address() -> Answer:
    """Of an address that nothing may be stored about yet: then it holds what comes."""
    address, problem = door.address(request.form.get("email", ""))
    wanted, wrong = _wanted()
    if problem or wrong or wanted is None:
        return _page(problem or wrong), 422
    since = _place(current_parts().links.key(address), wanted)
    if since:
        return _page(since), 409
    return redirect(url_for("desk.all_holds", done="hold"), 303)


@pages.route("/people/<key>/hold", methods=["GET", "POST"])
def hold_person(key: str) -> Answer:
    found, (wanted, problem) = the_person(key), _wanted()
    more = {"lists": guard.lists(), "least": now().date().isoformat()}
    if (page := to_fill_in("hold", found, problem, **more)) or wanted is None:
        return page or unchanged("hold", found)
    since = _place(found.key, wanted)
    return unchanged("hold", found) if since else done("hold", found)


@pages.route("/people/<key>/release", methods=["GET", "POST"])
def release_person(key: str) -> Answer:
    found, (why, problem) = the_person(key), reason()
    if not found.told.held:
        return unchanged("release", found)
    held = [telling.sentence(one) for one in found.told.held]
    if page := to_fill_in("release", found, problem, against=held):
        return page
    lifted = holding.lift(found.key, None, why, Channel.DESK, guard.act("people release", found.key, reason=why))
    return done("release", found) if lifted else unchanged("release", the_person(key))


def _place(key: bytes, wanted: Wanted) -> str | Markup:
    """What stands against it, if anything does."""
    known = current_parts().catalogue.lists
    slug = known[wanted.list_id].slug if wanted.list_id else None
    review = wanted.review_on.isoformat()
    act = guard.act("people hold", key, reason=wanted.reason, review=review, list=slug)
    since = holding.place(key, wanted, Channel.DESK, act)
    return language.in_markup(_SINCE, time=language.words(since)) if since else ""


def _wanted() -> tuple[Wanted | None, str]:
    """What was filled in, or what is wrong with it."""
    (why, problem), slug = reason(), request.form.get("list", "")
    row = next((row for row in guard.lists() if row.slug == slug), None)
    try:
        review_on = date.fromisoformat(request.form.get("review", ""))
        holding.check_review(review_on, now())
    except ValueError:
        return None, problem or gettext("Please write the date as in the example.")
    except Refused as error:
        return None, problem or gettext(str(error))
    if slug and row is None:
        problem = problem or gettext("Please choose at least one list.")
    return (None if problem else Wanted(row.id if row else None, why, review_on)), problem


def _page(problem: str | Markup = "") -> str:
    at = now()
    with reading() as session:
        found = holds.all_active(session)
        names = {f"account {row.id}": row.email for row in accounts.all_of(session)}
    audit.note(guard.act("hold show").of(len(found)))
    shown = [_told(one, names) | {"is_overdue": holds.is_overdue(one.row, at)} for one in found]
    return render_template(
        "desk/holds.html", held=shown, lists=guard.lists(), least=at.date().isoformat(), problem=problem,
        typed=request.form, done=telling.done(),
    )  # fmt: skip


def _told(one: holds.Listed, names: Mapping[str, str]) -> dict[str, object]:
    row = one.row
    of_list: List | None = telling.list_of(row.list_id) if row.list_id else None
    kind, _, name = row.placed_by.partition(" ")
    others = {ActorKind.TRY_OUT: gettext("Somebody at this machine"),
              ActorKind.COMMAND: gettext("%(name)s, on the server,", name=name).rstrip(",")}  # fmt: skip
    by = names.get(row.placed_by) or {str(of): told for of, told in others.items()}.get(kind, row.placed_by)
    review = language.day(row.review_on)
    return {"row": row, "address": one.address, "list": of_list, "by": by, "key": row.key.hex(), "review": review}
