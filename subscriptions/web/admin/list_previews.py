"""The preview of a list, from what stands in the editor: the real form, pages and mails, with nothing stored."""

import re

from flask import Response, abort, current_app, render_template, request, url_for
from flask_babel import force_locale

from subscriptions.languages import locale_of
from subscriptions.look import tokens
from subscriptions.look.shades import sheet
from subscriptions.mail.compose import Composer
from subscriptions.mail.preview import ADDRESS, Previews
from subscriptions.parts import current_parts
from subscriptions.store import lists
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List
from subscriptions.web.admin import guard, list_form, pages
from subscriptions.web.admin.list_editor import SHOWN, said_of
from subscriptions.web.embed.options import COLOUR
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.mail_page import mail_page, parsed
from subscriptions.web.pages.sign_up_form import describe


@pages.route("/lists/<slug>/preview", methods=["GET", "POST"])
def preview_list(slug: str) -> Response | str | tuple[str, int]:
    """As it is, or as the form that is sent says it."""
    row = guard.any_list(slug)
    said, what = said_of(row), request.values.get("shown", "form")
    if what not in SHOWN:
        abort(404)
    if request.method == "POST":
        form = list_form.sent(request.form, request.files.get("logo"))
        read = list_form.read(form, said)
        if read is None:
            headers.allow(frame_ancestors="'self'")
            return render_template("desk/not_shown.html", wrong=form.wrong), 422
        said = read
    catalogue, shown = lists.would_be(current_parts().catalogue, row, said)
    tag = current_parts().languages.best(request.values.get("in"), (), said.locale)
    scheme = request.values.get("scheme", "")
    if what in ("confirm", "welcome"):
        page = mail_page(parsed(_mail(catalogue, shown, what, tag)), scheme)
        return page if shown.logo == row.logo else _with_logo(page, shown.logo)
    headers.allow(frame_ancestors="'self'", img_src="data:")  # of a logo; a mail brings a policy of its own
    with force_locale(locale_of(tag, said.address_form)):
        return _web_page(catalogue, shown, what, scheme)


def _mail(catalogue: Catalogue, row: List, kind: str, tag: str) -> bytes:
    parts = current_parts()
    composer = Composer(current_app.jinja_env, parts.settings, parts.links, lambda: catalogue, parts.languages)
    return Previews(composer, parts.settings, catalogue, now()).one(kind, row, tag).octets


def _with_logo(page: Response, logo: str) -> Response:
    """A mail names its logo, and one that is not saved has no address yet: the picture itself takes its place."""
    page.set_data(re.sub(r'src="[^"]*/logo\?v=\w+"', f'src="{logo}"', page.get_data(as_text=True)))
    policy = page.headers["Content-Security-Policy"]
    page.headers["Content-Security-Policy"] = policy.replace("img-src ", "img-src data: ")
    return page


def _web_page(catalogue: Catalogue, row: List, what: str, scheme: str) -> str:
    told = language.said(row)
    look = url_for("desk.preview_look", slug=row.slug, scheme=scheme, colour=row.colour)
    around = {"framed": [] if what == "form" else None, "framed_look": look, "framed_scheme": scheme, "footer": [told],
              "languages": (), "is_tried": False}  # fmt: skip
    if what == "confirmed":
        subscribed = [{"list": told, "unsubscribe_url": "#"}]
        return render_template("pages/confirmed.html", is_one=True, subscribed=subscribed, subscribed_names=told.name,
                               address=ADDRESS, tab=None, **around)  # fmt: skip
    form = describe([row], row.fields, "#", is_choice=False, wordings=catalogue.wordings)
    return render_template("pages/subscribe.html", form=form, values={}, hint=None, chosen=(), problems=(), **around)


@pages.get("/lists/<slug>/preview.css")
def preview_look(slug: str) -> Response:
    """The colours of the design and of the form that is shown, by day or at night."""
    row, colour = guard.any_list(slug), request.args.get("colour", "")
    css = tokens.FILE.read_text("utf-8") + (sheet(row.slug, colour) if COLOUR.fullmatch(colour) else "")
    return Response(tokens.fixed(css, request.args.get("scheme", "")), mimetype="text/css")
