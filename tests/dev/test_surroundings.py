"""What the machine offers: a display counts only if somebody answers there."""

import os
import socket
from pathlib import Path

import pytest

from dev.demo.surroundings import free_port, has_display, is_free, who_listens


@pytest.mark.parametrize("environ", [{}, {"DISPLAY": ""}, {"DISPLAY": ":65123"}, {"DISPLAY": "nonsense"}])
def test_no_display_without_somebody_who_answers(environ: dict[str, str]) -> None:
    assert not has_display(environ, platform="linux")


def test_a_display_is_where_somebody_answers() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X65124")
        server.listen()
        assert has_display({"DISPLAY": ":65124"}, platform="linux")
        assert has_display({"DISPLAY": ":65124.0"}, platform="linux")
        assert not has_display({"DISPLAY": ":65125"}, platform="linux")


def test_a_display_may_be_waylands(tmp_path: Path) -> None:
    environ = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert not has_display(environ, platform="linux")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        server.listen()
        assert has_display(environ, platform="linux")


def test_other_systems_have_a_display() -> None:
    assert has_display({}, platform="darwin")


def test_a_port_that_is_taken_is_named_with_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert f"(process {os.getpid()})" in who_listens(port)
    assert is_free(port)
    assert who_listens(port) == "another program"


def test_the_port_that_is_chosen_is_free() -> None:
    port = free_port()
    assert port is not None
    assert is_free(port)
