"""The files of a proof: the document, the record for machines, and the confirmation mails as they were sent."""

import io
from collections.abc import Mapping
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy.orm import Session

from subscriptions.domain.texts import marked
from subscriptions.languages import SOURCE
from subscriptions.mail.rebuild import as_sent, redacted
from subscriptions.parts import current_parts
from subscriptions.proof import OLDEST_PAGE, Case, document
from subscriptions.proof.record import record
from subscriptions.proof.sealed import sealed
from subscriptions.store import meta
from subscriptions.store.models import Evidence

DOCUMENT, RECORD, MAIL = "proof.html", "proof.json", "confirmation.eml"
FOR_COURT = "confirmation-with-working-links.eml"
NOT_AGAIN = marked(
    "The email with working links cannot be made again: the address, the name in its greeting or the key that signed "
    "it is no longer stored."
)


class NotAgain(Exception):
    """The very bytes of the confirmation mail are gone."""


def files(session: Session, case: Case, tag: str, *, court: bool = False, office: str = "") -> dict[str, bytes]:
    """By their names. `court`: also the mail with links that work; raises NotAgain. `office`: who takes them."""
    mails, seals = _mails(session, case), sealed(session, case)
    found = {name: octets for name, (_, octets) in mails.items()}
    if court:
        found[FOR_COURT] = _for_court(session, case)
    page = document.html(case, tag, seals, mails, meta.versions(session), office)
    return {DOCUMENT: page.encode("utf-8", "replace"), RECORD: record(case, seals, mails)} | found


def language(case: Case, asked: str = "") -> str:
    """The one that is asked for, else that of the list; English where there is no such."""
    known = current_parts().languages
    return known.known(asked) or known.known(case.row.locale) or SOURCE


def zipped(files: Mapping[str, bytes], case: Case) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, octets in files.items():
            of = ZipInfo(name, case.now.timetuple()[:6])
            of.compress_type, of.external_attr = ZIP_DEFLATED, 0o600 << 16
            archive.writestr(of, octets)
    return out.getvalue()


def _mails(session: Session, case: Case) -> dict[str, tuple[Evidence, bytes]]:
    """Those that can be made again, of the newest consents; `confirmation.eml` is always of the newest."""
    found, links = {}, current_parts().links
    for nth, one in enumerate(case.consents[:OLDEST_PAGE], 1):
        of = one.mail
        again = (redacted(session, of.id, links, to) for to in _spelled(case)) if of else ()
        if of and (octets := next(filter(None, again), None)):
            found[MAIL if nth == 1 else f"confirmation-{nth}.eml"] = of, octets
    return found


def _spelled(case: Case) -> list[str | None]:
    """Whoever asks about an address may write it in other letters than the mail did."""
    return [case.address, *([case.address.lower()] if case.address and not case.is_stored else [])]


def _for_court(session: Session, case: Case) -> bytes:
    of = case.newest.mail
    links = current_parts().links
    again = (as_sent(session, of.id, links, to) for to in _spelled(case)) if of else ()
    if octets := next(filter(None, again), None):
        return octets
    raise NotAgain(NOT_AGAIN)
