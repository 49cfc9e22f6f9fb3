"""The sender: every request once, over so many connections at once, and only good answers count."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.sender import send

REQUEST = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"


class Handler(BaseHTTPRequestHandler):
    """Answers in two pieces; `/bad` with an error."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[int, str]]

    def do_POST(self) -> None:
        self.rfile.read(5)
        self.asked.append((self.client_address[1], self.path))
        self.send_response(500 if self.path == "/bad" else 200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        for piece in (b"no", b"ne"):
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def test_each_is_sent_once_in_its_lane_and_only_good_answers_count(server: ThreadingHTTPServer) -> None:
    lanes = [[REQUEST % b"a1", REQUEST % b"bad", REQUEST % b"a3"], [REQUEST % b"b1", REQUEST % b"b2"]]
    sent = send(server.server_port, lanes)
    assert len(sent.milliseconds) == 4
    assert sent.seconds > 0
    by_connection: dict[int, list[str]] = {}
    for connection, path in Handler.asked:
        by_connection.setdefault(connection, []).append(path)
    assert sorted(by_connection.values()) == [["/a1", "/bad", "/a3"], ["/b1", "/b2"]]
