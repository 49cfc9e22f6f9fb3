"""HTTP to the central server: TLS and proxy as the operating system has them, bounded in time and size."""

import ssl
import urllib.request
from typing import Protocol
from urllib.parse import unquote, urlsplit

import truststore
import urllib3

from agent.errors import RefusedError, UnreachableError
from agent.reporting.certificates import explained
from contract import wire
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES, Refusal
from contract.version import VERSION

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
LONGEST_SECONDS = 3600.0
"""The longest that a server can ask a device to wait."""
ENROL_PATH = "/agent/v1/enrol"
CHECK_IN_PATH = "/agent/v1/check-in"
LEAVE_PATH = "/agent/v1/leave"
HOLDINGS_PATH = "/agent/v1/holdings"


class Transport(Protocol):
    """Carries one request to the server and brings its answer."""

    def post(self, url: str, body: bytes) -> bytes:
        """Return the answer's body.

        Raises:
            UnreachableError: no answer, or one that is no answer of this server.
            RefusedError: the server refused, and says why.
        """


class HttpTransport:
    """The transport over HTTP; safe to call from another thread."""

    def __init__(self) -> None:
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def close(self) -> None:
        """End every connection."""
        for pool in self._pools.values():
            pool.clear()

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Return the connections to a server, through the proxy that stands before it today."""
        proxy = proxy_for(url)
        if proxy not in self._pools:
            self.close()
            self._pools = {proxy: _pool(proxy)}
        return self._pools[proxy]

    def post(self, url: str, body: bytes) -> bytes:
        """Send the body and return the answer's."""
        try:
            response = self._pool(url).request("POST", url, body=body, preload_content=False, redirect=False)
            try:
                answer = response.read(REPLY_LIMIT_BYTES + 1)
            finally:
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise explained(url, error) or UnreachableError(
                f"{url} did not answer ({_words(error)}).", "Nothing is lost; it is tried again."
            ) from error
        if len(answer) > REPLY_LIMIT_BYTES:
            raise UnreachableError(f"{url} answered with too much.", "Check the address.")
        if response.status == 200:
            return answer
        refused = _refusal(url, response.status, answer)
        refused.retry_after_seconds = _seconds(response.headers.get("retry-after"))
        raise refused

    def date(self, url: str) -> str | None:
        """Return what the other end says of the time, whatever else it answers (RFC 9110, 6.6.1); None if it says nothing.

        Raises:
            UnreachableError: no answer.
        """
        try:
            response = self._pool(url).request("GET", url, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise explained(url, error) or UnreachableError(
                f"{url} did not answer ({_words(error)}).", "Check the address, the network and the proxy."
            ) from error
        said = response.headers.get("date")
        return None if said is None else str(said)


def proxy_for(url: str) -> str | None:
    """Return the proxy that stands before an address: the environment's, or on Windows and macOS the system's."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _pool(proxy: str | None) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    headers = {"user-agent": f"decorum/{VERSION}", "content-type": "application/json"}
    if proxy is None:
        return urllib3.PoolManager(
            num_pools=1, maxsize=1, timeout=timeout, retries=False, ssl_context=context, headers=headers
        )
    named = urlsplit(proxy)
    said = f"{unquote(named.username)}:{unquote(named.password or '')}" if named.username else None
    return urllib3.ProxyManager(
        proxy,
        num_pools=1,
        maxsize=1,
        timeout=timeout,
        retries=False,
        ssl_context=context,
        headers=headers,
        proxy_headers=urllib3.make_headers(proxy_basic_auth=said) if said else None,
    )


def _refusal(url: str, status: int, answer: bytes) -> RefusedError | UnreachableError:
    try:
        refusal = wire.decode(Refusal, answer, limit_bytes=REPLY_LIMIT_BYTES)
    except MalformedError:
        # A proxy, a portal or an overloaded server: not the word of the server itself.
        return UnreachableError(f"{url} answered with HTTP {status}.", "Nothing is lost; it is tried again.")
    return RefusedError(refusal.detail, refusal.remedy, refusal.reason)


def _seconds(untrusted_text: str | None) -> float:
    """Return how long the other end asks to wait (RFC 9110, 10.2.3), an hour at most; a date asks for nothing here."""
    text = (untrusted_text or "").strip()
    return min(float(text), LONGEST_SECONDS) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0


def _words(error: Exception) -> str:
    """Return the innermost cause, without the addresses of Python objects."""
    reason = getattr(error, "reason", None)
    return str(reason if isinstance(reason, Exception) else error).rsplit(">: ", 1)[-1]
