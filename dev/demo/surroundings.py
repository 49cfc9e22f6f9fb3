"""What the machine has to offer: a display, a free port, a server that answers."""

import asyncio
import contextlib
import os
import re
import select
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

FIRST_PORT, PORTS_TRIED = 8420, 50
HOST = "127.0.0.1"


def has_display(environ: Mapping[str, str], *, platform: str = sys.platform) -> bool:
    """Tell whether a window could be shown: not whether a variable is set, but whether somebody listens there."""
    if platform != "linux":
        return True
    wayland, display = environ.get("WAYLAND_DISPLAY"), environ.get("DISPLAY", "")
    if wayland and _listens(str(Path(environ.get("XDG_RUNTIME_DIR", "/")) / wayland)):
        return True
    named = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if named:
        place = f"/tmp/.X11-unix/X{named[1]}"
        return _listens(place) or _listens(f"\0{place}")
    remote = re.fullmatch(r"([^:/]+):(\d+)(?:\.\d+)?", display)
    return remote is not None and _answers(remote[1], 6000 + int(remote[2]))


def _listens(place: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.connect(place)
        return True
    return False


def _answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=2):
        return True
    return False


def is_free(port: int) -> bool:
    """Tell whether a server can listen at a port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int | None:
    """Return the first free port, from 8420 on; None if there is none among the next fifty."""
    return next((port for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if is_free(port)), None)


async def until_http_answers(port: int) -> None:
    """Wait until a server answers requests at a port, with whatever status."""
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(
                        f"HEAD / HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode()
                    )
                    if (await reader.readline()).startswith(b"HTTP/"):
                        return
                finally:
                    writer.close()
        await asyncio.sleep(0.03)


async def until_socket_answers(place: Path) -> None:
    """Wait until somebody listens at a unix socket."""
    while not _listens(str(place)):  # noqa: ASYNC110 - no event tells that another program listens
        await asyncio.sleep(0.03)


def who_listens(port: int) -> str:
    """Return who listens at a port, as far as the system tells us."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            is_it = (
                connection.status == psutil.CONN_LISTEN and getattr(connection.laddr, "port", None) == port
            )
            if is_it and connection.pid is not None:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another program"


async def until_abandoned(terminal: int) -> None:
    """Wait until whoever started this process has ended, or the terminal at a descriptor was closed.

    The kernel tells only the terminal's first process of that, and `make` does not pass it on.
    """
    parent = os.getppid()
    watch = select.poll()
    watch.register(terminal, 0)  # only the end of it, not what is typed
    is_terminal = os.isatty(terminal)
    while os.getppid() == parent and not (is_terminal and watch.poll(0)):  # noqa: ASYNC110 - no event tells of either
        await asyncio.sleep(0.5)
