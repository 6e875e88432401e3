"""The looks of the plain form: the classes that a framework of the site's styles knows, or none and a few rules."""

from dataclasses import dataclass
from types import MappingProxyType

from subscriptions.languages import marked


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
    has_style: bool = False


LOOKS = MappingProxyType({
    "none": Preset(marked("None: a few rules of its own"), form="yestwice", has_style=True),
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
