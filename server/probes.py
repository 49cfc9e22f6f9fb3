"""What machines ask a server: does it live, is it ready, and how do its fleet's numbers stand.

`/health/live` and `/health/ready` answer anybody, in a sentence without details. `/metrics` is for whom two settings allow, as text in
Prometheus' form (version 0.0.4, prometheus.io/docs/instrumenting/exposition_formats, read in November 2026). Every number in it comes from
the records, so it is the same whichever worker or replica is asked; nothing in it names a person or a device.
"""

import hmac
import ipaddress
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse

from contract.errors import DecorumError
from contract.judge import SEVERITY
from contract.version import VERSION
from server.access.models import AuditEntry
from server.addresses import client_address
from server.commands.frame import pending_migrations
from server.configuration import Configuration
from server.errors import StateError
from server.fleet.models import Device, EnrolmentSecret, Sighting
from server.fleet.retention import APPLIED
from server.fleet.standing import counts
from server.identity import certified_until, identity_in, load
from server.moments import utc_now
from server.policies.publishing import current

_TEXT = "text/plain; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_NO_DATABASE = "The database does not answer."

Sample = tuple[str, float]
"""Labels as they are written, and the value."""


def answer(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a machine; None for every other request."""
    match request.path_info:
        case "/health/live":
            return _said(200, "The server answers.")
        case "/health/ready":
            problems = tuple(_problems())
            return _said(503 if problems else 200, " ".join(problems) or "The server is ready.")
        case "/metrics":
            return _metrics(request)
        case _:
            return None


def _said(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type=_TEXT)


def _problems() -> Iterable[str]:
    try:
        if settings.STATE is None:
            raise StateError("No state folder is named.", "Set DECORUM_SERVER_STATE.")
        load(settings.STATE)
    except DecorumError:
        yield "The keys cannot be read; `decorum-server root-fingerprint` says why."
    try:
        if pending_migrations():
            yield "The database is not up to date; run `decorum-server migrate`."
    except (DatabaseError, InterfaceError):
        yield _NO_DATABASE


def _metrics(request: HttpRequest) -> HttpResponse:
    configuration: Configuration = settings.CONFIGURATION
    if not _may_read(request, configuration):
        return _said(
            403,
            "Metrics are for whom DECORUM_SERVER_METRICS_TOKEN or DECORUM_SERVER_METRICS_ADDRESSES allows.",
        )
    try:
        text = "".join(_lines(utc_now()))
    except (DatabaseError, InterfaceError):
        return _said(503, _NO_DATABASE)
    return HttpResponse(text, content_type=_METRICS)


def _may_read(request: HttpRequest, configuration: Configuration) -> bool:
    token = configuration.metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {token}".encode()):
            return True
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in configuration.metrics_networks)


def _lines(now: datetime) -> Iterable[str]:
    for name, what, samples in _families(now):
        yield f"# HELP decorum_{name} {what}\n# TYPE decorum_{name} gauge\n"
        for labels, value in samples:
            yield f"decorum_{name}{labels} {value:.17g}\n"


def _families(now: datetime) -> Iterable[tuple[str, str, Iterable[Sample]]]:
    """Yield the name, the sentence and the samples of each number. What is not there yet has no sample."""
    policy = current()
    serial = 0 if policy is None else policy.serial
    devices = Device.objects.aggregate(
        forked=Count("pk", filter=Q(forked_at__isnull=False)),
        lost=Count("pk", filter=Q(lost_in_restore__gt=0)),
        holders=Count("pk", filter=Q(policy_serial=serial)),
        waiting=Sum("waiting"),
        heard=Max("last_check_in_at"),
    )
    verdicts = dict(
        Sighting.objects.filter(is_open=True).values_list("verdict").order_by("verdict").annotate(Count("pk"))
    )
    still_open = EnrolmentSecret.objects.filter(revoked_at=None, expires_at__gt=now)
    retention = AuditEntry.objects.filter(action=APPLIED).aggregate(last=Max("at"))["last"]
    yield (
        "info",
        "Version and kind of database.",
        [(f'{{version="{VERSION}",database="{connection.vendor}"}}', 1)],
    )
    standings = counts(Device.objects.all(), now).items()
    yield (
        "devices",
        "Enrolled devices by where they stand.",
        [(f'{{standing="{standing}"}}', count) for standing, count in standings],
    )
    yield (
        "devices_with_policy",
        "Devices that hold the policy in force.",
        [("", devices["holders"] if serial else 0)],
    )
    yield "devices_forked", "Devices that reported two things under one number.", [("", devices["forked"])]
    yield "devices_with_losses", "Devices whose reports were lost in a restore.", [("", devices["lost"])]
    yield "reports_waiting", "Reports that wait on devices, as last told.", [("", devices["waiting"] or 0)]
    yield "check_in_last_timestamp_seconds", "When any device was last heard.", _at(devices["heard"])
    yield (
        "sightings_open",
        "Messengers open now by verdict.",
        [(f'{{verdict="{verdict}"}}', verdicts.get(verdict, 0)) for verdict in SEVERITY],
    )
    yield (
        "enrolment_secrets_open",
        "Enrolment secrets that are neither ended nor taken back.",
        [("", still_open.count())],
    )
    yield "policy_serial", "Number of the policy in force; 0 without one.", [("", serial)]
    yield (
        "policy_expires_timestamp_seconds",
        "Until when devices take it, unless it is renewed.",
        _at(None if policy is None else policy.expires_at),
    )
    yield (
        "certificates_expire_timestamp_seconds",
        "Until when the root vouches for the server's keys.",
        _at(certified_until(identity_in(settings.STATE))),
    )
    yield "retention_last_timestamp_seconds", "When old data was last erased.", _at(retention)


def _at(moment: datetime | None) -> list[Sample]:
    return [] if moment is None else [("", moment.timestamp())]
