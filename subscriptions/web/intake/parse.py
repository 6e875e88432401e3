"""From a body to a sign-up, or to the list of what is wrong with it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from subscriptions.actions.subscribe import ListChoice, SignUp
from subscriptions.domain.address import Address, BadAddress, parse, special_ending
from subscriptions.domain.fields import fields_of
from subscriptions.domain.texts import language_tag
from subscriptions.languages import marked
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List
from subscriptions.web.http.problem import Problem
from subscriptions.web.intake.fields import keys_of, texts_of, told

VOUCHED = ("ip", "page", "time")  # of a client with a token, about the visitor that it speaks for
HONEYPOT = "website"
_NO_TEXTS = ("lists", "wordings")  # all other members are
MEMBERS = ("email", "list", "locale", "wording", "altcha", *VOUCHED, *_NO_TEXTS)  # and the fields of the list
_NO_SUCH_LIST = marked("One of these lists does not exist. Please reload the form.")
CARRIED = ("email", "locale", "lang", "return_url", "lists", "wording", "hint_seen")  # and fields, wordings of lists
NOT_ITS_WORDING = marked("This consent text does not belong to this list. Please reload the form.")


class NotJson(ValueError):
    """The body is no JSON text that we read; the message says why."""


class UnknownList(LookupError):
    """There is no such list, or it takes no sign-ups."""


class Named(NamedTuple):
    """A list, and the wording that a form or a program names for it in that field."""

    list: List
    wording_id: str | None
    field: str = "wording"


def from_form(
    form: "MultiDict[str, str]",
    row: List | None,
    catalogue: Catalogue,
    locale: str | None = None,
    *,
    special: bool = False,
) -> SignUp | list[Problem]:
    """A sign-up from the fields of a form, for the list of its address or else for those that were ticked.

    `locale`: where it names none; `special`: takes addresses under .local, .test and their like.
    """
    rows = [row] if row else _ticked(form, catalogue)
    if not rows:
        address = address_in(form, special=special)
        wrong = Problem("lists", _NO_SUCH_LIST if form.getlist("lists") else marked("Please choose at least one list."))
        return [wrong, *([address] if isinstance(address, Problem) else [])]
    wordings = {chosen: wording_field(chosen, is_choice=row is None) for chosen in rows}
    names = ["email", "locale", *keys_of(rows), *wordings.values()]
    twice = [name for name in names if len(form.getlist(name)) > 1]
    if twice:
        return [Problem(twice[0], marked("The field %(name)s was sent more than once."), {"name": twice[0]})]
    named = [Named(chosen, form.get(name), name) for chosen, name in wordings.items()]
    return _checked(form, named, catalogue, locale, special=special)


def _ticked(form: "MultiDict[str, str]", catalogue: Catalogue) -> list[List]:
    """Nothing where one of them does not exist."""
    slugs = form.getlist("lists")
    rows = catalogue.by_slugs(slugs)
    return rows if len(rows) == len(slugs) else []


def wording_field(row: List, *, is_choice: bool) -> str:
    """The field of a form that names the wording of a list."""
    return f"wording-{row.slug}" if is_choice else "wording"


def choice(named: Named, locale: str, catalogue: Catalogue) -> ListChoice:
    """That list with the wording that holds: the one that is named, else today's in the language of the sign-up."""
    row, wording_id, field = named
    if not wording_id and not row.told:  # as most programs sign up
        return _todays(row, field, catalogue)
    wording = catalogue.wordings[wording_id] if wording_id else catalogue.wording_of(row, locale)
    return ListChoice(row, wording, bool(wording_id), field)


@lru_cache(256)
def _todays(row: List, field: str, catalogue: Catalogue) -> ListChoice:
    return ListChoice(row, catalogue.wordings[row.wording_id], False, field)


def carried(form: "MultiDict[str, str]", rows: Sequence[List]) -> list[tuple[str, str]]:
    """Every field that the visitor filled or the form vouched for, in order, for a form that asks for nothing again."""
    names = {*CARRIED, *keys_of(rows), *(wording_field(row, is_choice=True) for row in rows)}
    return [(name, value) for name, value in form.items(multi=True) if name in names]


def from_json(body: bytes, catalogue: Catalogue, *, special: bool = False) -> SignUp | list[Problem]:
    """A sign-up from a JSON body; raises NotJson, UnknownList."""
    data = read_json(body)
    if not isinstance(data, dict):
        return [Problem("", "The body must be a JSON object.")]
    choices = _named(data, catalogue)
    if isinstance(choices, list):
        return choices
    # of a list that is not known the fields are not known either: any will do until that is told
    known = _members(*texts_of([chosen.list for chosen in choices] or catalogue.configured))
    problems = [*_wrong_members(data, known)]
    if problems:
        return problems
    found = _checked(data, choices or [Named(catalogue.configured[0], None)], catalogue, special=special)
    if not choices and not isinstance(found, list):
        raise UnknownList
    return found


def lists_in(body: bytes, catalogue: Catalogue) -> list[List]:
    """The lists that a JSON body names, whatever else is wrong with it; raises NotJson."""
    data = read_json(body)
    named = _named(data, catalogue) if isinstance(data, dict) else ()
    return [one.list for one in named if isinstance(one, Named)]


def taken(sign_up: SignUp, handle: str) -> dict[str, object]:
    """What a program is told, the same for every address; the lists in the member by which they were asked for."""
    slugs = [row.slug for row in sign_up.rows]
    which: dict[str, object] = {"list": slugs[0]} if sign_up.lists[0].field == "wording" else {"lists": slugs}
    return {"status": "pending_confirmation", **which, "registration": handle}


@lru_cache
def _members(*fields: str) -> frozenset[str]:
    return frozenset((*MEMBERS, *(field.key for field in fields_of(*fields))))


def _wrong_members(data: Mapping[str, Any], known: frozenset[str]) -> Iterator[Problem]:
    for name, value in data.items():
        if name not in known:
            yield Problem(name, "This member is not known here.")
        elif not isinstance(value, str) and name not in _NO_TEXTS:
            yield Problem(name, "This member must be a text.")
    if "email" not in data:
        yield Problem("email", "This member is required.")


def _named(data: Mapping[str, Any], catalogue: Catalogue) -> tuple[Named, ...] | list[Problem]:
    """The lists that a body names, the first of all where it names none; nothing: one is not known."""
    if "lists" not in data and "wordings" not in data:
        slug, wording_id = data.get("list"), data.get("wording")
        row = catalogue.by_slug(slug) if isinstance(slug, str) else catalogue.configured[0]
        return (Named(row, wording_id if isinstance(wording_id, str) else None),) if row else ()
    slugs, wordings = data.get("lists"), data.get("wordings", {})
    problems = [*_wrong_lists(data, slugs), *_wrong_wordings(wordings)]
    if problems or not isinstance(slugs, list):
        return problems
    rows = catalogue.by_slugs(slugs)
    found = [Named(row, wordings.get(row.slug), "wordings") for row in rows]
    return tuple(found) if len(rows) == len(slugs) else ()


def _wrong_lists(data: Mapping[str, Any], slugs: Any) -> Iterator[Problem]:
    for name, instead in (("list", "lists"), ("wording", "wordings")):
        if name in data:
            yield Problem(name, f'"{name}" and "{instead}" exclude each other.')
    if not isinstance(slugs, list) or not slugs or not all(isinstance(slug, str) for slug in slugs):
        yield Problem("lists", "This member must be an array of slugs, at least one.")
    elif len(set(slugs)) < len(slugs):
        yield Problem("lists", "A list is named twice.")


def _wrong_wordings(wordings: Any) -> Iterator[Problem]:
    if not isinstance(wordings, dict) or not all(isinstance(id_, str) for id_ in wordings.values()):
        yield Problem("wordings", "This member must be an object: for each slug the id of its consent text.")


def _checked(
    data: Mapping[str, str], asked: Sequence[Named], catalogue: Catalogue, usual: str | None = None, *, special: bool
) -> SignUp | list[Problem]:
    address = address_in(data, special=special)
    fields, wrong = told(data, [named.list for named in asked])
    problems = [*([address] if isinstance(address, Problem) else []), *(Problem(*found) for found in wrong)]
    locale = language_tag(data.get("locale") or usual or asked[0].list.locale)
    if locale is None:
        problems.append(Problem("locale", marked('The locale must be a language tag such as "en" or "de-AT".')))
    for named in asked:
        if named.wording_id and not is_of(named.wording_id, named.list, catalogue):
            problems.append(Problem(named.field, NOT_ITS_WORDING))
    if problems or isinstance(address, Problem) or locale is None:
        return problems
    name, said = fields.pop("name", None), {name: data[name] for name in VOUCHED if name in data}
    choices = tuple(choice(named, locale, catalogue) for named in asked)
    return SignUp(address, choices, name, locale, fields or None, said, data.get("altcha", ""))


def address_in(data: Mapping[str, str], *, special: bool) -> Address | Problem:
    """The address that was typed, or what is wrong with it."""
    try:
        address = parse(data.get("email", ""))
        if not special and (ending := special_ending(address.ascii_domain)):
            raise BadAddress("special_domain", domain=f".{ending}")
        return address
    except BadAddress as error:
        return Problem("email", error.sentence, error.values, error.code)


def is_of(wording_id: str, row: List, catalogue: Catalogue) -> bool:
    """Whether the list has ever shown this wording; one that is out of date is accepted, and named in the evidence."""
    wording = catalogue.wordings.get(wording_id)
    return wording is not None and wording.list_id == row.id


def read_json(body: bytes) -> Any:
    """The value in a JSON text: UTF-8, no member twice, no NaN, no half of a character; raises NotJson."""
    try:
        value = _JSON.decode(body.decode("utf-8"))
        if b"\\u" in body:  # else there is none: few bodies hold an escape
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8.") from None
    except UnicodeEncodeError:
        raise NotJson("The body holds half of a character: a surrogate such as \\ud800 without the other.") from None
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


_JSON = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)  # made once: half of a small body's time
