"""Limits and abuse: what is usual here, what the breaker sees, and the clean-up after an attack."""

import ipaddress
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request
from flask_babel import gettext, ngettext

from subscriptions import __version__, clock
from subscriptions.actions import cancel as cancelling
from subscriptions.actions.cancel import Count, Window
from subscriptions.clock import Clock
from subscriptions.domain.lifecycle import PROTECTED
from subscriptions.domain.policy import Rate
from subscriptions.domain.texts import Sentence
from subscriptions.parts import current_parts
from subscriptions.store import accounts, guards
from subscriptions.store.engine import reading
from subscriptions.store.models import Counted
from subscriptions.story import flood
from subscriptions.story.said import Rates, Said
from subscriptions.web.admin import Answer, acts_told, guard, pages, telling
from subscriptions.web.http.adapter import now

ENOUGH = 2.0  # seconds of cancelling, so that there is time to answer


class _Wrong(ValueError):
    """What was typed is no window; the message is a sentence of the page."""


@pages.get("/abuse")
def abuse_page() -> Answer:
    return _page()


@pages.post("/abuse/look")
def look_at_attack() -> Answer:
    """How many sign-ups it is about; changes nothing."""
    return _page(found=cancelling.look(_window()))


@pages.post("/abuse/cancel")
def cancel_attack() -> Answer:
    """What is left after a while, another press cancels."""
    window, act, done, began = _window(), guard.act(cancelling.ACT), Count(), Clock.ticks()
    with closing(cancelling.cancel(window, act.at, act.actor, act.actor_kind)) as batches:
        for count in batches:
            done.registrations += count.registrations
            if Clock.ticks() - began > ENOUGH:
                break
    left = cancelling.look(window)
    said = ngettext("%(num)d sign-up is cancelled.", "%(num)d sign-ups are cancelled.", done.registrations)
    return _page(done=said, found=left if left.registrations else None)


@pages.errorhandler(_Wrong)
def _told(error: _Wrong) -> Answer:
    return _page(str(error))


def _window() -> Window:
    since, until = _time("since"), _time("until") or now()
    if since is None:
        raise _Wrong(gettext("Please say when it began."))
    if until <= since:
        raise _Wrong(gettext("The end must be later than the beginning."))
    text, slug = request.form.get("network", "").strip(), request.form.get("list", "")
    try:
        networks = (ipaddress.ip_network(text),) if text else ()
    except ValueError:
        raise _Wrong(gettext("Please write the network like 203.0.113.0/24 or 2001:db8::/48.")) from None
    return Window(since, until, networks, guard.the_list(slug).id if slug else None)


def _time(name: str) -> datetime | None:
    """In the zone of the page, which is that of the first list."""
    text = request.form.get(name, "").strip()
    try:
        read = datetime.fromisoformat(text) if text else None
        return read.replace(tzinfo=clock.zone_of(_zone())).astimezone(UTC) if read else None
    except (ValueError, OverflowError):  # the latter in the first hours of year 1
        raise _Wrong(gettext("Please write the time like %(time)s.", time=f"{now():%Y-%m-%dT%H:%M}")) from None


def _zone() -> str:
    lists = current_parts().catalogue.configured
    return lists[0].timezone if lists else "UTC"


def _named(name: str) -> str:
    """A list or a mail domain, in words where its name is not known."""
    return name.told(gettext) if isinstance(name, Sentence) else name


def _rates(*rates: Rate) -> str:
    return telling.sentence(Said("%(rates)s", {"rates": Rates(rates)})) if rates else ""


def _page(problem: str = "", **shown: Any) -> Answer:
    parts, at = current_parts(), now()
    with reading() as session:
        seen = flood.look(session, parts, at)
        names = {str(row.id): row.email for row in accounts.all_of(session)}
        limit = parts.policy.network
        limited, most = (
            guards.busiest(session, Counted.SIGN_UPS, at, limit.period, limit.count + 1) if limit else (0, 0)
        )
    page = render_template(
        "desk/abuse.html", seen=seen, on=[one for _, one in seen.openings if one.is_on(at)], problem=problem,
        zone=at.astimezone(clock.zone_of(_zone())).tzname(),
        budget=_rates(*parts.policy.mails), network=_rates(*([limit] if limit else [])),
        abuse=parts.settings.abuse, rows=guard.lists(), limited=limited, most=most,
        domains=len(parts.disposable), domains_since=parts.disposable_since, version=__version__,
        clean_ups=[acts_told.told(row, names) for row in seen.clean_ups], days=PROTECTED.days, typed=request.form,
        total=sum(seen.minutes.values()), watched=parts.settings.thresholds, named=_named, **shown,
    )  # fmt: skip
    return (page, 422) if problem else page
