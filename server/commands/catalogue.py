"""`decorum-server catalogue`: lint."""

import argparse
from pathlib import Path

from server.catalogue import texts
from server.catalogue_lint import lint
from server.commands.given_text import given_text
from server.errors import CatalogueFaultsError

MEBIBYTES_AT_MOST = 4


def run(arguments: argparse.Namespace) -> None:
    """Do the action.

    Raises:
        CatalogueFaultsError: there is something to correct; every fault was printed.
        RequestError: the file cannot be read.
    """
    files = texts()
    if arguments.file:
        files[Path(arguments.file).name] = given_text(arguments.file, "catalogue", MEBIBYTES_AT_MOST)
    findings = lint(files)
    for finding in findings:
        print(finding)
    if findings:
        entries = len({(finding.file, finding.entry) for finding in findings})
        raise CatalogueFaultsError(
            f"{len(findings)} faults in {entries} entries.", "Correct each as it says."
        )
    print(f"{', '.join(sorted(files))}: nothing to correct.")
