"""HTTP as the agent speaks it, with a server on the loopback that answers as it is told."""

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent.errors import RefusedError, UnreachableError
from agent.reporting.transport import LONGEST_SECONDS, HttpTransport, proxy_for
from contract import wire
from contract.messages import REPLY_LIMIT_BYTES, Refusal

REFUSAL = wire.encode(Refusal(reason="busy", detail="The server is busy.", remedy="Try again."))


class Server(HTTPServer):
    """Gives everybody the same answer."""

    status, body = 200, b"{}"
    headers: dict[str, str] = {}  # noqa: RUF012 - replaced by tests, never changed

    asked: list[tuple[str, str | None]] = []  # noqa: RUF012 - each request, and how it was authorised

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Say nothing of a client that hung up."""


class Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.asked.append((self.path, self.headers["proxy-authorization"]))
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(server.status)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def post(server: Server) -> bytes:
    transport = HttpTransport()
    try:
        return transport.post(f"http://127.0.0.1:{server.server_port}/agent/v1/check-in", b"{}")
    finally:
        transport.close()


def test_an_answer_is_given_back(server: Server) -> None:
    server.body = b"an answer"
    assert post(server) == b"an answer"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("120", 120),
        (" 7 ", 7),
        ("999999", LONGEST_SECONDS),
        ("-5", 0),
        ("soon", 0),
        ("1e3", 0),
        ("²", 0),
    ],
)
def test_a_refusal_says_why_and_how_long_to_wait(server: Server, header: str | None, seconds: float) -> None:
    server.status, server.body = 429, REFUSAL
    server.headers = {} if header is None else {"retry-after": header.encode().decode("latin-1")}
    with pytest.raises(RefusedError) as refused:
        post(server)
    assert (refused.value.reason, refused.value.retry_after_seconds) == ("busy", seconds)


def test_what_is_not_the_servers_own_word_is_no_refusal(server: Server) -> None:
    server.status, server.body, server.headers = 503, b"<html>Proxy</html>", {"retry-after": "30"}
    with pytest.raises(UnreachableError) as unreachable:
        post(server)
    assert unreachable.value.retry_after_seconds == 30


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server: Server) -> None:
    server.body = b"x" * (REPLY_LIMIT_BYTES + 1)
    with pytest.raises(UnreachableError, match="too much"):
        post(server)


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.status, server.headers = 307, {"location": "http://192.0.2.1/"}
    with pytest.raises(UnreachableError, match="HTTP 307"):
        post(server)


class Authority:
    """Makes certificates for the loopback."""

    def __init__(self, name: str, folder: Path) -> None:
        self._key, self._folder = ec.generate_private_key(ec.SECP256R1()), folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._own = self._sign(self._name, self._key.public_key(), None, (-1, 1))

    def trusted(self) -> str:
        """Return a file of trusted authorities that has this one."""
        file = self._folder / "trusted.pem"
        file.write_bytes(self._own.public_bytes(Encoding.PEM))
        return str(file)

    def issue(self, host: str, days: tuple[int, int]) -> ssl.SSLContext:
        """Return what a server with a certificate of this authority needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        made = self._sign(subject, key.public_key(), host, days)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self._folder / "server.pem"
        file.write_bytes(plain + made.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, host: str | None, days: tuple[int, int]
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


Tls = Callable[..., str]


@pytest.fixture
def tls() -> Iterator[Tls]:
    """Start a server that speaks TLS; return its address."""
    made: list[tuple[Server, threading.Thread]] = []

    def start(authority: Authority, host: str = "localhost", days: tuple[int, int] = (-1, 1)) -> str:
        server = Server(("127.0.0.1", 0), Answer)
        server.body = b"over TLS"
        server.socket = authority.issue(host, days).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        made.append((server, thread))
        return f"https://localhost:{server.server_port}/agent/v1/check-in"

    yield start
    for server, thread in made:
        server.shutdown()
        thread.join()
        server.server_close()


def refusal(url: str) -> UnreachableError:
    transport = HttpTransport()
    with pytest.raises(UnreachableError) as refused:
        transport.post(url, b"{}")
    transport.close()
    return refused.value


def test_an_authority_that_is_not_trusted_is_named(tls: Tls, tmp_path: Path) -> None:
    error = refusal(tls(Authority("Corp Inspection CA", tmp_path)))
    assert error.detail == (
        "The certificate of localhost was issued by “Corp Inspection CA”, which this device does not trust."
    )
    assert "authority to the system's trusted ones" in error.remedy


@pytest.mark.parametrize(
    ("host", "days", "word"),
    [
        ("localhost", (-9, -2), "has run out"),
        ("localhost", (2, 9), "does not hold yet"),
        ("other.example", (-1, 1), "for another name than localhost"),
    ],
)
def test_a_trusted_authoritys_certificate_that_is_wrong_says_how(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, days: tuple[int, int], word: str
) -> None:
    authority = Authority("Acme Root", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", authority.trusted())
    assert word in refusal(tls(authority, host, days)).detail


def test_a_companys_own_authority_among_the_systems_is_believed(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority("Acme Root", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", authority.trusted())
    transport = HttpTransport()
    assert transport.post(tls(authority), b"{}") == b"over TLS"
    transport.close()


def test_the_environments_proxy_is_used_and_its_exceptions_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.body = b"the proxy's answer"
    monkeypatch.setenv("http_proxy", f"http://anna:p%40ss@127.0.0.1:{server.server_port}")
    transport = HttpTransport()
    assert transport.post("http://decorum.test/agent/v1/check-in", b"{}") == b"the proxy's answer"
    assert server.asked[-1] == ("http://decorum.test/agent/v1/check-in", "Basic YW5uYTpwQHNz")
    monkeypatch.setenv("no_proxy", "decorum.test")
    with pytest.raises(UnreachableError):
        transport.post("http://decorum.test/agent/v1/check-in", b"{}")
    transport.close()


@pytest.mark.parametrize(
    ("named", "proxy"), [("", None), ("proxy:3128", "http://proxy:3128"), ("https://p:1", "https://p:1")]
)
def test_a_proxy_without_a_scheme_is_spoken_to_in_plain(
    monkeypatch: pytest.MonkeyPatch, named: str, proxy: str | None
) -> None:
    monkeypatch.setenv("https_proxy", named)
    assert proxy_for("https://decorum.test/") == proxy
