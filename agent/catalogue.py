"""Loads the catalogue that ships with the program, and says which one is in use."""

from importlib import resources

from agent.errors import AgentError
from contract.catalogue import Catalogue, Written, catalogue_of, entries_in
from contract.errors import MalformedError
from contract.local import CatalogueInUse

DATA_FOLDER = "catalogue_data"
_REMEDY = "Install Decorum again; its files are incomplete or were changed."


class CatalogueError(AgentError):
    """The list of known messengers cannot be read."""

    title = "The list of known messengers cannot be used"


def load(package: str = "contract") -> Catalogue:
    """Return the catalogue from the package's data.

    Args:
        package: the package whose data folder holds the files.

    Raises:
        CatalogueError: the files are missing, cannot be read, or one is not of the agreed form.
    """
    try:
        return catalogue_of(shipped_entries(package))
    except MalformedError as error:
        raise CatalogueError(error.detail, _REMEDY) from error


def shipped_entries(package: str = "contract") -> dict[str, Written]:
    """Return the entries as they are written in the package's data.

    Raises:
        CatalogueError: as `load`.
    """
    try:
        folder = resources.files(package).joinpath(DATA_FOLDER)
        files = sorted(
            (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
        )
        texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    except (OSError, UnicodeDecodeError, ModuleNotFoundError) as error:
        raise CatalogueError(f"{package}/{DATA_FOLDER} cannot be read ({error}).", _REMEDY) from error
    if not texts:
        raise CatalogueError(f"{package}/{DATA_FOLDER} is empty.", _REMEDY)
    try:
        return entries_in(texts)
    except MalformedError as error:
        raise CatalogueError(error.detail, _REMEDY) from error


def in_words(in_use: CatalogueInUse, company: str | None) -> str:
    """Return by what messengers are known, in a sentence.

    >>> in_words(CatalogueInUse(version=0, release="0.1.0"), "Acme")
    'Messengers are known by the list that came with Decorum 0.1.0.'
    >>> in_words(CatalogueInUse(version=3, release="0.1.0", corrections=2), "Acme")
    "Messengers are known by Acme's catalogue, version 3: the list of Decorum 0.1.0 with 2 entries of its own."
    """
    if not in_use.version:
        return f"Messengers are known by the list that came with Decorum {in_use.release}."
    entries = "1 entry" if in_use.corrections == 1 else f"{in_use.corrections or 'no'} entries"
    whose = "the company" if company is None else company
    return (
        f"Messengers are known by {whose}'s catalogue, version {in_use.version}: the list of Decorum {in_use.release}"
        f" with {entries} of its own."
    )
