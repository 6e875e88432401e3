"""The proof of one consent at the desk: as a ZIP, to print, and with working links for a court."""

import base64
import hashlib
import re

from flask import Response, abort, render_template, request
from flask_babel import gettext

from subscriptions import languages, proof
from subscriptions.domain.address import BadAddress, parse
from subscriptions.domain.address_problems import LONGEST
from subscriptions.parts import current_parts
from subscriptions.proof import files as proof_files
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.web.admin import Answer, guard, pages, telling
from subscriptions.web.admin.people import Person, the_person
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import now

TAKES = {"print": "proof", "zip": "proof", "court": "proof court"}  # the acts of the audit
_STYLE = re.compile(r"<style>(.*?)</style>", re.S)


@pages.get("/people/<key>/proof")
def proof_person(key: str) -> Answer:
    return _page(the_person(key))


@pages.post("/people/<key>/proof")
def take_proof(key: str) -> Answer:
    """A document or an archive; what cannot be proven is said on the page."""
    found, take = the_person(key), request.form.get("take", "")
    rows = {row.slug: row for row in _lists(found)}
    row, tag = rows.get(request.form.get("list", "")), request.form.get("language", "")
    if row is None or take not in TAKES or tag not in current_parts().languages.tags:
        abort(404)
    typed, problem = _address(found)
    if problem:
        return _page(found, problem)
    audit.note(guard.act(TAKES[take], found.key, list=row.slug))
    try:
        with reading() as session:
            case = proof.gather(session, found.key, row, now(), typed)
            made = proof_files.files(session, case, tag, court=take == "court")
    except proof.NoConsent as none:
        return _page(found, str(telling.sentence(none.says, row)))
    except proof_files.NotAgain as error:
        return _page(found, gettext(str(error)))
    return _shown(made[proof_files.DOCUMENT]) if take == "print" else _archive(proof_files.zipped(made, case), row)


def _lists(found: Person) -> list[List]:
    """To which there is or was a subscription."""
    return [telling.list_of(id_) for id_ in dict.fromkeys(one.row.list_id for one in found.told.subscriptions)]


def _address(found: Person) -> tuple[str | None, str]:
    """As it was typed, of somebody whose address is no longer stored; and what is wrong with it."""
    typed = request.form.get("address", "").strip()
    if found.address or not typed:
        return None, ""
    try:
        address = parse(typed) if len(typed) <= LONGEST else None
    except BadAddress:
        address = None
    if address is None or current_parts().links.key(address.folded) != found.key:
        return None, str(gettext("This is not the address of this person."))
    return address.mailed, ""


def _page(found: Person, problem: str = "") -> Answer:
    tags = [(tag, languages.own_name(tag)) for tag in current_parts().languages.tags]
    page = render_template(
        "desk/proof.html", person=found, lists=_lists(found), tags=tags, problem=problem, typed=request.form,
        chosen=request.form.get("language") or _language(found),
    )  # fmt: skip
    return (page, 422) if problem else page


def _language(found: Person) -> str:
    """Of the first list."""
    known, rows = current_parts().languages, _lists(found)
    return (known.known(rows[0].locale) if rows else None) or language.current()


def _shown(octets: bytes) -> Response:
    """By itself, with its own style and nothing else."""
    style = _STYLE.search(octets.decode())
    digest = base64.b64encode(hashlib.sha256((style[1] if style else "").encode()).digest()).decode()
    headers.allow(style_src=f"'sha256-{digest}'")
    return Response(octets, mimetype="text/html")


def _archive(octets: bytes, row: List) -> Response:
    response = Response(octets, mimetype="application/zip")
    name = f"proof-{row.slug}-{now():%Y%m%dT%H%M%SZ}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
