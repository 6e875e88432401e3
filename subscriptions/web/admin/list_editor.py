"""The editor of a list: its texts, who is responsible, the form, its emails, beside a preview."""

from dataclasses import asdict
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext

from subscriptions import languages
from subscriptions.actions import Refused
from subscriptions.actions import lists as acts
from subscriptions.domain.fields import FIELDS
from subscriptions.domain.roles import Right
from subscriptions.languages import marked
from subscriptions.look.pictures import known_picture
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings
from subscriptions.store import list_changes, lists
from subscriptions.store.models import List, Owner
from subscriptions.web.admin import Answer, guard, list_form, pages, policies, record
from subscriptions.web.admin.list_form import LOGO, OWN, ListForm
from subscriptions.web.http import headers
from subscriptions.web.http.adapter import now
from subscriptions.web.http.branding import drawn, look_of
from subscriptions.web.pages.versions import day

SHOWN = {
    "form": marked("The form on your site"), "page": marked("The sign-up page"),
    "confirm": marked("The confirmation email"), "confirmed": marked("The page after confirming"),
    "welcome": marked("The welcome email"),
}  # fmt: skip
_STALE = marked("Somebody else changed this list while you were writing. Below is what they wrote; the form has your "
                "text. Save again to replace theirs.")  # fmt: skip
_DONE = {
    "saved": marked("Saved."),
    "same": marked("Nothing was changed."),
    "take-over": marked("From now on this list is kept here. You can remove its [[lists]] from config.toml: it is no "
                        "longer used."),
    "made": marked("The list is made. Complete its texts now."),
}  # fmt: skip


_UNSHOWN = {f"{OWN}.slug", LOGO}  # where two texts are compared


def said_of(row: List) -> ListSettings:
    return lists.told(row, current_parts().catalogue.wordings)


@pages.get("/lists/<slug>")
def edit_list(slug: str) -> str:
    row = guard.any_list(slug)
    return _page(row, list_form.filled_with(said_of(row)), list_changes.mark(row), done=request.args.get("done", ""))


@pages.post("/lists/<slug>")
def save_list(slug: str) -> Answer:
    row, mark = guard.any_list(slug), request.form.get("mark", "")
    form = list_form.sent(request.form, request.files.get("logo"))
    before, what = said_of(row), request.form.get("do", "save")
    if what == "language" and (tag := request.form.get("language")):
        return _page(row, list_form.with_language(form, tag), mark)
    if what.startswith("compose."):
        tag = what.removeprefix("compose.")
        form.typed[f"{tag}.wording"] = list_form.composed(form, before, tag)
        return _page(row, form, mark)
    said = list_form.read(form, before)
    if said is None:
        return _page(row, form, mark), 422
    return _save(row, form, said, mark)


def _save(row: List, form: ListForm, said: ListSettings, mark: str) -> Answer:
    try:
        changed = acts.change(asdict(said), now(), guard.act("lists edit", list=row.slug), mark)
    except Refused as error:
        return _page(row, form, mark, problem=gettext(str(error))), 422
    except acts.Stale:
        current_parts().follow()
        row = guard.any_list(row.slug)
        theirs = _differences(said_of(row), form)
        return _page(row, form, list_changes.mark(row), problem=gettext(_STALE), theirs=theirs), 409
    current_parts().follow()
    return redirect(url_for("desk.edit_list", slug=row.slug, done="saved" if changed else "same"), 303)


def _differences(theirs: ListSettings, form: ListForm) -> list[tuple[str, str, str]]:
    """Field, what somebody else wrote, what stands in the form."""
    written = list_form.filled_with(theirs).typed
    return [(name, text, form.typed.get(name, "")) for name, text in written.items()
            if name not in _UNSHOWN and text != form.typed.get(name, "")]  # fmt: skip


def _new_logo(row: List, form: ListForm) -> str:
    """One that is not saved yet: it comes back with the form, since browsers forget the file."""
    logo = form.typed.get(LOGO, "")
    return "" if logo == row.logo or any(one.field == LOGO for one in form.wrong) else logo


def _changed(row: List) -> str:
    """The day on which its privacy policy became another one."""
    found = policies.last_change(row)
    return day(found.valid_from, row) if found else ""


def _other(row: List) -> list[str]:
    """In which languages the text for its privacy policy is another now than when it was copied."""
    return [tag for _, tag in record.others([row])] if guard.may("desk.record") else []


def _page(row: List, form: ListForm, mark: str, problem: str = "", done: str = "", **more: Any) -> str:
    parts, may = current_parts(), guard.who().may(Right.TEXTS)
    new_logo, root = _new_logo(row, form), parts.settings.root
    picture = known_picture(new_logo, root) if new_logo else None
    headers.allow(frame_src="'self'", img_src="data:" if picture else "")
    known = {tag: languages.own_name(tag) for tag in parts.languages.tags}
    own = parts.languages.known(form.typed.get(f"{OWN}.locale", "")) or row.locale
    shown = {
        "row": row, "form": form, "of_now": mark, "problem": problem,
        "done": gettext(_DONE[done]) if done in _DONE else "",
        "is_file": row.owner is Owner.FILE, "may_edit": may and row.owner is not Owner.FILE,
        "may_keep": guard.who().may(Right.SERVICE), "todo": lists.lacks(row), "is_live": parts.catalogue.is_live,
        "further": {tag: name for tag, name in known.items() if tag not in (*form.tags, own)},
        "policy_changed": _changed(row), "text_changed": _other(row),
        "known": known, "own": own, "keys": FIELDS, "previews": SHOWN,
        "new_logo": new_logo if picture else "",
        "logo": drawn(new_logo, picture) if picture else look_of(row, root).logo,
    }  # fmt: skip
    return render_template("desk/list.html", **shown, **more)
