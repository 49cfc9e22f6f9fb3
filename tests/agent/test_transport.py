"""HTTP as the agent speaks it, with a server on the loopback that answers as it is told."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agent.errors import RefusedError, UnreachableError
from agent.reporting.transport import LONGEST_SECONDS, HttpTransport
from contract import wire
from contract.messages import REPLY_LIMIT_BYTES, Refusal

REFUSAL = wire.encode(Refusal(reason="busy", detail="The server is busy.", remedy="Try again."))


class Server(HTTPServer):
    """Gives everybody the same answer."""

    status, body = 200, b"{}"
    headers: dict[str, str] = {}  # noqa: RUF012 - replaced by tests, never changed

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Say nothing of a client that hung up."""


class Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
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
        transport._pool.clear()


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
