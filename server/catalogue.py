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
    return parse(texts())


def texts() -> dict[str, str]:
    """Return the files that came with this server, name to text."""
    folder = resources.files("contract") / "catalogue_data"
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
