"""What an installer was given for a device: settings for the administrator's drop-in, and the enrolment secret for the agent.

It comes by the environment, which other users cannot read, never by arguments, which they can. All of it is taken or nothing. What is
refused is written down beside the state, for the log and `decorum doctor`, and what was in force stays; the secret itself is never quoted.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from agent.errors import EnrolmentError, SettingsError
from agent.managed.files import read_toml
from agent.private_file import write_private
from agent.reporting.secret_file import FILE_NAME as SECRET_FILE_NAME
from agent.reporting.secret_file import LIMIT_BYTES
from agent.this_user import acting_as_owner_of
from contract import wire
from contract.errors import DecorumError, MalformedError
from contract.settings_keys import resolve

VARIABLES = {
    "DECORUM_SERVER_URL": "server_url",
    "DECORUM_ROOT_FINGERPRINT": "root_fingerprint",
    "DECORUM_OWNERSHIP": "ownership",
}
"""The setting that each variable gives."""
SECRET_VARIABLE = "DECORUM_ENROLLMENT_SECRET"  # noqa: S105  # the name of the variable, not a secret
REFUSAL_FILE_NAME = "installation-refused.json"
_SECRET = re.compile(r"[\w-]+\.[!-~]+", re.ASCII)
_HEADING = "# Written by Decorum's installer from what it was given. Settings of your own belong in a file beside it.\n"


class Refusal(msgspec.Struct, frozen=True):
    """Why nothing of what an installer was given was taken."""

    detail: str
    remedy: str


class Given(msgspec.Struct, frozen=True):
    """What an installer was given, checked."""

    settings: dict[str, object]
    secret: str | None


def given_by(environ: Mapping[str, str]) -> Given:
    """Return what the environment gives; an empty variable gives nothing.

    Raises:
        SettingsError: a value that is none, named by its variable.
        EnrolmentError: something that is no enrolment secret.
    """
    settings: dict[str, object] = {}
    for variable, name in VARIABLES.items():
        value = environ.get(variable, "").strip()
        if not value:
            continue
        try:
            resolve({"managed": {name: value}})
        except MalformedError as error:
            raise SettingsError(f"{variable}: {error.detail}", error.remedy) from error
        settings[name] = value
    secret = environ.get(SECRET_VARIABLE, "").strip()
    if secret and (len(secret) > LIMIT_BYTES or not _SECRET.fullmatch(secret)):
        raise EnrolmentError(
            f"{SECRET_VARIABLE} holds no enrolment secret.", "Copy the whole secret, as in acme.x7f…."
        )
    return Given(settings, secret or None)


def lay_down(given: Given, drop_in: Path, state: Path) -> None:
    """Write settings and secret where the agent looks for them; settings of an earlier installation that are not given again stay.

    Args:
        given: what to write.
        drop_in: the file for the settings, readable by everybody.
        state: the agent's state folder; what is written there is its owner's.

    Raises:
        SettingsError: the earlier settings cannot be read, or one of the files cannot be written.
    """
    try:
        if given.settings:
            _write_settings(drop_in, (read_toml(drop_in, may_be_absent=True) or {}) | given.settings)
        with acting_as_owner_of(state):
            if given.secret is not None:
                write_private(state / SECRET_FILE_NAME, given.secret)
            (state / REFUSAL_FILE_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{error.filename} cannot be written ({error.strerror}).", "Run this as root."
        ) from error


def note_refusal(state: Path, error: DecorumError) -> None:
    """Write down why nothing was taken, for the agent's user to read.

    Raises:
        OSError: the state folder cannot be written.
    """
    with acting_as_owner_of(state):
        write_private(state / REFUSAL_FILE_NAME, wire.encode(Refusal(error.detail, error.remedy)).decode())


def refusal_in(state: Path) -> Refusal | None:
    """Return why nothing was taken the last time, None if all was, or it may not be read."""
    try:
        return wire.decode(Refusal, (state / REFUSAL_FILE_NAME).read_bytes(), limit_bytes=64 * 1024)
    except (OSError, MalformedError):
        return None


def _write_settings(drop_in: Path, settings: Mapping[str, object]) -> None:
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False, default=str)}\n" for name, value in settings.items()
    ]
    text = _HEADING + "".join(lines)
    if _read_back(text) != settings:
        raise SettingsError(
            f"{drop_in} holds more than an installer writes.",
            "Move settings of your own to a file beside it.",
        )
    drop_in.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    fresh = drop_in.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(drop_in)


def _read_back(text: str) -> dict[str, object] | None:
    """Return what a TOML text says, None if it is none: JSON's way to write a text is TOML's, too, and its other values are not all."""
    try:
        return tomllib.loads(text)
    except ValueError:
        return None
