"""Where a request comes from."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address; behind our own proxy, the one that the proxy added last."""
    if settings.CONFIGURATION.behind_proxy:
        return str(request.headers.get("X-Forwarded-For", "")).rsplit(",", 1)[-1].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]
