"""HTTP to the central server: TLS as the operating system trusts it, bounded in time and size."""

import ssl
from typing import Protocol

import truststore
import urllib3

from agent.errors import RefusedError, UnreachableError
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
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=1,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
            retries=False,
            ssl_context=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            headers={"user-agent": f"decorum/{VERSION}", "content-type": "application/json"},
        )

    def post(self, url: str, body: bytes) -> bytes:
        """Send the body and return the answer's."""
        try:
            response = self._pool.request("POST", url, body=body, preload_content=False, redirect=False)
            try:
                answer = response.read(REPLY_LIMIT_BYTES + 1)
            finally:
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(
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
            response = self._pool.request("GET", url, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(
                f"{url} did not answer ({_words(error)}).", "Check the address."
            ) from error
        said = response.headers.get("date")
        return None if said is None else str(said)


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
