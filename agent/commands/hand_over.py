"""`decorum hand-over`: copies files that came in for work, and that nothing retains, into the folder that the company's archive empties."""

import argparse
import getpass
import hashlib
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from agent.commands import exits
from agent.commands.printing import print_json
from agent.errors import NowhereToHandOverError, StateError
from agent.localapi.client import LocalClient
from contract.local import HandedOver, Handing, Nothing, UnretainedFile, UnretainedPage

CHUNK_BYTES = 1024 * 1024


def execute(arguments: argparse.Namespace) -> int:
    """Copy what waits, a part at a time, and say how much it was."""
    copied: list[UnretainedFile] = []
    failed: list[UnretainedFile] = []
    with LocalClient(arguments.socket, os.environ) as client:
        while True:
            page = client.ask("unretained", Nothing(), UnretainedPage)
            left = [
                one
                for one in page.files
                if one not in failed and arguments.messenger in {None, one.messenger}
            ]
            if not left:
                break
            if page.folder is None:
                raise NowhereToHandOverError
            done: list[Handing] = []
            for one in left:
                try:
                    done.append(Handing(path=one.path, copy=str(copy(one, Path(page.folder)))))
                except FileNotFoundError:
                    failed.append(one)
                except OSError as error:
                    raise StateError(
                        f"{one.path} cannot be copied to {page.folder} ({error.strerror}).",
                        "Nothing of it was taken for handed over. Tell your administrator.",
                    ) from error
            client.ask("unretained.handed_over", HandedOver(tuple(done)), Nothing)
            copied.extend(one for one in left if one not in failed)
    if arguments.json:
        print_json({"handed_over": copied, "gone": failed})
    else:
        print(_said(copied, failed))
    return exits.COMPLIANT


def copy(file: UnretainedFile, folder: Path) -> Path:
    """Copy a file under a name that its content gives it, with what an archive wants to know of it beside; return the copy.

    A copy is whole or not there: it is written beside and then renamed.

    Raises:
        OSError: it is gone, or the folder cannot be written to.
    """
    digest = hashlib.sha256()
    source = Path(file.path)
    with source.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            digest.update(chunk)
    target = folder / f"{digest.hexdigest()[:16]}-{source.name}"
    unfinished = folder / f".{target.name}.part"
    shutil.copyfile(source, unfinished, follow_symlinks=False)
    about = {
        "messenger": file.messenger,
        "name": source.name,
        "bytes": file.size,
        "sha256": digest.hexdigest(),
        "handed_over_by": getpass.getuser(),
        "handed_over_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    target.with_name(f"{target.name}.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n")
    unfinished.replace(target)
    return target


def _said(copied: list[UnretainedFile], failed: list[UnretainedFile]) -> str:
    gone = f" {_files(len(failed))} no longer here." if failed else ""
    if not copied:
        return f"Nothing waits to be handed over.{gone}"
    size = sum(one.size for one in copied)
    return f"{len(copied):,} {'file was' if len(copied) == 1 else 'files were'} handed over ({size:,} bytes).{gone}"


def _files(count: int) -> str:
    return "One file is" if count == 1 else f"{count:,} files are"
