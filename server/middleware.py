"""What stands before every answer: the headers that bind a browser, and the way for devices."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from server import web_extension
from server.fleet import agent_api

Answer = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    # The console's theme builds its expressions at run time (Alpine.js), hence unsafe-eval; no script stands in a page.
    "script-src 'self' 'unsafe-eval'; "
    # The theme's colours are a style element, and its widgets set style attributes.
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class SafeHeaders:
    """Binds browsers to what the console needs, and keeps its pages out of shared caches."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and add the headers."""
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if not request.path_info.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class AgentsFirst:
    """Answers devices before anything made for people sees the request: no session, no form, no page."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a device, or pass the request on."""
        if request.path_info.startswith(agent_api.PREFIX):
            return agent_api.answer(request)
        return self._get_response(request)


class ConnectorsFirst:
    """Answers capture connectors, alike."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a connector, or pass the request on."""
        # Imported here because it looks at models, which are ready only when requests come.
        from server.records import api  # noqa: PLC0415

        if request.path_info.startswith(api.PREFIX):
            return api.answer(request)
        return self._get_response(request)


class ProbesFirst:
    """Answers machines that look after the server: no host name, no session, no page."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a machine, or pass the request on."""
        # Imported here because probes look at models, which are ready only when requests come.
        from server import probes  # noqa: PLC0415

        return probes.answer(request) or self._get_response(request)


class BrowsersFirst:
    """Answers browsers that look for the extension: no session, no database, nothing about anybody."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a browser, or pass the request on."""
        if request.path_info.startswith(web_extension.PREFIX):
            return web_extension.answer(request)
        return self._get_response(request)


class PossibleAddresses:
    """Refuses an address that says NUL, which no text in PostgreSQL can hold, before anything looks it up."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or refuse."""
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds a NUL character")
        return self._get_response(request)
