"""What a visitor does on the page after the form: types codes, asks for another mail."""

import re
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from tests.builders import ANNE, NEWS, World, text_of

WRONG = "2222-2222"
API = "/api/v1/confirmations"
BY_OUR_PAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}


def code_in(mail: EmailMessage) -> str:
    """The code, as it stands in both parts."""
    (code,) = re.findall(r"^    ([2-9A-Z]{4}-[2-9A-Z]{4})$", text_of(mail), re.M)
    assert text_of(mail, "html").count(code) == 1
    return str(code)


def handle_of(answer: TestResponse) -> str:
    """That a sign-up was answered with, by form or JSON."""
    if answer.status_code == 202:
        return str(answer.get_json()["registration"])
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.location).query)["r"][0]


def visit(world: World, address: str = ANNE, slug: str = NEWS, **fields: str) -> str:
    """A sign-up by form; the handle of the visit."""
    return handle_of(world.sign_up_by_form(address, slug, **fields))


def page(world: World, handle: str, slug: str = NEWS) -> TestResponse:
    """As a browser opens it that comes from our form."""
    return world.get(f"/subscribe/{slug}/check-inbox?r={handle}&new=1", headers=BY_OUR_PAGE)


def type_code(world: World, handle: str, code: str, slug: str = NEWS) -> TestResponse:
    return world.post(f"/subscribe/{slug}/code", data={"r": handle, "code": code})


def send_code(world: World, handle: str, code: str) -> TestResponse:
    return world.post(API, json={"registration": handle, "code": code})


def ask_again(world: World, handle: str, slug: str = NEWS) -> TestResponse:
    return world.post(f"/subscribe/{slug}/check-inbox", data={"r": handle})
