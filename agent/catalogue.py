"""Loads the catalogue that ships with the program."""

from importlib import resources

from agent.errors import AgentError
from contract.catalogue import Catalogue, Written, catalogue_of, entries_in
from contract.errors import MalformedError

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
