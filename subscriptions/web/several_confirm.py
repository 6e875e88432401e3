"""The confirm page of a mail for several lists: a button for all and one for each, nothing ticked beforehand (L-02)."""

from collections.abc import Sequence
from typing import Any

from flask import render_template, url_for

from subscriptions.actions.confirm import Place, Standing, View
from subscriptions.domain.address import parse
from subscriptions.parts import parts
from subscriptions.store.models import List, Registration
from subscriptions.web import language
from subscriptions.web.forms import Chosen, SignUp

NO_LIST = 0  # whoever makes up a button confirms nothing with it
_ASKED_AGAIN = (Standing.LATE, Standing.ENDED)


def page(token: str, places: Sequence[Place]) -> str:
    """What waits, what is subscribed, and what is too late, each with what can be done about it."""
    by_standing = {standing: [_shown(one) for one in places if one.standing is standing] for standing in Standing}
    first, links = places[0].registration, parts().links
    not_me = links.not_me_token(first.link_ref, first.list_id, first.key)
    return render_template(
        "pages/confirm_several.html",
        waiting=by_standing[Standing.WAITING],
        subscribed=by_standing[Standing.SUBSCRIBED],
        late=[one for standing in _ASKED_AGAIN for one in by_standing[standing]],
        subscribed_names=_names(by_standing[Standing.SUBSCRIBED]),
        late_names=_names([one for standing in _ASKED_AGAIN for one in by_standing[standing]]),
        address=first.address,
        deadline=language.words(first.confirm_by),
        action=url_for("tokens.confirm", token=token),
        again_action=url_for("tokens.again", token=token),
        not_me_url=url_for("tokens.not_me_page", token=not_me),
        footer=_list(first),
    )


def _shown(place: Place) -> dict[str, Any]:
    row = place.registration
    leave = parts().links.leave_token(row.list_id, row.key)
    return {
        "list": _list(row),
        "wording": parts().catalogue.wordings.get(row.wording_id or ""),
        "unsubscribe_url": url_for("tokens.unsubscribe_page", token=leave),
    }


def _names(shown: Sequence[dict[str, Any]]) -> str:
    return language.listed([one["list"] for one in shown])


def _list(row: Registration) -> List:
    return parts().catalogue.lists[row.list_id]


def names(places: Sequence[Place]) -> str:
    """The lists of a mail."""
    return language.listed([_list(place.registration) for place in places])


def chosen(view: View, slug: str | None) -> int | None:
    """The list whose button was pressed; none: the button for all, or the only one that there is."""
    if slug is None or view.registration is None:
        return None
    rows = [one.registration for one in view.several] or [view.registration]
    return next((row.list_id for row in rows if _list(row).slug == slug), NO_LIST)


def asked_again(view: View) -> SignUp | None:
    """A fresh sign-up, with today's wordings, for what is no more; what waits or is subscribed is left alone."""
    places = view.several or ((Place(view.standing, view.registration),) if view.registration else ())
    again = [one.registration for one in places if one.standing in _ASKED_AGAIN] or [
        one.registration for one in places[:1]
    ]
    return asked_like(again, fresh_wording=True)


def asked_like(rows: Sequence[Registration], *, fresh_wording: bool = False) -> SignUp | None:
    """A sign-up of the same person for the same lists, as far as they take any; None: of nothing that is left."""
    rows = [row for row in rows if row.address and _list(row).position is not None]
    if not rows or rows[0].address is None:
        return None
    first, *others = [Chosen(_list(row), _list(row).wording_id if fresh_wording else row.wording_id) for row in rows]
    return SignUp(
        parse(rows[0].address), first.list, rows[0].name, rows[0].locale, first.wording_id,
        fields=rows[0].fields, also=tuple(others),
    )  # fmt: skip
