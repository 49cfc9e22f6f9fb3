"""Where a request comes from."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address; behind our own proxy, the one that the proxy added last."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """Return the same of a request as PEP 3333 has it."""
    if settings.CONFIGURATION.behind_proxy:
        return str(environ.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", 1)[-1].strip()[:64]
    return str(environ.get("REMOTE_ADDR", ""))[:64]
