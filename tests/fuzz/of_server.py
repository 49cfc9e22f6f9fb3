"""Targets on the server: a request as it comes, and what a device with a good seal may say behind it."""

import contextlib
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings

from contract import wire
from contract.envelope import Address
from contract.messages import (
    LIMIT_BYTES,
    OBSERVATIONS_AT_MOST,
    ChainHead,
    CheckIn,
    CheckInReply,
    Clock,
    EnrolmentReply,
    EnrolmentRequest,
    NextKey,
    ObservationBody,
    ObservationDigest,
    Refusal,
    salted_digest,
)
from contract.observations import ExposureObserved, InstalledObserved, ReminderReceipt, SightingObserved
from server.fleet import agent_api, check_ins, refusals
from server.fleet.models import Device, EnrolmentSecret, ReceivedObservation
from server.fleet.models.secret import digest_of
from server.fleet.pace import Pace
from server.identity import establish, identity_in
from server.moments import utc_now
from server.policies import publishing
from server.policies.templates import template
from server.records import api, heartbeats
from server.records.api import HEARTBEAT
from server.records.heartbeats import Heartbeat, HeartbeatReply
from server.records.models import Connector
from server.records.refusals import OF_HEARTBEATS
from server.records.told import told_of
from tests.fuzz.fixed import (
    AT,
    CHECK_IN,
    CHECK_IN_PATH,
    DEVICE,
    ENROL_PATH,
    ENROLMENT,
    KEY,
    NEXT_KEY,
    SECRET,
    TENANT,
    TOKEN,
    sealed_text,
)
from tests.fuzz.target import Check, FoundError, Target, head_and_rest, no_fault_is_swallowed

_SALT = "00" * 16
CAPTURE = """
[[capture]]
messenger = "telegram"
connector = "LeapXpert"
"""
_REPLIES: dict[str, type] = {
    ENROL_PATH: EnrolmentReply,
    CHECK_IN_PATH: CheckInReply,
    HEARTBEAT: HeartbeatReply,
}
_DECLARED = {
    (one.status, one.reason)
    for one in (*refusals.ON_EVERY_WAY, *refusals.OF_ENROLMENT, *refusals.OF_CHECK_IN)
}
_DECLARED_OF_HEARTBEATS = {(one.status, one.reason) for one in OF_HEARTBEATS}
_NEVER = {"fault", "busy", "too_often", "refused_too_often"}
"""Declared, and yet not to be had by what one says."""


class _Boundless(Pace):
    """Lets everybody in: how often one may ask is not what is tried here."""

    def __init__(self) -> None:
        super().__init__(1e9, 1e9)


@contextlib.contextmanager
def server_in(folder: Path) -> Iterator[None]:
    """A server with a policy, a secret and one device, on the database that Django has."""
    state = folder / "state"
    state.mkdir()
    now = utc_now()
    establish(state, TENANT, "Acme", now)
    paces = agent_api.REFUSALS, check_ins.DEVICES, api.REFUSALS, heartbeats.CONNECTORS
    agent_api.REFUSALS, check_ins.DEVICES, api.REFUSALS, heartbeats.CONNECTORS = (
        _Boundless() for _ in range(4)
    )
    try:
        with override_settings(STATE=state), undone():
            publishing.publish(template("restrict", "Acme") + CAPTURE, "alice", identity_in(state), now)
            Connector.objects.create(
                name="LeapXpert",
                digest=digest_of(TOKEN),
                created_at=now,
                token_since=now,
                expires_at=now + timedelta(days=3650),
            )
            secret = EnrolmentSecret.objects.create(
                digest=digest_of(SECRET),
                uses_at_most=1000,
                created_at=now,
                expires_at=now + timedelta(days=3650),
            )
            Device.objects.create(
                id=DEVICE,
                public_key=KEY.public.text,
                key_since=now,
                ownership="personal",
                assurance="self_attested",
                platform="linux",
                version="0.1.0",
                enrolled_at=now,
                enrolled_with=secret,
                silent_from=now,
            )
            _asked(
                CHECK_IN_PATH, _sealed(b"", CHECK_IN)
            )  # the log has a refusal now, as it soon has anywhere
            yield
    finally:
        agent_api.REFUSALS, check_ins.DEVICES, api.REFUSALS, heartbeats.CONNECTORS = paces


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """Leave the database as it was, so that each input finds the same."""
    atomic = transaction.atomic()
    atomic._from_testcase = True  # type: ignore[attr-defined]  # as Django's own TestCase: what is durable in it is let pass
    with atomic:
        yield
        transaction.set_rollback(True)


def _asked(
    path: str,
    body: bytes,
    method: str = "POST",
    kind: str = "application/json",
    length: str | None = None,
    authorization: str = "",
) -> HttpResponse:
    """Return the answer, which is of the agreed form or a declared refusal."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_AUTHORIZATION": authorization,
        "wsgi.input": io.BytesIO(body),
    }
    is_connectors = path.startswith(api.PREFIX)
    answered = api.answer if is_connectors else agent_api.answer
    answer = answered(WSGIRequest(environ))
    if answer["Content-Type"] != "application/json":
        raise FoundError(f"an answer as {answer['Content-Type']}")
    if answer.status_code == 200:
        wire.decode(_REPLIES[path], answer.content, limit_bytes=2**20)
        return answer
    refusal = wire.decode(Refusal, answer.content, limit_bytes=2**16)
    declared = _DECLARED_OF_HEARTBEATS if is_connectors else _DECLARED
    if (answer.status_code, refusal.reason) not in declared or refusal.reason in _NEVER:
        raise FoundError(f"{answer.status_code} {refusal.reason}: {refusal.detail}")
    if not refusal.detail or not refusal.remedy:
        raise FoundError(f"{refusal.reason} without a sentence")
    return answer


def _opened(check: Check) -> Callable[[Path], contextlib.AbstractContextManager[Check]]:
    @contextlib.contextmanager
    def opened(folder: Path) -> Iterator[Check]:
        def each_on_its_own(data: bytes) -> None:
            with undone():
                check(data)

        with server_in(folder), no_fault_is_swallowed(each_on_its_own) as strictly:
            yield strictly

    return opened


def _request(data: bytes) -> None:
    """A line `METHOD PATH TYPE LENGTH SPACES`, then the body; what the line leaves out is as it should be."""
    head, rest = head_and_rest(data)
    words = (*head.decode("latin-1").split(" "), "", "", "", "", "")
    method, path, kind, length, spaces = words[:5]
    padding = int(spaces) if spaces.isdecimal() and spaces.isascii() and len(spaces) < 7 else 0
    _asked(
        path or CHECK_IN_PATH,
        b" " * padding + rest,
        method or "POST",
        kind or "application/json",
        length or None,
    )


def _sealed(payload: bytes, address: Address, bodies: bytes = b"") -> bytes:
    return b'{"sealed":"%s","bodies":%s}' % (sealed_text(payload, address).encode(), bodies or b"[]")


def _check_in(data: bytes) -> None:
    """A line that the device seals, and the bodies beside it as they stand."""
    payload, bodies = head_and_rest(data)
    _asked(CHECK_IN_PATH, _sealed(payload, CHECK_IN, bodies))


def _enrolment(data: bytes) -> None:
    """What a new device seals."""
    body = _sealed(data, ENROLMENT)
    if _asked(ENROL_PATH, body).status_code == 200 and _asked(ENROL_PATH, body).status_code != 200:
        raise FoundError("the same device is not known again")


def _heartbeat(data: bytes) -> None:
    """A line that is the header Authorization, empty for one that opens; then the body. What was heard reaches the next device."""
    header, body = head_and_rest(data)
    authorization = header.decode("latin-1") or f"Bearer {TOKEN}"
    if _asked(HEARTBEAT, body, authorization=authorization).status_code != 200:
        return
    said = wire.decode(Heartbeat, body, limit_bytes=heartbeats.LIMIT_BYTES)
    (told,) = told_of(publishing.current())
    if set(told.messengers) != {"telegram"}.intersection(said.messengers) or told.heard_at is None:
        raise FoundError("devices are told something else than what was said")


def _observations(data: bytes) -> None:
    """Bodies, one a line, each after a character that numbers it; an empty line ends a check-in. All else about them is honest."""
    for part in data.split(b"\n\n")[:4]:
        lines = [line for line in part.split(b"\n") if line][:OBSERVATIONS_AT_MOST]
        request = _honest([(line[0] - 31, line[1:]) for line in lines if line[0] > 31])
        if len(request) > LIMIT_BYTES or _asked(CHECK_IN_PATH, request).status_code != 200:
            continue
        if len(data) % 4:
            continue
        kept = ReceivedObservation.objects.count()
        if _asked(CHECK_IN_PATH, request).status_code != 200 or ReceivedObservation.objects.count() != kept:
            raise FoundError("the same check-in again is not taken as the same")


def _honest(reports: list[tuple[int, bytes]]) -> bytes:
    said = CheckIn(
        version="0.1.0",
        platform="linux",
        ownership="company",
        clock=Clock(wall=AT, monotonic_seconds=1.0, boot_id="boot"),
        policy_serial=0,
        journal=ChainHead(digest="0" * 64),
        waiting=len(reports),
        observations=tuple(ObservationDigest(number, salted_digest(_SALT, body)) for number, body in reports),
    )
    bodies = b",".join(
        b'{"body":%s,"salt":"%s","sequence":%d}' % (body, _SALT.encode(), number) for number, body in reports
    )
    return _sealed(wire.encode(said), CHECK_IN, b"[%s]" % bodies)


def _words(*kinds: type) -> tuple[str, ...]:
    return tuple({field.name for kind in kinds for field in msgspec.structs.fields(kind)})


TARGETS = (
    Target(
        "request",
        "a request of anybody",
        _opened(_request),
        ("GET", "application/json", ENROL_PATH, CHECK_IN_PATH, "sealed", "bodies", *_words(ObservationBody)),
    ),
    Target(
        "check-in",
        "what a device seals in a check-in, and the bodies beside it",
        _opened(_check_in),
        (*_words(CheckIn, Clock, ChainHead, NextKey, ObservationBody), "linux", "company"),
    ),
    Target(
        "observations",
        "what a device reports",
        _opened(_observations),
        (
            *_words(SightingObserved, InstalledObserved, ExposureObserved, ReminderReceipt),
            "sighting",
            "installed",
            "exposure",
            "receipt",
            "notice",
            "started",
            "ended",
            "type",
        ),
    ),
    Target(
        "heartbeat",
        "what a capture connector says, with a token or without",
        _opened(_heartbeat),
        (*_words(Heartbeat), f"Bearer {TOKEN}", "telegram", AT.isoformat()),
    ),
    Target(
        "enrolment",
        "what a new device seals",
        _opened(_enrolment),
        (*_words(EnrolmentRequest), SECRET, NEXT_KEY.public.text, "linux", "company", "managed"),
    ),
)
