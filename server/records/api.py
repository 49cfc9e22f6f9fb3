"""The way for capture connectors: one address, a token of their own, JSON both ways. A token opens nothing else."""

import logging
import re

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from contract import wire
from server.addresses import client_address
from server.errors import RefusedError, TooOftenError
from server.fleet.pace import of_refusals
from server.machines import JSON, TRY_AGAIN, body_in, refusal, refuse_other_forms, wait
from server.moments import utc_now
from server.records import heartbeats

PREFIX = "/api/"
HEARTBEAT = "/api/connectors/heartbeat"
REFUSALS = of_refusals()
_BEARER = re.compile(r"^Bearer ([A-Za-z0-9._~+/=-]{1,300})\Z", re.IGNORECASE)
_SCHEMA = "See `decorum-server schema connectors`."
_LOG = logging.getLogger(__name__)


def answer(request: HttpRequest) -> HttpResponse:
    """Return the answer to a connector; it is sent only after everything it says is stored."""
    address = client_address(request)
    if not REFUSALS.has_room(address):
        return wait(REFUSALS, "refused_too_often", "Too many requests from this address were refused.")
    try:
        reply = _heard(request, address)
    except TooOftenError as error:
        return wait(heartbeats.CONNECTORS, "too_often", error.detail)
    except RefusedError as error:
        REFUSALS.take(address)
        return _refused(error)
    except (OperationalError, InterfaceError):
        _LOG.exception("The database did not answer a connector")
        return refusal(503, "busy", "The server is busy.", TRY_AGAIN)
    except Exception:  # noqa: BLE001 - the last resort of this way in: the log has the error, the connector a sentence
        _LOG.exception("A connector's request could not be answered")
        return refusal(500, "fault", "The server could not do this.", TRY_AGAIN)
    return HttpResponse(wire.encode(reply), content_type=JSON)


def _heard(request: HttpRequest, address: str) -> heartbeats.HeartbeatReply:
    if request.path_info != HEARTBEAT:
        raise RefusedError(404, "path_unknown", "Nothing answers here.", _SCHEMA)
    refuse_other_forms(request, _SCHEMA)
    token = _token(request)
    said = body_in(request, heartbeats.Heartbeat, heartbeats.LIMIT_BYTES)
    return heartbeats.take(said, token, utc_now(), address)


def _token(request: HttpRequest) -> str:
    found = _BEARER.match(request.headers.get("Authorization", ""))
    if found is None:
        raise RefusedError(
            401,
            "token_missing",
            "The request brings no token.",
            "Send the header `Authorization: Bearer TOKEN`, with a token from the console's Capture connectors.",
        )
    return found[1]


def _refused(error: RefusedError) -> HttpResponse:
    response = refusal(error.status, error.reason, error.detail, error.remedy)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Decorum"'
    return response
