"""Every setting of the agent, declared once: name, type, default, bounds, and who may change it.

Documentation, MDM templates and validation are made from this table. A key that the server may not change never listens to it:
the server can never widen its own powers.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Literal

import msgspec

from contract.ceiling import Ceiling
from contract.errors import MalformedError
from contract.policy import Line, Ownership, Rung
from contract.web import ExtensionId
from contract.wire import convert

Origin = Literal["default", "file", "server", "managed"]
ORIGINS: tuple[Origin, ...] = ("default", "file", "server", "managed")
"""Lowest precedence first."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One setting."""

    name: str
    kind: type
    default: object
    minimum: float | None = None
    maximum: float | None = None
    server_may_change: bool = False
    since: str = "0.1.0"
    sentence: str


HttpAddress = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/?#@]+\Z", max_length=300)]
Folder = Annotated[str, msgspec.Meta(pattern=r"^(/|[A-Za-z]:[\\/]|\\\\)[^\x00-\x1f\x7f]*\Z", max_length=400)]
"""An absolute path; on Windows also of a share."""
Fingerprint = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z")]
AbsoluteFolder = Annotated[
    str, msgspec.Meta(pattern=r"^(/|[A-Za-z]:[\\/]|\\\\)[^\x00-\x1f\x7f]*\Z", max_length=1000)
]
ExportFolders = Annotated[dict[Line, AbsoluteFolder], msgspec.Meta(max_length=20)]
"""By connector, as the policy names it."""

KEYS: tuple[Key, ...] = (
    Key(
        name="server_url",
        kind=HttpAddress | None,  # type: ignore[arg-type]  # a union is what msgspec converts to
        default=None,
        sentence="Address of the central server, as in https://decorum.example.com.",
    ),
    Key(
        name="root_fingerprint",
        kind=Fingerprint | None,  # type: ignore[arg-type]
        default=None,
        sentence="Fingerprint of the root key (RFC 7638). Without it the agent pins the key it meets at enrolment.",
    ),
    Key(
        name="ownership",
        kind=Ownership,  # type: ignore[arg-type]
        default="personal",
        sentence="Who owns the device: company or personal.",
    ),
    Key(
        name="notice",
        kind=Literal["show", "given"],  # type: ignore[arg-type]
        default="show",
        sentence="Whether the employee is shown what is collected (show), or was told otherwise (given).",
    ),
    Key(
        name="ceiling",
        kind=Ceiling,
        default=Ceiling(),
        sentence="How much may leave at most, per ownership and profile: nothing, count, kind, name, hour or exact, of all alike or in a table of "
        "sighting, installed, unretained, exposure and receipt. Empty: nothing leaves.",
    ),
    Key(
        name="retention_folder",
        kind=Folder | None,  # type: ignore[arg-type]
        default=None,
        sentence="Folder that an archive empties: people hand files over to it that came in for work where nothing retains them.",
    ),
    Key(
        name="highest_rung",
        kind=Rung,  # type: ignore[arg-type]
        default="remind",
        sentence="How far any rule may go on this device: report, remind, ask_to_close or close.",
    ),
    Key(
        name="key_store",
        kind=Literal["keyring", "file"],  # type: ignore[arg-type]
        default="keyring",
        sentence="Where the device's key is kept: the user's keyring, or a file only the service's user can read.",
    ),
    Key(
        name="web_extension",
        kind=ExtensionId | None,  # type: ignore[arg-type]
        default=None,
        sentence="Id of the company's extension in Chromium browsers, which alone may tell of web messengers there.",
    ),
    Key(
        name="export_folders",
        kind=ExportFolders,
        default={},
        sentence="Folders that capture connectors fill, by the name the policy gives each. When a file was last written is read, no more.",
    ),
    Key(
        name="check_in_seconds",
        kind=int,
        default=300,
        minimum=5,
        maximum=86_400,
        server_may_change=True,
        sentence="Seconds between check-ins when nothing happens. The server's wish counts instead, unless this is managed.",
    ),
    Key(
        name="poll_milliseconds",
        kind=int,
        default=750,
        minimum=100,
        maximum=10_000,
        server_may_change=True,
        sentence="Milliseconds between two looks at the list of processes, where the system does not tell of starts.",
    ),
)


class Value(msgspec.Struct, frozen=True):
    """A setting in force, and where it came from."""

    value: object
    origin: Origin
    remark: str | None = None
    """What was done to the value that was asked for, if anything."""


def resolve(layers: dict[Origin, dict[str, object]]) -> dict[str, Value]:
    """Return every setting in force; a later layer of `ORIGINS` wins.

    Numbers out of bounds are clamped and remarked on; a server's are not taken at all. Unknown names are refused, since a misspelt ceiling would otherwise
    be believed to hold. Only the server is never refused: what it may not say, or says wrongly, is not heard, so that no answer
    of a server can keep an agent from starting.

    Raises:
        MalformedError: an unknown name, or a value of the wrong type, named by its path.
    """
    known = {key.name for key in KEYS}
    for origin, layer in layers.items():
        for name in layer:
            if name not in known and origin != "server":
                close = get_close_matches(name, known, n=1)
                raise MalformedError(
                    f"There is no setting {name!r} ({origin}).",
                    f"Did you mean {close[0]!r}?" if close else "See `decorum settings` for all.",
                    f"$.{name}",
                )
    return {key.name: _resolve_key(key, layers) for key in KEYS}


def refuse_wishes(asked: Mapping[str, object]) -> None:
    """Refuse what a server cannot ask of devices, before it is sent to all of them.

    Raises:
        MalformedError: a name that is not a setting which a server may change in its answers, or a value that would not be taken as it is.
    """
    wishes = {key.name: key for key in KEYS if key.server_may_change and key.name != "check_in_seconds"}
    for name, wanted in asked.items():
        if name not in wishes:
            raise MalformedError(
                f"{name!r} is nothing that a server may ask for.", f"It may ask for {', '.join(wishes)}."
            )
        value = _bounded(wishes[name], convert(wishes[name].kind, wanted), "server")
        if value.remark is not None:
            raise MalformedError(f"{name}: {value.remark}", "Choose a value within.")


def _resolve_key(key: Key, layers: dict[Origin, dict[str, object]]) -> Value:
    value = Value(key.default, "default")
    for origin in ORIGINS:
        layer = layers.get(origin, {})
        if key.name not in layer or (origin == "server" and not key.server_may_change):
            continue
        if origin == "server":
            value = _wished(key, layer[key.name], value)
            continue
        try:
            value = _bounded(key, convert(key.kind, layer[key.name]), origin)
        except MalformedError as error:
            raise MalformedError(
                f"The setting {key.name}: {error.detail}", error.remedy, f"$.{key.name}{error.path[1:]}"
            ) from error
    return value


def _wished(key: Key, wanted: object, before: Value) -> Value:
    """Return what a server asked for; where it may not have that, what was in force before, with a remark."""
    try:
        value = _bounded(key, convert(key.kind, wanted), "server")
        why = value.remark
    except MalformedError as error:
        value, why = before, error.detail
    if why is None:
        return value
    return msgspec.structs.replace(
        before, remark=f"The server asked for {wanted!r}, which is not taken: {why}"
    )


def _bounded(key: Key, asked: object, origin: Origin) -> Value:
    if not isinstance(asked, int):
        return Value(asked, origin)
    low, high = key.minimum, key.maximum
    bounded = asked
    if low is not None and asked < low:
        bounded = int(low)
    if high is not None and asked > high:
        bounded = int(high)
    remark = f"{asked} was asked for; {low:g} to {high:g} is taken." if bounded != asked else None
    return Value(bounded, origin, remark)
