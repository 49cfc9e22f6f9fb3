import pytest

from server.configuration import from_environ
from server.errors import ConfigurationError


def test_nothing_said_means_the_defaults() -> None:
    configuration = from_environ({"HOME": "/root", "DECORUM_SERVER_STATE": ""})
    assert configuration.folder is None
    assert (configuration.url, configuration.is_https, configuration.behind_proxy) == (
        "http://127.0.0.1:8420",
        False,
        False,
    )
    assert configuration.check_in_seconds == 300


def test_what_is_said_holds() -> None:
    configuration = from_environ(
        {
            "DECORUM_SERVER_STATE": "/var/lib/decorum-server",
            "DECORUM_SERVER_URL": "https://decorum.example.com",
            "DECORUM_SERVER_HOSTS": "10.0.0.5, other.example.com",
            "DECORUM_SERVER_BEHIND_PROXY": "yes",
            "DECORUM_SERVER_CHECK_IN_SECONDS": "60",
            "DECORUM_SERVER_TIME_ZONE": "Europe/Berlin",
            "DECORUM_SERVER_AGENT_SETTINGS": "poll_milliseconds = 2000",
        }
    )
    assert configuration.is_https
    assert configuration.behind_proxy
    assert configuration.check_in_seconds == 60
    assert configuration.wishes == {"poll_milliseconds": 2000}
    assert {"decorum.example.com", "10.0.0.5", "other.example.com", "localhost"} <= set(
        configuration.allowed_hosts
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DECORUM_SERVER_URL", "decorum.example.com"),
        ("DECORUM_SERVER_URL", "https://decorum.example.com/console"),
        ("DECORUM_SERVER_CHECK_IN_SECONDS", "1"),
        ("DECORUM_SERVER_CHECK_IN_SECONDS", "often"),
        ("DECORUM_SERVER_BEHIND_PROXY", "perhaps"),
        ("DECORUM_SERVER_TIME_ZONE", "Mars/Olympus"),
        ("DECORUM_SERVER_AGENT_SETTINGS", "poll_milliseconds"),
        ("DECORUM_SERVER_AGENT_SETTINGS", "poll_milliseconds = 1"),
        ("DECORUM_SERVER_AGENT_SETTINGS", "poll_milliseconds = 'fast'"),
        ("DECORUM_SERVER_AGENT_SETTINGS", "highest_rung = 'close'"),
        ("DECORUM_SERVER_AGENT_SETTINGS", "} = {"),
        ("DECORUM_SERVER_METRICS_TOKEN", "short"),
        ("DECORUM_SERVER_METRICS_TOKEN", "with a space in it and long"),
        ("DECORUM_SERVER_METRICS_ADDRESSES", "10.0.0.5, everywhere"),
        ("DECORUM_SERVER_METRICS_ADDRESSES", "10.0.0.5/8"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        from_environ({name: value})
    assert name in str(refused.value)


def test_a_folder_that_is_only_digits_is_still_a_folder() -> None:
    folder = from_environ({"DECORUM_SERVER_STATE": "2026"}).folder
    assert folder is not None
    assert folder.name == "2026"
