"""The schema of the way for devices, as OpenAPI 3.1 (spec.openapis.org, version 3.1.1).

It is made from what answers: the handlers with their types, and the list of refusals. Nothing of it is written twice. What stands inside a
seal is told as JSON Schema has it for encoded text (2020-12, `contentMediaType` and `contentSchema`).
"""

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from contract.catalogue_bundle import CatalogueBundle
from contract.messages import (
    LIMIT_BYTES,
    Acknowledgement,
    CheckIn,
    CheckInReply,
    Enrolled,
    EnrolmentReply,
    EnrolmentRequest,
    Holdings,
    HoldingsReply,
    HoldingsRequest,
    KeyCertificate,
    KeyProof,
    LeaveReply,
    LeaveRequest,
    Left,
    NextKey,
    PolicyBundle,
    Refusal,
    SealedRequest,
)
from contract.observations import Observation
from contract.version import VERSION
from server.fleet import check_ins, enrolment, holdings, leaving
from server.fleet.agent_api import HANDLERS, Handler
from server.fleet.refusals import OF_CHECK_IN, OF_ENROLMENT, OF_HOLDINGS, OF_LEAVING, ON_EVERY_WAY, Told
from server.openapi import PLACE, content, for_javascript, reference, refusals

_SEALED: tuple[tuple[type, str, type], ...] = (
    (NextKey, "proof", KeyProof),
    (EnrolmentReply, "sealed", Enrolled),
    (EnrolmentReply, "certificates", KeyCertificate),
    (HoldingsReply, "sealed", Holdings),
    (HoldingsReply, "certificates", KeyCertificate),
    (LeaveReply, "sealed", Left),
    (LeaveReply, "certificates", KeyCertificate),
    (CheckInReply, "sealed", Acknowledgement),
    (CheckInReply, "certificates", KeyCertificate),
    (CheckInReply, "bundle", PolicyBundle),
    (CheckInReply, "catalogue", CatalogueBundle),
)
"""What stands inside which sealed text."""


class _Way(msgspec.Struct, frozen=True):
    what: str
    sealed: type
    refusals: tuple[Told, ...]


_WAYS: Mapping[Handler, _Way] = {
    enrolment.enrol: _Way("A device asks to be taken in.", EnrolmentRequest, OF_ENROLMENT),
    holdings.holdings: _Way("A device asks what is held of it.", HoldingsRequest, OF_HOLDINGS),
    leaving.leave: _Way("A person's own device leaves, and is erased.", LeaveRequest, OF_LEAVING),
    check_ins.check_in: _Way("A device says that it is there, and what it reports.", CheckIn, OF_CHECK_IN),
}


def schema() -> dict[str, Any]:
    """Return the whole document, plain and ready for JSON."""
    kinds = [SealedRequest, Refusal, Observation, *(inner for _, _, inner in _SEALED)]
    kinds += [way.sealed for way in _WAYS.values()] + [_reply(handler) for handler in HANDLERS.values()]
    _, parts = msgspec.json.schema_components(kinds, ref_template=PLACE + "{name}")
    for outer, member, inner in _SEALED:
        _tell_inside(parts[outer.__name__]["properties"][member], inner)
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Decorum: the way for devices",
            "version": VERSION,
            "description": f"Each request has {LIMIT_BYTES:,} bytes at most, and is answered only after all of it is stored. "
            "Sealed texts are compact JWS (RFC 7515), algorithm Ed25519 (RFC 9864); a catalogue is compressed inside (zlib, RFC 1950). Integers are written without a fraction.",
        },
        "paths": {
            path: {"post": _operation(path, handler, parts)} for path, handler in sorted(HANDLERS.items())
        },
        "components": {"schemas": parts},
    }
    made: dict[str, Any] = for_javascript(whole)
    return made


def _operation(path: str, handler: Handler, parts: dict[str, Any]) -> dict[str, Any]:
    way = _WAYS[handler]
    name = f"Sealed{way.sealed.__name__}"
    members = parts[SealedRequest.__name__]["properties"]
    parts[name] = {**parts[SealedRequest.__name__], "title": name, "properties": {**members, "sealed": {}}}
    parts[name]["properties"]["sealed"] = dict(members["sealed"])
    _tell_inside(parts[name]["properties"]["sealed"], way.sealed)
    return {
        "operationId": path.removeprefix("/agent/v1/"),
        "summary": way.what,
        "requestBody": {"required": True, "content": content(reference(name))},
        "responses": {
            "200": {
                "description": "It is done.",
                "content": content(reference(_reply(handler).__name__)),
            },
            **refusals((*ON_EVERY_WAY, *way.refusals)),
        },
    }


def _reply(handler: Handler) -> type:
    kind: type = get_type_hints(handler)["return"]
    return kind


def _tell_inside(text: dict[str, Any], inner: type) -> None:
    """Say what a sealed text holds; a list of texts, or one that may be absent, says it of each."""
    for place in (text.get("items"), *text.get("anyOf", ()), text):
        if isinstance(place, dict) and place.get("type") == "string":
            place |= {"contentMediaType": "application/jose", "contentSchema": reference(inner.__name__)}
