"""The way for devices: four addresses, each a sealed message in JSON and a sealed answer.

Whatever else arrives is refused with a `Refusal`: a code, a sentence, a remedy; never a page, never a traceback.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.http import HttpRequest, HttpResponse

from contract import wire
from contract.errors import MalformedError
from contract.messages import LIMIT_BYTES, SealedRequest
from server.addresses import address_in, client_address
from server.errors import RefusedError, TooOftenError
from server.fleet import check_ins, enrolment, holdings, leaving
from server.fleet.pace import of_refusals
from server.identity import Identity, identity_in
from server.lane import Environ
from server.machines import TRY_AGAIN, body_in, refusal, refuse_other_forms, wait
from server.moments import utc_now

PREFIX = "/agent/"
CHECK_IN = "/agent/v1/check-in"
_LOG = logging.getLogger(__name__)

REFUSALS = of_refusals()

Handler = Callable[[SealedRequest, Identity, datetime, str], object]
HANDLERS: dict[str, Handler] = {
    "/agent/v1/enrol": enrolment.enrol,
    CHECK_IN: check_ins.check_in,
    "/agent/v1/holdings": holdings.holdings,
    "/agent/v1/leave": leaving.leave,
}


def answer(request: HttpRequest) -> HttpResponse:
    """Return the answer to a device; it is sent only after everything it says is stored."""
    address = client_address(request)
    if not REFUSALS.has_room(address):
        return wait(REFUSALS, "refused_too_often", "Too many requests from this address were refused.")
    try:
        handler = _handler(request)
        message = body_in(request, SealedRequest, LIMIT_BYTES)
        reply = handler(message, identity_in(settings.STATE), utc_now(), address)
    except TooOftenError as error:
        return wait(check_ins.DEVICES, "too_often", error.detail)
    except RefusedError as error:
        REFUSALS.take(address)
        return refusal(error.status, error.reason, error.detail, error.remedy)
    except (OperationalError, InterfaceError):
        _LOG.exception("The database did not answer a device")
        return refusal(503, "busy", "The server is busy.", TRY_AGAIN)
    except Exception:  # noqa: BLE001 - the last resort of this way in: the log has the error, the device a sentence
        _LOG.exception("A device's request could not be answered")
        return refusal(500, "fault", "The server could not do this.", TRY_AGAIN)
    return HttpResponse(wire.encode(reply), content_type="application/json")


def together(requests: Sequence[Environ]) -> list[bytes | None]:
    """Return the answers to check-ins that came through the lane; None for each that `answer` has to look at alone.

    They are returned only after everything that they answer is stored. Nothing is refused here: there is one place for that.
    """
    try:
        return _together(requests)
    except Exception:  # noqa: BLE001 - nothing of any is stored then; each comes alone, and its own error is told
        _LOG.exception("Check-ins could not be taken together, and are taken one by one")
        close_old_connections()
        return [None] * len(requests)


def _together(requests: Sequence[Environ]) -> list[bytes | None]:
    messages = {
        number: message
        for number, request in enumerate(requests)
        if (message := _plain_message(request)) is not None
    }
    replies = check_ins.together(tuple(messages.values()), identity_in(settings.STATE), utc_now())
    answers = {
        number: wire.encode(reply)
        for number, reply in zip(messages, replies, strict=True)
        if reply is not None
    }
    return [answers.get(number) for number in range(len(requests))]


def _plain_message(request: Environ) -> SealedRequest | None:
    if request["REQUEST_METHOD"] != "POST" or request.get("CONTENT_TYPE") != "application/json":
        return None
    if not REFUSALS.has_room(address_in(request)):
        return None
    untrusted_body = request["wsgi.input"].read(LIMIT_BYTES + 1)
    request["wsgi.input"].seek(0)
    try:
        return wire.decode(SealedRequest, untrusted_body, limit_bytes=LIMIT_BYTES)
    except MalformedError:
        return None


def _handler(request: HttpRequest) -> Handler:
    handler = HANDLERS.get(request.path_info)
    if handler is None:
        raise RefusedError(404, "path_unknown", "Nothing answers here.", "Check the server's address.")
    refuse_other_forms(request, "Use Decorum's agent.")
    return handler
