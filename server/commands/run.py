"""`decorum-server run`: the production server, until Ctrl-C or SIGTERM."""

import argparse
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from django.db import connection, connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from server.commands.frame import ready_identity, state
from server.errors import RequestError
from server.gate import Gate
from server.lane import Lane

_THREADS = 4
_PR_SET_PDEATHSIG = 1
"""Option of prctl(2): the signal that a process gets when its parent dies."""


def run(arguments: argparse.Namespace) -> None:
    """Serve."""
    host, port = _address(arguments.address)
    if not 1 <= arguments.workers <= 64:
        raise RequestError(f"{arguments.workers} workers cannot be.", "Choose 1 to 64.")
    os.environ.setdefault("DECORUM_SERVER_URL", f"http://{arguments.address}")
    os.umask(0o077)
    identity = ready_identity()
    connections.close_all()  # workers are forked from here, and a database connection must not be
    _ensure_free(host, port)
    server = Granian(
        "server.gate:Gate",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=arguments.workers,
        log_level=LogLevels.warning,
        workers_kill_timeout=10,
    )
    server.on_startup(
        lambda: print(
            f"Serving {identity.tenant.company} at http://{arguments.address} (Ctrl-C stops).", flush=True
        )
    )
    server.serve(target_loader=_gate, wrap_loader=False)


def _gate() -> Callable[..., Any]:
    """Return the gate before the application, in a worker; one whose parent is gone, however it went, ends too and frees the address."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    from server.chores import Chores  # noqa: PLC0415 - only workers need it, and it needs Django's models
    from server.fleet import agent_api  # noqa: PLC0415 - alike
    from server.wsgi import application  # noqa: PLC0415 - alike

    Chores(state()).start()

    # SQLite lets one write at a time; on PostgreSQL one lot computes while the other waits for the database.
    lane = Lane(agent_api.CHECK_IN, agent_api.together, lots=2 if connection.vendor == "postgresql" else 1)
    return Gate(application, _THREADS, lane=lane).answer


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise RequestError(f"{text!r} is no address.", "Write host:port, as in 127.0.0.1:8420.")
    return host, int(port)


def _ensure_free(host: str, port: int) -> None:
    """Try the address before anything is started, for a sentence in place of a traceback."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        _not_free(host, port, error)


def _not_free(host: str, port: int, error: OSError) -> NoReturn:
    raise RequestError(
        f"Nothing can listen at {host}, port {port}: {error.strerror}.",
        "Stop what listens there, or choose another --address.",
    ) from error
