"""The console as a Django admin site."""

from unfold.sites import UnfoldAdminSite


class Console(UnfoldAdminSite):  # type: ignore[misc]  # the theme ships no types
    """The console."""
