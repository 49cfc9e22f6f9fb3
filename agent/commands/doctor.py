"""`decorum doctor`: whether Decorum is well on this device, and what to do where it is not. It changes nothing."""

import argparse
import contextlib
import email.utils
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.commands import exits
from agent.commands.arguments import scope_of, settings_file_of, state_of
from agent.commands.printing import print_json
from agent.credentials.interface import choose
from agent.doctor import Facts, Folder, Grade, KeyStore, ServerAnswer, examine, worst
from agent.errors import AgentAbsentError, AgentError, CredentialError, SettingsError, UnreachableError
from agent.localapi.client import LocalClient
from agent.private_file import who_else_may_read
from agent.provisioning import refusal_in
from agent.reporting.enrolment import Enrolment
from agent.reporting.transport import HttpTransport
from agent.reporting.wishes import kept
from agent.rescue import ENROLMENT_FACT, is_damaged
from agent.sensing.process_source import GoneError, ProcessSource
from agent.sensing.this_system import process_source
from agent.settings import Settings, load
from agent.store import STATE_FILE, peek
from agent.this_user import own_uid
from contract import wire
from contract.errors import DecorumError
from contract.local import Nothing, Snapshot

_CODES: dict[Grade, int] = {"fine": exits.COMPLIANT, "attention": exits.ATTENTION, "broken": exits.VIOLATION}
_SIGNS: dict[Grade, str] = {"fine": "ok", "attention": "!!", "broken": "XX"}
LIMIT_BYTES = 64 * 1024


def execute(arguments: argparse.Namespace) -> int:
    """Examine, and print the findings."""
    findings = examine(gather(arguments))
    grade = worst(findings)
    if arguments.json:
        print_json({"grade": grade, "findings": findings})
        return _CODES[grade]
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        print(f"{_SIGNS[finding.grade]}  {finding.check:{width}}  {finding.sentence}")
        if finding.remedy:
            print(f"    {'':{width}}  {finding.remedy}")
    return _CODES[grade]


def gather(arguments: argparse.Namespace) -> Facts:
    """Return all that this machine tells; nothing of it is an error."""
    settings, settings_error = _settings(arguments)
    state = state_of(arguments)
    folder = _folder(state)
    enrolment = _enrolment(state / STATE_FILE) if folder.exists and folder.is_readable else None
    version, agent_error, snapshot = _agent(arguments.socket)
    url = enrolment.server_url if enrolment is not None else settings and settings.server_url
    return Facts(
        now=datetime.now(UTC),
        scope=scope_of(arguments),
        settings=settings,
        settings_error=None if settings_error is None else settings_error.detail,
        settings_remedy=None if settings_error is None else settings_error.remedy,
        refusal=refusal_in(state),
        folder=folder,
        key=_key(settings, state) if settings is not None and folder.is_readable else None,
        enrolment=enrolment,
        server=_server(url) if url else None,
        agent_version=version,
        agent_error=agent_error,
        snapshot=snapshot,
        sees_others=_sees_others(process_source(), own_uid()),
        has_zones=_has_zones(),
    )


def _settings(arguments: argparse.Namespace) -> tuple[Settings | None, SettingsError | None]:
    try:
        return load(settings_file_of(arguments), server=kept(state_of(arguments))), None
    except SettingsError as error:
        return None, error


def _folder(state: Path) -> Folder:
    free_bytes = shutil.disk_usage(_existing(state)).free
    try:
        others = who_else_may_read(state)
    except FileNotFoundError:
        return Folder(path=str(state), exists=False, free_bytes=free_bytes)
    except OSError:
        return Folder(path=str(state), is_readable=False, free_bytes=free_bytes)
    is_readable = os.access(state, os.R_OK | os.X_OK)
    file = state / STATE_FILE
    return Folder(
        path=str(state),
        is_readable=is_readable,
        open_to=None if others is None else others[0],
        closing="" if others is None else others[1],
        is_damaged=is_readable and file.exists() and is_damaged(file),
        free_bytes=free_bytes,
    )


def _existing(place: Path) -> Path:
    """Return the place, or the nearest above it that can be looked at."""
    while not os.access(place, os.X_OK) and place != place.parent:
        place = place.parent
    return place


def _enrolment(file: Path) -> Enrolment | None:
    """Return the enrolment without writing anything, not even a lock."""
    text = peek(file, ENROLMENT_FACT)
    with contextlib.suppress(DecorumError):
        return None if text is None else wire.decode(Enrolment, text.encode(), limit_bytes=LIMIT_BYTES)
    return None


def _key(settings: Settings, state: Path) -> KeyStore:
    try:
        store = choose(settings.key_store, state)
        return KeyStore(described=store.describe(), has_key=store.load() is not None)
    except CredentialError as error:
        return KeyStore(described="", error=error.detail, remedy=error.remedy)


def _agent(socket: str | None) -> tuple[str | None, str | None, Snapshot | None]:
    try:
        with LocalClient(socket, os.environ) as client:
            return client.agent_version, None, client.ask("status", Nothing(), Snapshot)
    except AgentAbsentError:
        return None, None, None
    except AgentError as error:
        return None, str(error), None


def _server(url: str) -> ServerAnswer:
    try:
        said = HttpTransport().date(f"{url}/health/live")
    except UnreachableError as error:
        return ServerAnswer(url=url, error=error.detail, remedy=error.remedy)
    ahead = None
    if said is not None:
        with contextlib.suppress(ValueError, TypeError):
            ahead = (email.utils.parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
    return ServerAnswer(url=url, ahead_seconds=ahead)


def _sees_others(source: ProcessSource, own: int) -> bool | None:
    """Try it on the processes of other users until one tells its executable; None if there are none to try it on."""
    has_others = False
    for pid in source.pids():
        try:
            if source.uid(pid) == own:
                continue
            if source.image(pid).exe:
                return True
            has_others = True
        except GoneError:
            continue
    return False if has_others else None


def _has_zones() -> bool:
    try:
        ZoneInfo("Europe/Berlin")
    except (OSError, ValueError, KeyError):
        return False
    return True
