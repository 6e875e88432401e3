"""The looks of the plain form: the classes that a framework of the site's styles knows, or none and a few rules."""

from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from subscriptions.languages import marked

# frameworks take borders and grounds off fields and buttons; a rule of the site's own with a class is stronger
RULES = Markup("""<style>
  .yestwice :where(input:not([type=checkbox])) { display: block; box-sizing: border-box; width: 100%; max-width: 30rem;
    padding: .5rem .75rem; border: 1px solid #767676; font: inherit; color: inherit; background: transparent }
  .yestwice :where(button) { padding: .625rem 1.5rem; border: 1px solid currentcolor; font: inherit; font-weight: 600;
    color: inherit; background: transparent; cursor: pointer }
</style>""")


@dataclass(frozen=True, slots=True)
class Preset:
    """The classes of each part of the form."""

    name: str
    form: str = ""
    part: str = ""  # a paragraph with a field in it
    label: str = ""
    input: str = ""
    choice: str = ""  # a checkbox
    small: str = ""
    button: str = ""
    rules: str = ""


LOOKS = MappingProxyType({
    "none": Preset(marked("None: a few style rules of its own"), form="yestwice", rules=RULES),
    "bootstrap": Preset(
        "Bootstrap", part="mb-3", label="form-label", input="form-control", choice="form-check-input",
        small="form-text", button="btn btn-primary",
    ),
    "bulma": Preset(
        "Bulma", form="content", part="field", label="has-text-weight-semibold", input="input", choice="mr-2",
        small="is-size-7", button="button is-primary",
    ),
    "tailwind": Preset(
        "Tailwind", form="max-w-xl space-y-4", label="font-semibold",
        input="mt-1 block w-full rounded border border-gray-500 bg-white px-3 py-2 text-gray-900",
        choice="mr-2 size-4", small="text-sm",
        button="cursor-pointer rounded bg-gray-900 px-5 py-3 font-semibold text-white hover:bg-gray-700",
    ),
    "wordpress": Preset(
        "WordPress", form="wp-block-group", small="has-small-font-size",
        button="wp-block-button__link wp-element-button",
    ),
})  # fmt: skip


def look(name: str) -> Preset:
    """The one of that name, else the one without classes."""
    return LOOKS.get(name, LOOKS["none"])
