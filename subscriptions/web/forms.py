"""From a body to a sign-up, or to the list of what is wrong with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from subscriptions.domain.address import Address, BadAddress, RefusedAddress, parse
from subscriptions.languages import marked
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List

HONEYPOT = "website"
LONGEST_NAME = 100
MEMBERS = ("email", "list", "name", "locale", "wording")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_ITS_WORDING = marked("This consent text is not one of this list. Please load the form again.")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class SignUp:
    address: Address
    list: List
    name: str | None
    locale: str
    wording_id: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in English; a page says it in its own language."""

    field: str
    message: str
    values: Mapping[str, object] | None = None  # what stands in the message
    by_library: bool = False  # a sentence of email-validator, which is in no catalogue

    @property
    def text(self) -> str:
        return self.message % self.values if self.values else self.message


class NotJson(ValueError):
    """The body is no JSON text that we read; the message says why."""


class UnknownList(LookupError):
    """There is no such list, or it takes no sign-ups."""


def from_form(
    form: "MultiDict[str, str]", row: List, catalogue: Catalogue, locale: str | None = None
) -> SignUp | list[Problem]:
    """A sign-up from the fields of a form; `locale`: where it names none."""
    for name in ("email", "name", "wording", "locale"):
        if len(form.getlist(name)) > 1:
            return [Problem(name, marked("The field %(name)s was sent more than once."), {"name": name})]
    return _checked(form, row, catalogue, locale)


def from_json(body: bytes, catalogue: Catalogue) -> SignUp | list[Problem]:
    """A sign-up from a JSON body; raises NotJson, UnknownList."""
    data = read_json(body)
    if not isinstance(data, dict):
        return [Problem("", "The body must be a JSON object.")]
    problems = [Problem(name, "This member is not known here.") for name in data if name not in MEMBERS]
    problems += [
        Problem(name, "This member must be a text.") for name in MEMBERS if not isinstance(data.get(name, ""), str)
    ]
    if "email" not in data:
        problems.append(Problem("email", "This member is required."))
    if problems:
        return problems
    row = catalogue.by_slug(data["list"]) if "list" in data else catalogue.configured[0]
    found = _checked(data, row or catalogue.configured[0], catalogue)
    if row is None and not isinstance(found, list):
        raise UnknownList
    return found


def _checked(
    data: Mapping[str, str], row: List, catalogue: Catalogue, usual: str | None = None
) -> SignUp | list[Problem]:
    problems: list[Problem] = []
    try:
        address = parse(data.get("email", ""))
    except BadAddress as trouble:
        problems.append(Problem("email", str(trouble), by_library=isinstance(trouble, RefusedAddress)))
    name = data.get("name", "").strip()
    problems += _wrong_name(name)
    locale = data.get("locale") or usual or row.locale
    if not _LOCALE.fullmatch(locale):
        problems.append(Problem("locale", marked('The locale must be a language tag such as "en" or "de-AT".')))
    wording_id = data.get("wording") or None
    if wording_id is not None and not _is_of(wording_id, row, catalogue):
        problems.append(Problem("wording", _NOT_ITS_WORDING))
    return problems or SignUp(address, row, name or None, locale, wording_id)


def _wrong_name(name: str) -> list[Problem]:
    if len(name) > LONGEST_NAME:
        too_long = marked("The name is too long: at most %(most)d characters.")
        return [Problem("name", too_long, {"most": LONGEST_NAME})]
    if _UNPRINTABLE.search(name):
        return [Problem("name", marked("The name contains a character that is not allowed."))]
    return []


def _is_of(wording_id: str, row: List, catalogue: Catalogue) -> bool:
    """Whether the list has ever shown this wording; one that is out of date is accepted, and named in the evidence."""
    wording = catalogue.wordings.get(wording_id)
    return wording is not None and wording.list_id == row.id


def read_json(body: bytes) -> Any:
    """The value in a JSON text: UTF-8, no member twice, no NaN (H-10); raises NotJson."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8.") from None
    except NotJson:
        raise
    except ValueError:
        raise NotJson("The body is not JSON.") from None
    except RecursionError:
        raise NotJson("The body is nested too deeply.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("The body names a member twice.")
    return found


def _refuse(name: str) -> Any:
    raise NotJson(f"{name} is not JSON.")
