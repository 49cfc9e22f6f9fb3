"""What is kept of policies; beside it, as TOML, the four model policies that companies start from."""

from server.policies.models.catalogue_publication import CataloguePublication
from server.policies.models.draft import Draft
from server.policies.models.publication import Publication

__all__ = ["CataloguePublication", "Draft", "Publication"]
