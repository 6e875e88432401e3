"""What a privacy officer does about a person: each with a reason, a look at what it changes, and a row in the audit."""

from flask import request
from flask_babel import gettext

from subscriptions.actions import erase, on_behalf, suppress
from subscriptions.actions.on_behalf import ACTOR
from subscriptions.domain.evidence import Channel
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.parts import current_parts
from subscriptions.store import addresses, kept
from subscriptions.store.engine import reading
from subscriptions.web.admin import Answer, guard, pages, telling
from subscriptions.web.admin.act_form import (
    chosen,
    done,
    how_it_came,
    no_list,
    reason,
    to_fill_in,
    today,
    unchanged,
)
from subscriptions.web.admin.people import the_person
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now

# Stop emails, and allow them again


@pages.route("/people/<key>/suppress", methods=["GET", "POST"])
def suppress_person(key: str) -> Answer:
    found = the_person(key)
    if telling.is_silent(found.told):
        return unchanged("suppress", found)
    (why, problem), named = reason(), request.form.get("scope", "")
    if named not in [*SuppressionScope]:
        problem = problem or gettext("Please choose which emails to stop.")
    if page := to_fill_in("suppress", found, problem):
        return page
    scope = SuppressionScope(named)
    if scope is SuppressionScope.CONFIRMATIONS and any(
        one.scope is scope and one.list_id is None and one.until is None for one in found.told.against
    ):
        return unchanged("suppress", found)
    act = guard.act("people suppress", found.key, reason=why, scope=str(scope))
    policy = current_parts().policy
    suppress.suppress(found.key, scope, why, act.at, policy, ACTOR, Channel.DESK, act, found.mailbox)
    return done("suppress", found)


@pages.route("/people/<key>/lift", methods=["GET", "POST"])
def lift_person(key: str) -> Answer:
    found = the_person(key)
    if not found.told.against:
        return unchanged("lift", found)
    why, problem = reason()
    if page := to_fill_in("lift", found, problem, against=[telling.sentence(one) for one in found.told.said_no]):
        return page
    act = guard.act("people lift", found.key, reason=why)
    lifted = suppress.lift(found.key, mailbox=found.mailbox, act=act)
    return done("lift", found) if lifted else unchanged("lift", the_person(key))


# Erase


@pages.route("/people/<key>/erase", methods=["GET", "POST"])
def erase_person(key: str) -> Answer:
    found, parts = the_person(key), current_parts()
    with reading() as session:
        row = addresses.find(session, found.key)
        stays = kept.after_erasure(session, found.key, now(), parts.policy, found.mailbox)
    if (row and row.erase_by) or found.address is None:
        return unchanged("erase", found)
    why, problem = reason()
    said = parts.sender.composer.what_stays(stays, language.current(), language.words)
    if page := to_fill_in("erase", found, problem, stays=said):
        return page
    act = guard.act("people erase", found.key, reason=why)
    asked = erase.ask(found.key, act.at, parts.policy, ACTOR, act, found.mailbox, Channel.DESK)
    if not asked.is_asked:
        return unchanged("erase", found)
    parts.wake_sender()
    return done("erase", found)


# Restrict, and lift it (GDPR 18)


@pages.route("/people/<key>/restrict", methods=["GET", "POST"])
def restrict_person(key: str) -> Answer:
    found = the_person(key)
    lists = [telling.list_of(row.list_id) for row in found.open if not row.restricted]
    if not lists:
        return unchanged("restrict", found)
    (why, problem), rows = reason(), chosen(lists)
    if page := to_fill_in("restrict", found, problem or no_list(rows), choices=lists):
        return page
    act = guard.act("people restrict", found.key, reason=why, lists=[row.slug for row in rows])
    changed = on_behalf.restrict(found.key, {row.id for row in rows}, {"reason": why}, act.at, act)
    return done("restrict", found) if changed else unchanged("restrict", the_person(key))


@pages.route("/people/<key>/unrestrict", methods=["GET", "POST"])
def unrestrict_person(key: str) -> Answer:
    """Only once the person was told (GDPR 18(3)): how and when stays in the evidence."""
    found = the_person(key)
    lists = [telling.list_of(row.list_id) for row in found.open if row.restricted]
    if not lists:
        return unchanged("unrestrict", found)
    (channel, at, problem), rows, on = how_it_came(lists[0]), chosen(lists), today(lists[0])
    by_mail = request.form.get("channel") == "mail"
    problem = no_list(rows) if by_mail else problem or no_list(rows)
    if page := to_fill_in("unrestrict", found, problem, choices=lists, today=on.isoformat()):
        return page
    if by_mail:
        act = guard.act("people unrestrict", found.key, lists=[row.slug for row in rows], told="mail")
        told_now = on_behalf.announce_lift(found.key, {row.id for row in rows}, act.at, act)
        current_parts().wake_sender()
        return done("announce", found) if told_now else unchanged("announce", the_person(key))
    told = {"told": channel, "told_on": (at.date() if at else on).isoformat()}
    act = guard.act("people unrestrict", found.key, lists=[row.slug for row in rows], **told)
    changed = on_behalf.restrict(found.key, {row.id for row in rows}, told, act.at, act, lift=True)
    return done("unrestrict", found) if changed else unchanged("unrestrict", the_person(key))
