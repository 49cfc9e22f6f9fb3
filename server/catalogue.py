"""The catalogue of messengers that came with this server, read once."""

from functools import cache
from importlib import resources

from contract.catalogue import Catalogue, parse


@cache
def catalogue() -> Catalogue:
    """Return the catalogue.

    Raises:
        MalformedError: the installation is damaged; the error names the file.
    """
    folder = resources.files("contract") / "catalogue_data"
    return parse(
        {
            entry.name: entry.read_text(encoding="utf-8")
            for entry in folder.iterdir()
            if entry.name.endswith(".toml")
        }
    )
