"""`decorum-server catalogue`: lint, publish, show."""

import argparse
from pathlib import Path

import msgspec

from contract import overlay as overlays
from server.catalogue import texts
from server.catalogue_lint import lint, refuse_faults
from server.commands.frame import ready_identity
from server.commands.given_text import given_text
from server.errors import CatalogueFaultsError, RequestError
from server.moments import utc_now

MEBIBYTES_AT_MOST = 4


def run(arguments: argparse.Namespace) -> None:
    """Do the action.

    Raises:
        CatalogueFaultsError: there is something to correct; every fault was printed.
        RequestError: the file cannot be read, or nothing is published.
    """
    try:
        match arguments.action:
            case "lint":
                _lint(arguments.file, arguments.overlay)
            case "publish":
                _publish(arguments.overlay)
            case _:
                _show(only_overlay=arguments.overlay)
    except CatalogueFaultsError as error:
        for finding in error.findings:
            print(finding)
        raise


def _lint(file: str | None, overlay: str | None) -> None:
    files = texts()
    if file:
        files[Path(file).name] = given_text(file, "catalogue", MEBIBYTES_AT_MOST)
    laid_over = (Path(overlay).name, given_text(overlay, "catalogue", MEBIBYTES_AT_MOST)) if overlay else None
    refuse_faults(lint(files, laid_over))
    named = sorted(files) + ([] if laid_over is None else [laid_over[0]])
    print(f"{', '.join(named)}: nothing to correct.")


def _publish(overlay: str | None) -> None:
    identity = ready_identity()
    from server.access import audit  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from server.policies import catalogues  # noqa: PLC0415 - alike

    text = None if overlay is None else given_text(overlay, "overlay", MEBIBYTES_AT_MOST)
    published = catalogues.publish(text, audit.COMMAND_LINE, identity, utc_now())
    publication = published.publication
    if published.is_new:
        print(f"{publication} is published. Devices take it at their next check-in.")
    else:
        print(f"{publication} holds this very content already; nothing was published.")


def _show(*, only_overlay: bool) -> None:
    ready_identity()
    from server.policies import catalogues  # noqa: PLC0415 - Django's models cannot be imported before it has started

    publication = catalogues.current()
    if publication is None:
        raise RequestError(
            "No catalogue was published; devices use the one that came with them.",
            "Publish one with `decorum-server catalogue publish`.",
        )
    if only_overlay:
        print(publication.overlay, end="")
        return
    said = catalogues.read(publication)
    print(
        f"{publication}: {len(said.listed)} messengers of Decorum {said.release}, published"
        f" {publication.issued_at:%Y-%m-%d %H:%M} by {publication.published_by}."
    )
    for messenger, correction in said.overlay.entries.items():
        if messenger in said.listed:
            print(f"corrects\t{messenger}\t{', '.join(_given(correction))}")
        else:
            print(f"adds\t{messenger}\t{correction.name}")
    for messenger in said.overlay.never:
        print(f"never\t{messenger}")


def _given(correction: overlays.Correction) -> list[str]:
    """Return the fields that a correction gives."""
    return sorted(msgspec.to_builtins(correction))
