"""Somebody on the wire between agent and server, who changes what passes."""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

Tamper = Callable[[bytes], bytes]


class TamperingProxy:
    """Listens on the loopback, passes each request on and gives the answer back as `tamper` changed it."""

    def __init__(self, target: str) -> None:
        self.tamper: Tamper = lambda answer: answer
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                request = urllib.request.Request(
                    target + self.path, body, {"content-type": "application/json"}
                )
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                try:
                    with opener.open(request, timeout=20) as answer:
                        status, text = answer.status, proxy.tamper(answer.read())
                except urllib.error.HTTPError as error:
                    status, text = error.code, error.read()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
