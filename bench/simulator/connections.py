"""HTTP connections that stay open, one for each thread."""

import http.client
import threading
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0


class Connections:
    """Posts to one server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise SystemExit(f"{url} cannot be used: the simulator speaks HTTP, as in http://127.0.0.1:8420.")
        self._host, self._port = parts.hostname, parts.port or 80
        self._own = threading.local()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a body and return status and answer.

        Raises:
            OSError: no answer.
        """
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
            self._own.connection = connection
        try:
            connection.request("POST", path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return int(answer.status), bytes(answer.read())
        except http.client.HTTPException as error:
            self._forget(connection)
            raise ConnectionError(f"the answer broke off ({type(error).__name__})") from error
        except OSError:
            self._forget(connection)
            raise

    def _forget(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._own.connection = None
