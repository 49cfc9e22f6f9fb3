"""What the environment says: where the state is, how the server is reached. Pure; the environment is an argument."""

import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from contract.errors import MalformedError
from contract.settings_keys import refuse_wishes
from contract.wire import convert
from server.errors import ConfigurationError

STATE_VARIABLE = "DECORUM_SERVER_STATE"
DEFAULT_ADDRESS = "127.0.0.1:8420"
_PREFIX = "DECORUM_SERVER_"

DatabaseUrl = Annotated[str, msgspec.Meta(pattern=r"^postgres(ql)?://[^\x00-\x20\x7f]+$", max_length=2000)]
Origin = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/?#@]+$", max_length=300)]


Token = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{16,200}$")]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The environment's word, typed. Each field is a variable, as in DECORUM_SERVER_URL."""

    state: str | None = None
    """The folder that holds keys and, with SQLite, the database; None means that nothing can be kept."""
    database: DatabaseUrl | None = None
    """The PostgreSQL database to use in place of SQLite."""
    url: Origin = f"http://{DEFAULT_ADDRESS}"
    """How people and devices reach the server from outside."""
    hosts: str = ""
    """Further host names under which it is reached, separated by commas."""
    behind_proxy: bool = False
    """Whether a proxy of ours stands in front, which sets X-Forwarded-For and X-Forwarded-Proto itself."""
    check_in_seconds: Annotated[int, msgspec.Meta(ge=5, le=86_400)] = 300
    """How often devices are asked to check in."""
    agent_settings: str = ""
    """What devices are asked to set, as in `poll_milliseconds = 2000`; only what `decorum settings` says a server may change."""
    time_zone: str = "UTC"
    """The zone in which the console shows times."""
    metrics_token: Token | None = None
    """Who sends this as bearer token may read /metrics."""
    metrics_addresses: str = ""
    """Addresses or networks that may read /metrics without it, separated by commas."""

    @property
    def metrics_networks(self) -> tuple[Network, ...]:
        """The networks from which metrics may be read.

        Raises:
            ValueError: one is none.
        """
        named = (word.strip() for word in self.metrics_addresses.split(","))
        return tuple(ipaddress.ip_network(word) for word in named if word)

    @property
    def wishes(self) -> dict[str, bool | int | str]:
        """What devices are asked to set, by name.

        Raises:
            MalformedError: it cannot be read, or names what a server may not change or what is out of bounds.
        """
        try:
            asked: dict[str, bool | int | str] = tomllib.loads(f"asked = {{{self.agent_settings}}}")["asked"]
        except (ValueError, RecursionError) as error:
            raise MalformedError(
                f"It is no list of settings ({error}).", "Write name = value, name = value."
            ) from error
        refuse_wishes(asked)
        return asked

    @property
    def is_https(self) -> bool:
        """Whether the outside speaks TLS."""
        return self.url.startswith("https://")

    @property
    def allowed_hosts(self) -> list[str]:
        """The host names that requests may name."""
        further = [host.strip() for host in self.hosts.split(",") if host.strip()]
        named = urlsplit(self.url).hostname or "localhost"
        return ["localhost", "127.0.0.1", "[::1]", f"[{named}]" if ":" in named else named, *further]

    @property
    def folder(self) -> Path | None:
        """The state folder, absolute."""
        return None if self.state is None else Path(self.state).absolute()


def from_environ(environ: Mapping[str, str]) -> Configuration:
    """Return the configuration.

    Raises:
        ConfigurationError: a variable with a value that cannot be used, named.
    """
    said: dict[str, object] = {}
    for field in msgspec.structs.fields(Configuration):
        text = environ.get(_PREFIX + field.name.upper())
        if text:
            said[field.name] = _plain(text) if isinstance(field.default, int) else text
    try:
        configuration = convert(Configuration, said)
        ZoneInfo(configuration.time_zone)
    except MalformedError as error:
        name = _PREFIX + error.path.removeprefix("$.").upper()
        raise ConfigurationError(
            f"{name} has a value that cannot be used: {error.detail}", "Correct it."
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"{_PREFIX}TIME_ZONE names no time zone.", "Use a name such as Europe/Berlin."
        ) from error
    try:
        _ = configuration.wishes
    except MalformedError as error:
        raise ConfigurationError(
            f"{_PREFIX}AGENT_SETTINGS has a value that cannot be used: {error.detail}", error.remedy
        ) from error
    try:
        _ = configuration.metrics_networks
    except ValueError as error:
        raise ConfigurationError(
            f"{_PREFIX}METRICS_ADDRESSES has a value that cannot be used: {error}.",
            "Write addresses or networks, as in 10.0.0.5, 192.0.2.0/24.",
        ) from error
    return configuration


def _plain(text: str) -> object:
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
