"""What the ways for machines do alike: a JSON body is read whole within its limit, and what is refused is told as JSON.

Never a page, never a traceback: a `Refusal` has a code, a sentence and a remedy.
"""

from typing import TypeVar

from django.http import HttpRequest, HttpResponse

from contract import wire
from contract.errors import MalformedError
from contract.messages import Refusal
from server.errors import RefusedError
from server.fleet.pace import Pace

T = TypeVar("T")
JSON = "application/json"
TRY_AGAIN = "Nothing is lost; it is tried again."


def refuse_other_forms(request: HttpRequest, remedy: str) -> None:
    """Refuse what is not JSON sent by POST.

    Raises:
        RefusedError: another method, or another type of body.
    """
    if request.method != "POST":
        raise RefusedError(405, "method_unknown", "Only POST is answered here.", remedy)
    if request.content_type != JSON:
        raise RefusedError(415, "not_json", "Only application/json is taken.", remedy)


def body_in(request: HttpRequest, kind: type[T], limit_bytes: int) -> T:
    """Return what a body says; no more is read than the limit, whatever the request says of its length.

    Raises:
        RefusedError: too large, broken off, or not in the agreed form.
    """
    try:
        declared = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        declared = 0
    untrusted_body = b"" if declared > limit_bytes else _read(request, limit_bytes)
    if max(declared, len(untrusted_body)) > limit_bytes:
        raise RefusedError(
            413, "too_large", f"A request has {limit_bytes:,} bytes at most.", "Send less at once."
        )
    try:
        return wire.decode(kind, untrusted_body, limit_bytes=limit_bytes)
    except MalformedError as error:
        raise RefusedError(400, "malformed", error.detail, error.remedy) from error


def _read(request: HttpRequest, limit_bytes: int) -> bytes:
    try:
        return bytes(request.read(limit_bytes + 1))
    except OSError as error:
        raise RefusedError(400, "incomplete", "The request broke off.", TRY_AGAIN) from error


def refusal(status: int, reason: str, detail: str, remedy: str) -> HttpResponse:
    """Return a refusal as it is sent."""
    body = wire.encode(Refusal(reason=reason, detail=detail, remedy=remedy))
    response = HttpResponse(body, status=status, content_type=JSON)
    if status == 405:
        response["Allow"] = "POST"
    return response


def wait(pace: Pace, reason: str, detail: str) -> HttpResponse:
    """Return the refusal of somebody who hurries."""
    response = refusal(429, reason, detail, TRY_AGAIN)
    response["Retry-After"] = str(pace.wait_seconds())
    return response
