"""The form: of one list, or with a choice among several; and what was sent with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Flask, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions.gate import Limited, Pass, ProofNeeded
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.evidence import Channel
from subscriptions.parts import current_parts
from subscriptions.settings import Settings
from subscriptions.store.models import List
from subscriptions.web.http import language, open_tab, urls
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.client_ip import is_straight_from_loopback
from subscriptions.web.http.lists import the_list, there_are
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import too_many
from subscriptions.web.intake import guard, hints
from subscriptions.web.intake.fields import shown_fields
from subscriptions.web.intake.hints import Hint
from subscriptions.web.intake.parse import from_form
from subscriptions.web.intake.submit import complete, is_behind, new_handle, submit
from subscriptions.web.pages import one_more_step
from subscriptions.web.pages.sign_up_form import SignUpForm, describe

pages = Blueprint("pages", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    @app.context_processor
    def always() -> dict[str, Any]:
        is_tried, hours = settings.mail.transport == "mailbox", settings.lifecycle.confirm_within_hours
        mailbox = url_for("mailbox.index") if is_tried and is_straight_from_loopback(incoming()) else None
        # not above a list's own form, whose button stands on the first screen of a phone
        tour = url_for("tour.show") if mailbox and request.endpoint != "pages.form" else None
        desk = url_for("desk.sign_in_page") if mailbox and settings.admin.enabled else None
        return {"footer": None, "framed": g.get("framed"), "here": urls.here,
                "is_tried": is_tried, "mailbox_url": mailbox, "hours": hours, "desk_url": desk,
                "tour_url": tour}  # fmt: skip


@pages.get("/")
def index() -> str:
    rows = _public()
    return form_of(rows) if rows else render_template("pages/nothing.html")


@pages.get("/subscribe/<slug>")
def form(slug: str) -> str:
    return form_of([the_list(slug)])


@pages.get("/subscribe")
def choose() -> BaseResponse | str:
    rows = _offered()
    if len(rows) == 1:
        return redirect(url_for("pages.form", slug=rows[0].slug))
    return form_of(rows) if rows else redirect(url_for("pages.index"))


def form_of(rows: Sequence[List], values: Mapping[str, str] | None = None, chosen: Sequence[str] = ()) -> str:
    """The form of these lists; of more than one, each is a choice."""
    return _form(rows, values, chosen=chosen, is_choice=len(rows) > 1)


@pages.post("/subscribe/<slug>")
def subscribe(slug: str) -> BaseResponse | tuple[str, int]:
    return subscribe_to([the_list(slug)], is_choice=False)


@pages.post("/subscribe")
def subscribe_chosen() -> BaseResponse | tuple[str, int]:
    return subscribe_to(_offered(), is_choice=True)


def subscribe_to(rows: Sequence[List], *, is_choice: bool) -> BaseResponse | tuple[str, int]:
    """What the form of these lists was sent with."""
    language.of_list(*rows)
    form, locale = hints.chosen(request.form), language.to_store(rows[0]) if rows else None
    parts, row = current_parts(), None if is_choice else rows[0]
    special = parts.settings.takes_special
    asked = from_form(form, row, parts.catalogue, locale, special=special)
    if is_behind(asked):
        parts.follow()
        asked = from_form(form, row, parts.catalogue, locale, special=special)
    chosen = _chosen() if is_choice else list(rows)
    wrong = [*(asked if isinstance(asked, list) else []), *urls.wrong_return(chosen)]
    # a form of another site may offer what ours does not
    rows = list({row.slug: row for row in [*rows, *chosen]}.values())
    if isinstance(asked, list) or wrong:
        return _form(rows, form, wrong, is_choice=is_choice), 422
    verdict = Pass() if incoming().outcome else guard.judge(form, asked, incoming(), parts)
    if isinstance(verdict, guard.Step):
        return one_more_step.page(asked, verdict)
    hint = None if incoming().outcome else hints.unseen(form, asked.address, parts)
    if hint:
        return _form(rows, form, hint=hint, is_choice=is_choice), 422
    return take(asked, Channel.FORM, verdict)


def take(asked: SignUp, channel: Channel, brings: Pass | None = None) -> BaseResponse:
    """Subscribe and lead to the inbox; the same for everyone."""
    parts = current_parts()
    handle = new_handle(asked, parts)
    sign_up = complete(asked, parts.links.ref(handle), channel, incoming(), parts, brings=brings)
    refused = submit(sign_up, incoming(), parts)
    if isinstance(refused, Limited):
        return too_many(refused)
    if isinstance(refused, ProofNeeded):
        return one_more_step.page(asked, guard.refused(asked, brings, parts))
    return _after_sign_up(asked, handle, by_form=channel is Channel.FORM)


def _after_sign_up(asked: SignUp, handle: str, *, by_form: bool) -> BaseResponse:
    """To the page that the form names, or the list; else, and in a frame, to ours, which alone is told the address."""
    row, *others = asked.rows
    away = urls.return_url(asked.rows) or row.thank_you_url if by_form and not urls.is_framed() else ""
    also = ",".join(other.slug for other in others) or None
    if away:
        return redirect(away, 303)
    # who comes by the button of an old mail may be another reader of it
    sealed = current_parts().links.addresses.seal(handle, asked.address.mailed) if by_form else None
    return redirect(urls.here("check_inbox", row, r=handle, a=sealed, also=also, **open_tab.stamp()), 303)


def _offered() -> list[List]:
    rows = _public()
    if "lists" in request.args:
        slugs = dict.fromkeys(request.args["lists"].split(","))
        rows = there_are(slugs)
        if len(rows) < len(slugs):
            abort(404)
    language.of_list(*rows)
    return rows


def _public() -> list[List]:
    return [row for row in current_parts().catalogue.configured if row.public]


def _chosen() -> list[List]:
    return there_are(request.form.getlist("lists"))


def _described(rows: Sequence[List], *, is_choice: bool = False) -> SignUpForm:
    chosen, action = _chosen() if is_choice else rows, _action(rows, is_choice=is_choice)
    back = urls.return_url(chosen) if chosen else urls.carried_return_url(rows)
    urls.may_lead_to(back, *(row.thank_you_url for row in rows))
    fields, computes = shown_fields(rows, request.args), one_more_step.is_asked_here(*rows)
    return describe(rows, fields, action, back, is_choice=is_choice, computes=computes)


def _action(rows: Sequence[List], *, is_choice: bool) -> str:
    if is_choice and not urls.is_framed():
        return url_for("pages.subscribe_chosen", lists=request.args.get("lists"))
    return urls.here("subscribe", rows[0])


def _form(
    rows: Sequence[List], values: Mapping[str, str] | None = None, wrong: Sequence[Problem] = (),
    hint: Hint | None = None, *, is_choice: bool, chosen: Sequence[str] = (),
) -> str:  # fmt: skip
    open_tab.comes_from_form()
    language.of_list(*rows)
    shown = {"form": _described(rows, is_choice=is_choice), "values": values or {}, "hint": hint,
             "chosen": chosen or request.form.getlist("lists"), "problems": language.in_words(wrong)}  # fmt: skip
    return render_template("pages/subscribe.html", **shown, footer=language.told_of(rows) or None)
