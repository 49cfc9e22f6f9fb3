import pytest

from contract.places import SYSTEM_SOCKET, sockets_to_try, trusted_owner, user_socket

USER, OTHER, ROOT, SERVICE = 1000, 1001, 0, 990
OWN = "/run/user/1000/decorum/agent.sock"


def test_the_systems_agent_is_asked_before_the_users_own() -> None:
    assert sockets_to_try({"XDG_RUNTIME_DIR": "/run/user/1000"}, USER) == (SYSTEM_SOCKET, OWN)


def test_a_socket_that_is_named_is_the_only_one() -> None:
    environ = {"DECORUM_SOCKET": "/tmp/trial.sock", "XDG_RUNTIME_DIR": "/run/user/1000"}
    assert sockets_to_try(environ, USER) == ("/tmp/trial.sock",)
    assert sockets_to_try({**environ, "DECORUM_SOCKET": ""}, USER) == (SYSTEM_SOCKET, OWN)


@pytest.mark.parametrize(
    "environ", [{}, {"XDG_RUNTIME_DIR": ""}, {"XDG_RUNTIME_DIR": "tmp"}, {"XDG_RUNTIME_DIR": "./x"}]
)
def test_without_an_absolute_runtime_folder_the_usual_one_is_taken(environ: dict[str, str]) -> None:
    # XDG Base Directory Specification 0.8: a relative path is invalid and to be ignored.
    assert user_socket(environ, USER) == OWN


@pytest.mark.parametrize(
    ("socket", "peer", "service", "trusted"),
    [
        (SYSTEM_SOCKET, ROOT, None, True),
        (SYSTEM_SOCKET, SERVICE, SERVICE, True),
        (SYSTEM_SOCKET, SERVICE, None, False),
        (SYSTEM_SOCKET, USER, SERVICE, False),
        (SYSTEM_SOCKET, OTHER, SERVICE, False),
        (OWN, USER, None, True),
        (OWN, ROOT, None, True),
        (OWN, SERVICE, SERVICE, True),
        (OWN, OTHER, SERVICE, False),
        (OWN, OTHER, None, False),
    ],
)
def test_only_root_the_service_and_at_ones_own_socket_oneself_are_believed(
    socket: str, peer: int, service: int | None, trusted: object
) -> None:
    assert trusted_owner(socket, peer, USER, service) is trusted
