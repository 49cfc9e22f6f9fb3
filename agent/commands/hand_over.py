"""`decorum hand-over`: copies files that came in for work, and that nothing retains, into the folder that the company's archive empties."""

import argparse
import getpass
import hashlib
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from agent.commands import exits
from agent.commands.printing import print_json
from agent.errors import NowhereToHandOverError, StateError
from agent.localapi.client import LocalClient
from contract.local import HandedOver, Handing, Nothing, UnretainedFile, UnretainedPage

CHUNK_BYTES = 1024 * 1024


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it, as `--json` prints it."""

    handed_over: tuple[UnretainedFile, ...]
    left: tuple[UnretainedFile, ...]
    """What changed or went meanwhile; the agent does not take it for handed over."""


def execute(arguments: argparse.Namespace) -> int:
    """Copy what waits, a part at a time, and say how much it was."""
    with LocalClient(arguments.socket, os.environ) as client:
        done = hand_over(client, arguments.messenger)
    if arguments.json:
        print_json(done)
    else:
        print(_said(done))
    return exits.COMPLIANT


def hand_over(client: LocalClient, messenger: str | None) -> Done:
    """Hand over what waits, each file once.

    Raises:
        NowhereToHandOverError: there is no folder for it.
        StateError: a file cannot be copied there.
    """
    tried: dict[str, UnretainedFile] = {}
    while True:
        page = client.ask("unretained", Nothing(), UnretainedPage)
        waiting = [one for one in page.files if messenger in {None, one.messenger}]
        fresh = [one for one in waiting if one.path not in tried]
        if not fresh:
            break
        if page.folder is None:
            raise NowhereToHandOverError
        copies = [(one.path, _copied(one, page.folder)) for one in fresh]
        files = tuple(Handing(path=path, copy=str(made)) for path, made in copies if made is not None)
        client.ask("unretained.handed_over", HandedOver(files), Nothing)
        tried |= {one.path: one for one in fresh}
    still = {one.path for one in waiting}
    return Done(
        handed_over=tuple(one for path, one in tried.items() if path not in still),
        left=tuple(one for path, one in tried.items() if path in still),
    )


def _copied(file: UnretainedFile, folder: str) -> Path | None:
    """Return the copy of a file; None where it is there no longer."""
    if not Path(file.path).is_file():
        return None
    try:
        return copy(file, Path(folder))
    except OSError as error:
        raise StateError(
            f"{file.path} cannot be copied to {folder} ({error.strerror}).",
            "It was not taken for handed over. Tell your administrator.",
        ) from error


def copy(file: UnretainedFile, folder: Path) -> Path:
    """Copy a file under a name that its content gives it, with what an archive wants to know of it beside; return the copy.

    A copy is whole or not there: it is written beside and then renamed.

    Raises:
        OSError: it is gone, or the folder cannot be written to.
    """
    digest, size, name = hashlib.sha256(), 0, Path(file.path).name
    unfinished = folder / f".{secrets.token_hex(8)}.part"
    try:
        with Path(file.path).open("rb") as source, unfinished.open("xb") as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        made = folder / f"{digest.hexdigest()[:16]}-{name}"
        about = {
            "messenger": file.messenger,
            "name": name,
            "bytes": size,
            "sha256": digest.hexdigest(),
            "handed_over_by": getpass.getuser(),
            "handed_over_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        made.with_name(f"{made.name}.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n")
        unfinished.replace(made)
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def _said(done: Done) -> str:
    left = f" {_files(len(done.left))} changed or removed meanwhile." if done.left else ""
    if not done.handed_over:
        return left.strip() or "Nothing waits to be handed over."
    count, size = len(done.handed_over), sum(one.size for one in done.handed_over)
    return f"{count:,} {'file was' if count == 1 else 'files were'} handed over ({size:,} bytes).{left}"


def _files(count: int) -> str:
    return "One file was" if count == 1 else f"{count:,} files were"
