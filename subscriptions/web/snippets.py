"""What a website owner pastes: the form as plain HTML, as a frame, as a script (X-20)."""

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from subscriptions.store.models import List
from subscriptions.web import place
from subscriptions.web.options import Options

SCRIPTS = Path(__file__).parent / "scripts" / "v1"
HEIGHT = 720  # of a frame whose page has no script of ours


@lru_cache
def integrity(name: str) -> str:
    """What browsers hold a script against (SRI)."""
    return "sha384-" + base64.b64encode(hashlib.sha384((SCRIPTS / name).read_bytes()).digest()).decode()


def tag(name: str, /, *flags: str, **attributes: object) -> Markup:
    """An opening tag; attributes without a value are left out, `data_list` becomes `data-list`."""
    given = [(key.replace("_", "-").strip("-"), value) for key, value in attributes.items() if value not in ("", None)]
    return (
        Markup("<")
        + name
        + Markup("").join(Markup(' {}="{}"').format(*one) for one in given)
        + "".join(f" {flag}" for flag in flags)
        + Markup(">")
    )


def plain(data: dict[str, Any], options: Options) -> str:
    """A form that works alone, on any site and without a script."""
    texts, wording = data["texts"], data["wording"]
    lines = [tag("form", action=data["action"], method="post", accept_charset="utf-8", lang=data["lang"])]
    for field in data["fields"]:
        lines += _field(field, f"yestwice-{data['list']}-{field['name']}")
    lines.append(Markup("  <p>\n    {}<br>\n    {}\n  </p>").format(texts["agree"], _lines(wording)))
    if wording["policy_url"]:
        lines.append(Markup("  <p>{}{}</a></p>").format(tag("a", href=wording["policy_url"]), texts["policy"]))
    lines.append(Markup("  <p><small>{}</small></p>").format(texts["fine"]))
    lines += _unseen(data, options)
    lines += [Markup('  <p><button type="submit">{}</button></p>').format(texts["subscribe"]), Markup("</form>")]
    return "\n".join(lines)


def _field(field: dict[str, Any], id_: str) -> Iterator[Markup]:
    known = {name: field[name] for name in ("name", "type", "autocomplete")}
    control = tag("input", *(["required"] if field["required"] else []), id=id_, **known, maxlength=field["longest"])
    label = Markup("{}{} ({})</label>").format(tag("label", for_=id_), field["label"], field["need"])
    yield Markup("  <p>\n    {}<br>\n    {}\n  </p>").format(label, control)


def _lines(wording: dict[str, str]) -> Markup:
    text = Markup("<br>\n    ").join(escape(line) for line in wording["text"].splitlines())
    return Markup("{}{}</span>").format(tag("span", lang=wording["lang"]), text)


def _unseen(data: dict[str, Any], options: Options) -> Iterator[Markup]:
    trap = tag("input", name=data["honeypot"], tabindex="-1", autocomplete="off")
    yield Markup("  <p hidden><label>{} {}</label></p>").format(data["texts"]["trap"], trap)
    members = {"wording": data["wording"]["id"], **data["hidden"], "return_url": options.return_url}
    for name, value in members.items():
        if value:
            yield Markup("  ") + tag("input", type="hidden", name=name, value=value)


def frame_url(row: List, options: Options, lang: str) -> str:
    return place.public(f"/embed/{row.slug}/frame?{urlencode({'lang': lang, **options.query(row)})}")


def framed(data: dict[str, Any], row: List, options: Options) -> str:
    """A frame, and the script that gives it the height of what is in it."""
    frame = tag(
        "iframe", src=frame_url(row, options, data["lang"]), title=data["texts"]["title"], width="100%", height=HEIGHT,
        frameborder="0", referrerpolicy="origin", data_wording=data["wording"]["id"],
    )  # fmt: skip
    return "\n".join([frame + Markup("</iframe>"), script("frame.js", "async")])


def element(data: dict[str, Any], row: List, options: Options) -> str:
    """A script that puts the form where it stands."""
    wished = {f"data_{name}": value for name, value in options.query(row).items()}
    return script(
        "yestwice.js", "async", data_list=row.slug, data_lang=data["lang"], **wished, data_wording=data["wording"]["id"]
    )


def script(name: str, *flags: str, **attributes: object) -> Markup:
    src = place.public(f"/embed/v1/{name}")
    known = {"src": src, "integrity": integrity(name), "crossorigin": "anonymous"}
    return tag("script", *flags, **known, **attributes) + Markup("</script>")
