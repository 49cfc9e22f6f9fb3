"""The whole web on one port of the loopback: whatever name a browser asks for, a page answers, under a certificate made here.

It is reached as an HTTPS proxy's tunnel (`CONNECT`), or directly; a name's page may be given, and what was asked for is remembered.
"""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PLAIN = "<!doctype html><meta charset=utf-8><title>A page</title><p>A page."


class WebSites(ThreadingHTTPServer):
    """Owns the port, the pages and the list of what was asked for."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.pages: dict[str, str] = {}
        """By host."""
        self.visited: list[str] = []
        """Hosts whose page was asked for, in order."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(_certificate(folder))
        super().__init__(("127.0.0.1", 0), _Visit)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a browser that hangs up."""


class _Visit(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: WebSites

    def handle(self) -> None:
        """Begin with a tunnel's question, or at once with TLS, whose first byte is 22 (RFC 8446, 5.1)."""
        with contextlib.suppress(OSError):  # a browser hangs up when it likes
            if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
                self._encrypt()
            super().handle()

    def finish(self) -> None:
        """Leave nothing open."""
        with contextlib.suppress(OSError):
            super().finish()
        self.rfile.close()
        self.connection.close()

    def do_CONNECT(self) -> None:
        self.connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        self._encrypt()
        self.close_connection = False

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        if self.path == "/favicon.ico":
            self._answer(404, b"")
            return
        if not self.path.startswith("http://"):  # a proxy's plain request
            self.server.visited.append(host)
        self._answer(200, self.server.pages.get(host, PLAIN).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _encrypt(self) -> None:
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be quiet."""


@contextmanager
def web_sites(folder: Path) -> Iterator[WebSites]:
    """Give a web that answers until the end."""
    sites = WebSites(folder)
    thread = threading.Thread(target=sites.serve_forever, daemon=True)
    thread.start()
    try:
        yield sites
    finally:
        sites.shutdown()
        sites.server_close()
        thread.join()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "web.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
