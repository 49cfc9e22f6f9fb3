"""One address before several servers: each connection goes to the next one that listens, as a load balancer would have it."""

import contextlib
import itertools
import socket
import threading
from collections import Counter


class RoundRobin:
    """Owns the address and the connections through it; looks into none of them."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._next = itertools.cycle(ports)
        self._count = len(ports)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self.served: Counter[int] = Counter()
        """How many connections each port took."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            for _ in range(self._count):
                port = next(self._next)
                try:
                    server = socket.create_connection(("127.0.0.1", port), 10)
                except OSError:
                    continue
                self.served[port] += 1
                with server:
                    there = threading.Thread(target=_pump, args=(client, server), daemon=True)
                    there.start()
                    _pump(server, client)
                    there.join(20)
                return


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
