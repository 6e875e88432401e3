"""What a website owner pastes: the form as plain HTML, as a frame, as a script."""

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from markupsafe import Markup, escape

from subscriptions.web.embed.options import Options
from subscriptions.web.http import language, urls
from subscriptions.web.intake.fields import Input
from subscriptions.web.pages.sign_up_form import Agreement, SignUpForm

SCRIPTS = Path(__file__).parent / "scripts" / "v1"
HEIGHT = 720  # of a frame whose page has no script of ours


@lru_cache
def integrity(name: str) -> str:
    """What browsers hold a script against (SRI)."""
    return "sha384-" + base64.b64encode(hashlib.sha384((SCRIPTS / name).read_bytes()).digest()).decode()


def tag(name: str, /, *flags: str, **attributes: object) -> Markup:
    """An opening tag; attributes without a value are left out, `data_list` becomes `data-list`."""
    given = {key.replace("_", "-").strip("-"): value for key, value in attributes.items() if value not in ("", None)}
    parts = [name, *(Markup('{}="{}"').format(key, value) for key, value in given.items()), *flags]
    return Markup("<{}>").format(Markup(" ").join(parts))


def plain(form: SignUpForm) -> str:
    """A form that works alone, on any site and without a script."""
    lines = [tag("form", action=form.action, method="post", accept_charset="utf-8", lang=language.current())]
    for number, field in enumerate(form.fields):
        if number == 1 and form.about:
            lines.append(Markup("  <p><small>{}</small></p>").format(form.about))
        lines.append(_field(field, f"yestwice-{form.agreements[0].list.slug}-{field.name}"))
    for entry in form.agreements:
        lines += _consent(entry, form)
    lines.append(Markup("  <p><small>{}</small></p>").format(form.fine))
    lines += _unseen(form)
    lines += [Markup('  <p><button type="submit">{}</button></p>').format(form.button), Markup("</form>")]
    return "\n".join(lines)


def _field(field: Input, id_: str) -> Markup:
    hint_id = f"{id_}-hint" if field.hint else ""
    control = tag(
        "input", *(["required"] if field.required else []), id=id_, name=field.name, type=field.type,
        autocomplete=field.autocomplete, maxlength=field.longest, aria_describedby=hint_id,
    )  # fmt: skip
    label = Markup("{}{} ({})</label>").format(tag("label", for_=id_), field.label, field.need)
    hint = Markup("{}{}</small><br>\n    ").format(tag("small", id=hint_id), field.hint) if field.hint else ""
    return Markup("  <p>\n    {}<br>\n    {}{}\n  </p>").format(label, hint, control)


def _consent(entry: Agreement, form: SignUpForm) -> Iterator[Markup]:
    """The wording of a list, word for word; where there are several, with a choice that nobody has made yet."""
    if form.is_choice:
        box = tag("input", type="checkbox", name="lists", value=entry.list.slug)
        yield Markup("  <p><label>{} {}</label></p>").format(box, entry.list.name)
    text = Markup("<br>\n    ").join(escape(line) for line in entry.wording.text.splitlines())
    text = Markup("{}{}</span>").format(tag("span", lang=entry.list.locale), text)
    yield Markup("  <p>\n    {}<br>\n    {}<br>\n    {}\n  </p>").format(form.agree, text, entry.purpose)
    if entry.wording.policy_url:
        yield Markup("  <p>{}{}</a></p>").format(tag("a", href=entry.wording.policy_url), form.policy)


def _unseen(form: SignUpForm) -> Iterator[Markup]:
    trap = tag("input", name=form.trap.name, tabindex="-1", autocomplete=form.trap.autocomplete)
    yield Markup("  <p hidden><label>{} {}</label></p>").format(form.trap.label, trap)
    for name, value in form.unseen.items():
        yield Markup("  ") + tag("input", type="hidden", name=name, value=value)


def framed(form: SignUpForm, src: str) -> str:
    """A frame, and the script that gives it the height of what is in it."""
    frame = tag(
        "iframe", src=urls.public(src), title=form.title, width="100%", height=HEIGHT, frameborder="0",
        referrerpolicy="origin", data_wording=_wordings(form),
    )  # fmt: skip
    return "\n".join([frame + Markup("</iframe>"), script("frame.js", "async")])


def frame_src(options: Options) -> str:
    query = urlencode({"lang": language.current(), **options.query()}, safe=",")
    return f"/embed/{options.rows[0].slug}/frame?{query}"


def _wordings(form: SignUpForm) -> str:
    """What stood in the form when the snippet was made, for whoever reads the page's source years later."""
    return " ".join(entry.wording.id for entry in form.agreements)


def element(form: SignUpForm, options: Options) -> str:
    """A script that puts the form where it stands."""
    wished = {f"data_{name}": value for name, value in options.query().items()}
    known = {"data_list": options.rows[0].slug, "data_lang": language.current(), **wished}
    return script("yestwice.js", "async", **known, data_wording=_wordings(form))


def script(name: str, *flags: str, **attributes: object) -> Markup:
    src = urls.public(f"/embed/v1/{name}")
    known = {"src": src, "integrity": integrity(name), "crossorigin": "anonymous"}
    return tag("script", *flags, **known, **attributes) + Markup("</script>")
