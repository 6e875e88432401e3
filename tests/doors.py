"""What is sent to the two doors, and which of it the quick one takes."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from subscriptions.settings import ListSettings
from subscriptions.web.http.incoming import FORM
from tests.builders import ANNE, LISTS, NEWS
from tests.support.doors import FORM_PATH, JSON_PATH, Case, form
from tests.support.names import NXDOMAIN
from tests.test_sign_up_json import BAD_ADDRESSES, GOOD_ADDRESSES, NO_JSON

THANKS, RICH, DEUTSCH = "thanks", "rich", "deutsch"
MORE = (
    *LISTS,
    ListSettings(slug=THANKS, name="Thanks", thank_you_url="https://site.example/merci?x=1&y=%C3%A4",
                 origins=("https://site.example",)),
    ListSettings(slug=RICH, name="Rich", fields=("name", "given_name", "company: Company")),
    ListSettings(slug=DEUTSCH, name="Deutsch", locale="de-AT"),
)  # fmt: skip
QUICK, HANDED_ON = True, False
UNASKED = [
    one for one in GOOD_ADDRESSES if one.endswith(("@example.org", ".example"))
]  # of their domains the DNS is not
ZONE = {"mail.com": {"MX": "10 mx.mail.com."}, "gone.com": NXDOMAIN}


def said(**members: object) -> bytes:
    return json.dumps({"email": ANNE, **members}).encode()


def filled(**fields: str) -> bytes:
    return urlencode({"email": ANNE, **fields}).encode()


def by_json(quick: bool, body: bytes, **more: Any) -> tuple[bool, Case]:
    return quick, Case(body, **more)


def by_form(quick: bool, body: bytes, slug: str = NEWS, **headers: str) -> tuple[bool, Case]:
    return quick, form(body, slug, *((name.replace("_", "-"), value) for name, value in headers.items()))


BODIES = {
    "an address alone": by_json(QUICK, said()),
    "a list": by_json(QUICK, said(list="offers")),
    "a list that is not public": by_json(QUICK, said(list="hidden")),
    "several lists": by_json(QUICK, said(lists=["newsletter", "offers"])),
    "one list as several": by_json(QUICK, said(lists=["offers"])),
    "a list twice": by_json(HANDED_ON, said(lists=["offers", "offers"])),
    "an unknown list": by_json(HANDED_ON, said(list="nothing")),
    "an unknown one of several": by_json(HANDED_ON, said(lists=["offers", "nothing"])),
    "no list": by_json(HANDED_ON, said(lists=[])),
    "a name": by_json(QUICK, said(name="  Anne Müller ")),
    "a name with a line end": by_json(HANDED_ON, said(name="Anne\nBcc: x")),
    "voluntary fields": by_json(QUICK, said(list=RICH, given_name="Anne", company="Müller & Söhne")),
    "a field of another list": by_json(HANDED_ON, said(company="x")),
    "a long field": by_json(HANDED_ON, said(list=RICH, company="x" * 300)),
    "a locale": by_json(QUICK, said(locale="fr-CH")),
    "an empty locale": by_json(QUICK, said(locale="")),
    "no locale at all": by_json(HANDED_ON, said(locale="x y")),
    "a list in German": by_json(QUICK, said(list=DEUTSCH)),
    "an unknown wording": by_json(HANDED_ON, said(wording="0123456789abcdef")),
    "an unknown member": by_json(HANDED_ON, said(nothing="x")),
    "a member that is no text": by_json(HANDED_ON, said(name=7)),
    "NUL": by_json(HANDED_ON, said(name="\0")),
    "half of a pair": by_json(HANDED_ON, b'{"email": "anne@example.org", "name": "\\ud800"}'),
    "nobody can vouch": by_json(HANDED_ON, said(ip="192.0.2.7")),
    "a proof that is none": by_json(HANDED_ON, said(altcha="x")),
    "no object": by_json(HANDED_ON, b"[]"),
    "a larger body": by_json(HANDED_ON, said() + b" " * 5000),
    "more than is read": by_json(HANDED_ON, said() + b" " * 70_000),
    "a typing mistake": by_json(QUICK, said(email="anne@gmial.com")),
    "a throw-away address": by_json(HANDED_ON, said(email="anne@mailinator.com")),
    "the address of a role": by_json(QUICK, said(email="postmaster@example.org")),
    "a domain to be asked about": by_json(HANDED_ON, said(email="anne@gone.com")),
    **{f"no JSON {n}": by_json(HANDED_ON, body) for n, body in enumerate(NO_JSON)},
    **{f"good {one[:30]}": by_json(one in UNASKED, said(email=one)) for one in GOOD_ADDRESSES},
    **{f"bad {n}": by_json(HANDED_ON, said(email=one)) for n, one in enumerate(BAD_ADDRESSES)},
}  # fmt: skip
HEADS = {
    **{f"kind {kind}": by_json(quick, said(), kind=kind) for kind, quick in {
        "application/json; charset=utf-8": HANDED_ON, "application/json;charset=latin-1": HANDED_ON,
        "APPLICATION/JSON": HANDED_ON, "text/plain": HANDED_ON, "": HANDED_ON, "application/jsonx": HANDED_ON}.items()},
    **{f"method {one}": by_json(HANDED_ON, said(), method=one) for one in ("PUT", "GET", "HEAD", "OPTIONS", "DELETE")},
    "a query": by_json(HANDED_ON, said(email="anne@gmial.com"), query="lang=de"),
    "a slash": by_json(HANDED_ON, said(), path=JSON_PATH + "/"),
    "a foreign site": by_json(HANDED_ON, said(), headers=(("origin", "https://evil.example"),)),
    "a listed site": by_json(HANDED_ON, said(list=THANKS), headers=(("origin", "https://site.example"),)),
    "our own site": by_json(HANDED_ON, said(), headers=(("origin", "http://127.0.0.1:8000"),)),
    "a token that is none": by_json(HANDED_ON, said(), headers=(("authorization", "Bearer x"),)),
    "a program of a page": by_json(QUICK, said(list=THANKS), headers=(("referer", "https://site.example/app?x"),)),
    "a program that hides its page": by_json(HANDED_ON, said(), headers=(("origin", "null"),)),
    "a name of its own": by_json(QUICK, said(), headers=(("x-request-id", "My-Request.1_2"),)),
    "a bad name": by_json(QUICK, said(), headers=(("x-request-id", "no name\t<script>"),)),
    "a proxy that nobody named": by_json(QUICK, said(), headers=(("x-forwarded-for", "198.51.100.7"),)),
    "an unknown host": by_json(HANDED_ON, said(), host="evil.example"),
    "an impossible host": by_json(HANDED_ON, said(), host="a b"),
    "loopback from afar": by_json(HANDED_ON, said(), host="localhost:8000", peer="203.0.113.7"),
    "a visitor by IPv6": by_json(QUICK, said(), peer="2001:db8::7"),
}  # fmt: skip
FORMS = {
    "an address": by_form(QUICK, filled()),
    "fields": by_form(QUICK, filled(given_name="Anne", company="A+B %"), RICH),
    "a name and a time": by_form(QUICK, filled(name="Änne", t="x")),
    "an empty step": by_form(QUICK, filled(step="", altcha="", return_url="", website="")),
    "French": by_form(QUICK, filled(locale="fr")),
    "a language of the page": by_form(QUICK, filled(lang="es", locale="fr")),
    "a language that we lack": by_form(QUICK, filled(lang="xx")),
    "a reader of German": by_form(QUICK, filled(), accept_language="de-CH, en;q=0.5"),
    "a reader of German asks for French": by_form(QUICK, filled(lang="fr"), accept_language="de-CH, en;q=0.5"),
    "a list in German": by_form(QUICK, filled(), DEUTSCH),
    "a page of thanks": by_form(QUICK, filled(), THANKS),
    "a page of thanks in French": by_form(QUICK, filled(lang="fr"), THANKS),
    "led by us": by_form(QUICK, filled(), sec_fetch_site="same-origin", sec_fetch_dest="document"),
    "led by us to thanks": by_form(QUICK, filled(), THANKS, sec_fetch_site="same-origin", sec_fetch_dest="document"),
    "from a foreign site": by_form(QUICK, filled(), origin="https://evil.example", sec_fetch_site="cross-site"),
    "from a site of the list": by_form(QUICK, filled(), THANKS, origin="https://site.example"),
    "from a page of that site": by_form(QUICK, filled(), THANKS, referer="https://site.example/a/page?of=hers#x"),
    "from a page that hides itself": by_form(QUICK, filled(), THANKS, origin="null", referer="https://evil.example/x"),
    "from our own page": by_form(QUICK, filled(), origin="http://127.0.0.1:8000", referer="https://evil.example/x"),
    "from an app": by_form(QUICK, filled(), origin="android-app://org.example"),
    "from two sites": by_form(QUICK, filled(), THANKS, origin="https://site.example, https://site.example"),
    "a site with a path that is no path": by_form(QUICK, filled(), THANKS, referer="https://site.example//x\\y"),
    "a way back": by_form(HANDED_ON, filled(return_url="https://site.example/x"), THANKS),
    "a way back that may not be": by_form(HANDED_ON, filled(return_url="https://evil.example/x"), THANKS),
    "a way back behind an empty one": by_form(
        HANDED_ON, filled() + b"&return_url=&return_url=https://evil.example/", THANKS
    ),
    "an empty suggestion taken": by_form(HANDED_ON, filled(use="", hint_seen=ANNE)),
    "a suggestion taken": by_form(HANDED_ON, filled(email="a@gmial.com", use="a@gmail.com", hint_seen="a@gmial.com")),
    "a typing mistake": by_form(HANDED_ON, filled(email="anne@gmial.com")),
    "a typing mistake that is meant": by_form(QUICK, filled(email="anne@gmial.com", hint_seen="anne@gmial.com")),
    "another hint seen": by_form(HANDED_ON, filled(email="anne@gmial.com", hint_seen=ANNE)),
    "a honeypot": by_form(HANDED_ON, filled(website="https://x.example")),
    "a honeypot twice": by_form(QUICK, filled(website="") + b"&website=x"),
    "a step that is none": by_form(HANDED_ON, filled(step="x")),
    "an address twice": by_form(HANDED_ON, filled() + b"&email=bart@example.org"),
    "an address that is none": by_form(HANDED_ON, filled(email="anne")),
    "no address": by_form(HANDED_ON, b""),
    "an unknown list": by_form(HANDED_ON, filled(), "nothing"),
    "a slash": by_form(HANDED_ON, filled(), NEWS + "/"),
    "an unknown wording": by_form(HANDED_ON, filled(wording="0123456789abcdef")),
    "not UTF-8 in percents": by_form(QUICK, b"email=anne@example.org&x=%ff%fe"),
    "not UTF-8 in a name": by_form(QUICK, b"email=anne@example.org&name=%ff"),
    "not UTF-8 at all": by_form(QUICK, b"email=anne@example.org&name=\xff"),
    "an address that is not UTF-8": by_form(HANDED_ON, b"email=j%FCrg@example.org"),
    "a locale of a machine": by_form(QUICK, filled(locale="de_AT.UTF-8")),
    "an address under .local": by_form(HANDED_ON, filled(email="anne@printer.local")),
    "an invisible end": by_form(QUICK, filled(email="\u200banne@example.org\u00a0")),
    "something invisible": by_form(HANDED_ON, filled(email="an\u200bne@example.org")),
    "a curly apostrophe": by_form(HANDED_ON, filled(email="o’neil@example.org")),
    "half a pair": by_form(QUICK, b"email=anne@example.org&name=%ed%a0%80"),
    "NUL": by_form(HANDED_ON, filled(name="\0")),
    "semicolons": by_form(HANDED_ON, b"a=b;email=anne@example.org"),
    "lists in a form of one": by_form(QUICK, filled(lists="offers")),
    "a kind with a charset": (HANDED_ON, replace(form(filled()), kind=f"{FORM};charset=utf-8")),
    "a kind in capitals": (HANDED_ON, replace(form(filled()), kind=FORM.title())),
    "JSON to a form": (HANDED_ON, replace(form(said()), kind="application/json")),
    "a form to JSON": (HANDED_ON, replace(form(filled()), path=JSON_PATH)),
    "several at once": (HANDED_ON, replace(form(filled(lists="offers")), path="/subscribe")),
    "a look at the form": (HANDED_ON, Case(path=FORM_PATH, kind="", method="GET")),
    "in a frame": (HANDED_ON, replace(form(filled()), path="/embed/newsletter/frame")),
}  # fmt: skip
