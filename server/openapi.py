"""Parts of an OpenAPI 3.1 document (spec.openapis.org, version 3.1.1) that every schema here has alike."""

from collections.abc import Iterable
from http import HTTPStatus
from itertools import groupby
from typing import Any

from contract.messages import Refusal
from server.fleet.refusals import Told
from server.machines import JSON

PLACE = "#/components/schemas/"


def refusals(told: Iterable[Told]) -> dict[str, Any]:
    """Return the responses that refuse, by status."""
    by_status = groupby(sorted(told, key=lambda one: one.status), key=lambda one: one.status)
    return {str(status): _refusal(HTTPStatus(status), tuple(group)) for status, group in by_status}


def _refusal(status: HTTPStatus, told: tuple[Told, ...]) -> dict[str, Any]:
    reasons = {"enum": [one.reason for one in told]}
    body = {"allOf": [reference(Refusal.__name__), {"properties": {"reason": reasons}}]}
    response = {
        "description": "\n".join(f"{one.reason}: {one.when}" for one in told),
        "content": content(body),
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = {"description": "When to ask again, in seconds.", "required": True}
        response["headers"] = {"Retry-After": {**seconds, "schema": {"type": "integer", "minimum": 1}}}
    return response


def reference(name: str) -> dict[str, str]:
    """Return what leads to a part."""
    return {"$ref": PLACE + name}


def content(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body of this form."""
    return {JSON: {"schema": body}}


def for_javascript(value: Any) -> Any:
    r"""Return the schema with patterns as ECMA-262 writes them, which JSON Schema asks for: `$` is what `\Z` is in Python."""
    match value:
        case dict():
            return {
                key: one.replace(r"\Z", "$")
                if key == "pattern" and isinstance(one, str)
                else for_javascript(one)
                for key, one in value.items()
            }
        case list() | tuple():
            return [for_javascript(one) for one in value]
        case _:
            return value
