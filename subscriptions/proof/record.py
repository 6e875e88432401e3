"""The record for machines: the fields of ISO/IEC TS 27560:2023, the same in DPV (JSON-LD), and our rows as they are."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from subscriptions import __version__
from subscriptions.clock import local_time, text
from subscriptions.domain.dpv import OF_SUBSCRIPTIONS, Status, status_after
from subscriptions.domain.evidence import Channel
from subscriptions.parts import current_parts
from subscriptions.proof import Case, Consent
from subscriptions.proof.sealed import Sealed
from subscriptions.store import policies
from subscriptions.store.lists import hashed
from subscriptions.store.models import Evidence, List, Policy, Wording

SCHEMA = "proof.schema.json"  # among the static files
VERSION = "yestwice-proof-1"
_PARTY = "controller"
_RIGHTS = {"A7-3": "withdraw", "A15": "access", "A16": "rectification", "A17": "erasure", "A18": "restriction",
           "A20": "portability", "A21": "objection", "A77": "complaint"}  # fmt: skip
_CONTEXT = {
    "dpv": "https://w3id.org/dpv#", "pd": "https://w3id.org/dpv/pd#", "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#", "dct": "http://purl.org/dc/terms/",
}  # fmt: skip
_BY_THEMSELVES = frozenset({Channel.FORM, Channel.API, Channel.BUTTON, Channel.PREFERENCES, Channel.ONE_CLICK,
                            Channel.EMAIL, Channel.LETTER, Channel.PHONE})  # fmt: skip


def number(case: Case) -> str:
    """By which people and programs name this record: the installation, the list, the consent."""
    host = urlsplit(current_parts().settings.server.base_url).netloc
    return f"{host}/{case.row.slug}/{case.newest.row.id}"


def schema_url() -> str:
    return f"{current_parts().settings.server.base_url.rstrip('/')}/static/{SCHEMA}"


def record(case: Case, sealed: Sealed, mails: Mapping[str, tuple[Evidence, bytes]]) -> bytes:
    """The whole file. Half a character that a relay has said stays one, written as JSON escapes it."""
    newest = case.newest
    told = {
        "$schema": schema_url(),
        "record": {
            "schema_version": VERSION, "record_id": number(case), "pii_principal_id": case.key.hex(),
            "pii_principal_address": case.address, "address_is_stored": case.is_stored, "made_at": text(case.now),
            "made_by": f"Yestwice {__version__}",
        },
        "pii_processing": {
            "privacy_notice": _notice(newest.wording, case.row),
            "language": newest.wording.language if newest.wording else newest.row.locale,
            "purposes": [_purpose(case)],
        },
        "party_identification": [_controller(newest, case.row)],
        "event": [*_events(case)],
        "dpv": _json_ld(case),
        "consents": [_consent(case, one, mails) for one in case.consents],
        "wordings": [_worded(one) for one in {one.wording.id: one.wording for one in case.consents if one.wording}
                     .values()],
        "policies": [_policy(one) for one in {one.policy.id: one.policy for one in case.consents if one.policy}
                     .values()],
        "sealed": sealed.proofs,
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace") + b"\n"


def _notice(wording: Wording | None, row: List) -> dict[str, Any]:
    """ISO/IEC 29184: what was shown, by its version."""
    if wording is None:
        return {"id": None, "policy_url": row.policy_url or None}
    return {"id": wording.id, "sha256": wording.sha256, "text": wording.text, "language": wording.language,
            "valid_from": text(wording.valid_from), "policy_url": wording.policy_url or None}  # fmt: skip


def _worded(wording: Wording) -> dict[str, Any]:
    """With the characters whose SHA-256 names it."""
    row = current_parts().catalogue.lists[wording.list_id]
    return _notice(wording, row) | {"controller": wording.controller, "hashed": hashed(row, wording)}


def _policy(one: Policy) -> dict[str, Any]:
    """With the characters whose SHA-256 names it."""
    slug = current_parts().catalogue.lists[one.list_id].slug
    return {"id": one.id, "sha256": one.sha256, "language": one.language, "url": policies.read_from(one.url),
            "text": one.text, "valid_from": text(one.valid_from), "last_seen_at": text(one.last_seen_at),
            "hashed": policies.hashed(slug, one)}  # fmt: skip


def _purpose(case: Case) -> dict[str, Any]:
    row, policy, one = case.row, current_parts().policy, case.newest.row
    base = current_parts().settings.server.base_url.rstrip("/")
    optional = [*(["name"] if one.name else []), *(one.fields or {})]
    return {
        "purpose": row.name, "purpose_type": "dpv:DirectMarketing", "lawful_basis": "eu-gdpr:A6-1-a",
        "pii_information": [{"pii_type": "email address", "pii_optional": False},
                            *({"pii_type": name, "pii_optional": True} for name in optional)],
        "pii_controllers": [_PARTY], "collection_method": [_collected(case)],
        "processing_method": ["collect", "store", "use for sending the newsletter"],
        "storage_locations": [base],
        "retention_period": f"until withdrawn; then the proof until {policy.keep_proof_years} calendar years are over",
        "jurisdiction": "EU", "recipient_third_parties": [],
        "withdrawal_method": [f"{base}/my-data", *([row.privacy_contact] if row.privacy_contact else [])],
        "privacy_rights": [f"eu-gdpr:{article} {name}" for article, name in _RIGHTS.items()],
        "authority_party": row.authority or None,
    }  # fmt: skip


def _collected(case: Case) -> str:
    imported = case.newest.imported
    return f"imported from {imported.details['source']}" if imported else "given by the person in a sign-up form"


def _controller(one: Consent, row: List) -> dict[str, Any]:
    said = one.wording.controller if one.wording else ""
    return {"party_id": _PARTY, "party_name": said or row.controller or row.sender, "party_role": "PII controller",
            "party_address": row.postal_address or None, "party_contact": row.privacy_contact or None,
            "party_url": row.imprint_url or None, "party_type": "dpv:DataController"}  # fmt: skip


def _events(case: Case) -> Iterator[dict[str, Any]]:
    """Those that bear on the state of consent, oldest first."""
    for nth, one in enumerate(reversed(case.consents)):
        before: Status | None = None
        for event in one.events:
            after = status_after(event.fact, before, renewed=nth > 0)
            if after is not None and after is not before:
                yield {
                    "event_time": text(event.at), "validity_duration": None,
                    "entity_id": case.key.hex() if event.channel in _BY_THEMSELVES else _PARTY,
                    "event_type": _method(event), "event_state": f"dpv:{after}", "evidence": event.id,
                }  # fmt: skip
            before = after


def _method(event: Evidence) -> str:
    """How it was indicated."""
    return str(event.details.get("method") or f"{event.fact} by {event.channel}")


def _json_ld(case: Case) -> dict[str, Any]:
    one, base = case.newest, current_parts().settings.server.base_url.rstrip("/")
    party = _controller(one, case.row)
    return {
        "@context": _CONTEXT, "@id": f"{base}/#{number(case)}", "@type": "dpv:ConsentRecord",
        "dct:identifier": number(case),
        "dct:conformsTo": {"@id": "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"},
        "dpv:hasDataSubject": {"@type": "dpv:Subscriber", "dct:identifier": case.key.hex()},
        "dpv:hasDataController": {"@type": "dpv:DataController", "dpv:hasName": party["party_name"],
                                  "dpv:hasAddress": party["party_address"], "dpv:hasContact": party["party_contact"]},
        "dpv:hasApplicableLaw": {"@id": "eu-gdpr:GDPR"}, "dpv:hasLegalBasis": {"@id": "eu-gdpr:A6-1-a"},
        "dpv:hasPurpose": {"@type": "dpv:DirectMarketing", "dct:title": case.row.name},
        "dpv:hasPersonalData": {"@type": "pd:EmailAddress", "dpv:hasNecessity": {"@id": "dpv:Required"}},
        "dpv:hasNotice": {"@type": "dpv:ConsentNotice", "dct:identifier": one.wording.id if one.wording else None,
                          "dct:language": one.wording.language if one.wording else None},
        "dpv:hasConsentStatus": {"@id": f"dpv:{OF_SUBSCRIPTIONS[one.row.state]}"},
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "@id": f"{base}/my-data"},
    }  # fmt: skip


def _consent(case: Case, one: Consent, mails: Mapping[str, tuple[Evidence, bytes]]) -> dict[str, Any]:
    """Our own record of one consent; `file`: its confirmation mail, where that can be made again."""
    file = next((name for name, (of, _) in mails.items() if of is one.mail), None)
    return {
        "subscription": one.row.id, "state": one.row.state, "registered_at": text(one.row.registered_at),
        "confirmed_at": text(one.row.confirmed_at), "ended_at": _text(one.row.ended_at),
        "proof_until": _text(one.row.proof_until), "wording": one.wording.id if one.wording else None,
        "policy": one.policy.id if one.policy else None, "vouched": one.is_vouched, "file": file,
        "evidence": [_row(case.row, event) for event in one.events],
    }  # fmt: skip


def _row(row: List, event: Evidence) -> dict[str, Any]:
    """As it is stored, the time to the microsecond."""
    return {
        "id": event.id, "fact": event.fact, "at": event.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "local": local_time(row, event.at), "channel": event.channel, "actor": event.actor, "ip": event.ip,
        "ip_source": event.ip_source, "registration": event.registration_id, "subscription": event.subscription_id,
        "details": event.details,
    }  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return text(at) if at else None
