"""`decorum-server catalogue`: lint."""

import argparse
from pathlib import Path

from server.catalogue import texts
from server.catalogue_lint import lint
from server.errors import CatalogueFaultsError, RequestError

FILE_BYTES_AT_MOST = 4 * 1024 * 1024


def run(arguments: argparse.Namespace) -> None:
    """Do the action.

    Raises:
        CatalogueFaultsError: there is something to correct; every fault was printed.
        RequestError: the file cannot be read.
    """
    files = texts()
    if arguments.file:
        path = Path(arguments.file)
        files[path.name] = _text(path)
    findings = lint(files)
    for finding in findings:
        print(finding)
    if findings:
        entries = len({(finding.file, finding.entry) for finding in findings})
        raise CatalogueFaultsError(
            f"{len(findings)} faults in {entries} entries.", "Correct each as it says."
        )
    print(f"{', '.join(sorted(files))}: nothing to correct.")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as source:
            untrusted_bytes = source.read(FILE_BYTES_AT_MOST + 1)
        if len(untrusted_bytes) > FILE_BYTES_AT_MOST:
            raise RequestError(f"{path} is too large for a catalogue.", "Shorten it to 4 MiB.")
        return untrusted_bytes.decode()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.", "Check its path.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not text in UTF-8.", "Save it as UTF-8.") from error
