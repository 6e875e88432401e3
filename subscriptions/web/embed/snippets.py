"""What a website owner pastes: the form as plain HTML, as a frame, as a script (X-20)."""

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from subscriptions.web.embed.options import Options
from subscriptions.web.http import urls

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
    texts = data["texts"]
    lines = [tag("form", action=data["action"], method="post", accept_charset="utf-8", lang=data["lang"])]
    for field in data["fields"]:
        lines += _field(field, f"yestwice-{data['list']}-{field['name']}")
    for one in data["lists"]:
        lines += _consent(one, texts, options)
    lines.append(Markup("  <p><small>{}</small></p>").format(texts["fine"]))
    lines += _unseen(data, options)
    lines += [Markup('  <p><button type="submit">{}</button></p>').format(texts["subscribe"]), Markup("</form>")]
    return "\n".join(lines)


def _field(field: dict[str, Any], id_: str) -> Iterator[Markup]:
    known = {name: field[name] for name in ("name", "type", "autocomplete")}
    control = tag("input", *(["required"] if field["required"] else []), id=id_, **known, maxlength=field["longest"])
    label = Markup("{}{} ({})</label>").format(tag("label", for_=id_), field["label"], field["need"])
    yield Markup("  <p>\n    {}<br>\n    {}\n  </p>").format(label, control)


def _consent(one: dict[str, Any], texts: dict[str, Any], options: Options) -> Iterator[Markup]:
    """The wording of a list, word for word; where there are several, with a choice that nobody has made yet."""
    if options.is_choice:
        box = tag("input", type="checkbox", name="lists", value=one["list"])
        yield Markup("  <p><label>{} {}</label></p>").format(box, one["name"])
    text = Markup("<br>\n    ").join(escape(line) for line in one["text"].splitlines())
    text = Markup("{}{}</span>").format(tag("span", lang=one["lang"]), text)
    yield Markup("  <p>\n    {}<br>\n    {}<br>\n    {}\n  </p>").format(texts["agree"], text, one["purpose"])
    if one["policy_url"]:
        yield Markup("  <p>{}{}</a></p>").format(tag("a", href=one["policy_url"]), texts["policy"])


def _unseen(data: dict[str, Any], options: Options) -> Iterator[Markup]:
    trap = tag("input", name=data["honeypot"], tabindex="-1", autocomplete="off")
    yield Markup("  <p hidden><label>{} {}</label></p>").format(data["texts"]["trap"], trap)
    of_list = {f"wording-{one['list']}" if options.is_choice else "wording": one["wording"] for one in data["lists"]}
    for name, value in {**of_list, **data["hidden"], "return_url": options.return_url}.items():
        if value:
            yield Markup("  ") + tag("input", type="hidden", name=name, value=value)


def framed(data: dict[str, Any], options: Options) -> str:
    """A frame, and the script that gives it the height of what is in it."""
    frame = tag(
        "iframe", src=f"{data['frame']}?{frame_query(data, options)}", title=data["texts"]["title"], width="100%",
        height=HEIGHT, frameborder="0", referrerpolicy="origin", data_wording=_wordings(data),
    )  # fmt: skip
    return "\n".join([frame + Markup("</iframe>"), script("frame.js", "async")])


def frame_query(data: dict[str, Any], options: Options) -> str:
    return urlencode({"lang": data["lang"], **options.query()}, safe=",")


def _wordings(data: dict[str, Any]) -> str:
    """What stood in the form when the snippet was made, for whoever reads the page's source years later."""
    return " ".join(one["wording"] for one in data["lists"])


def element(data: dict[str, Any], options: Options) -> str:
    """A script that puts the form where it stands."""
    wished = {f"data_{name}": value for name, value in options.query().items()}
    known = {"data_list": data["list"], "data_lang": data["lang"], **wished, "data_wording": _wordings(data)}
    return script("yestwice.js", "async", **known)


def script(name: str, *flags: str, **attributes: object) -> Markup:
    src = urls.public(f"/embed/v1/{name}")
    known = {"src": src, "integrity": integrity(name), "crossorigin": "anonymous"}
    return tag("script", *flags, **known, **attributes) + Markup("</script>")
