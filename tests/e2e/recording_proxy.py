"""Somebody on the wire between agent and server, who keeps every byte that the agent sends and can make the server fail."""

import http.server
import threading
import urllib.error
import urllib.request
from typing import Any, BinaryIO, cast

from tests.e2e.tampering_proxy import Tamper


class _Keeping:
    """A request as it is read, every byte of it kept."""

    def __init__(self, stream: BinaryIO, kept: list[bytes]) -> None:
        self._stream, self._kept = stream, kept

    def readline(self, limit: int = -1) -> bytes:
        """Read a line of the head."""
        return self._keep(self._stream.readline(limit))

    def read(self, count: int = -1) -> bytes:
        """Read the body."""
        return self._keep(self._stream.read(count))

    def _keep(self, data: bytes) -> bytes:
        self._kept.append(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class RecordingProxy:
    """Listens on the loopback, passes each request on and gives the answer back as `tamper` changed it."""

    def __init__(self, target: str) -> None:
        self.tamper: Tamper = lambda answer: answer
        self.fails = 0
        """So many requests are answered with HTTP 500."""
        self.failed = 0
        """So many were."""
        self._kept: list[bytes] = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.rfile = cast("Any", _Keeping(cast("BinaryIO", self.rfile), proxy._kept))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if proxy.fails > 0:
                    proxy.fails, proxy.failed = proxy.fails - 1, proxy.failed + 1
                    return self._answer(500, b"Internal Server Error")
                request = urllib.request.Request(
                    target + self.path, body, {"content-type": self.headers["content-type"]}
                )
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                try:
                    with opener.open(request, timeout=20) as answer:
                        return self._answer(answer.status, proxy.tamper(answer.read()))
                except urllib.error.HTTPError as error:
                    return self._answer(error.code, error.read())

            def _answer(self, status: int, text: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def sent(self) -> bytes:
        """Every byte that the agent has sent, heads and bodies, one after another."""
        return b"".join(self._kept)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
