"""What sensing says of one process, application or web page: plain facts, no judgement."""

from typing import Literal

import msgspec

Platform = Literal["linux", "macos", "windows", "web"]


class ProcessFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about one running thing; whatever could not be learnt is None or empty."""

    platform: Platform
    name: str | None = None
    """The process name as the system lists it; Linux cuts it at 15 characters."""
    exe: str | None = None
    """Path of the executable."""
    cmdline: tuple[str, ...] | None = None
    desktop_id: str | None = None
    """Desktop file id without `.desktop` (Desktop Entry Specification 1.5)."""
    categories: tuple[str, ...] | None = None
    """Categories of that desktop entry and of its AppStream description (Desktop Menu Specification, appendix A)."""
    url_schemes: tuple[str, ...] | None = None
    """What links the application says it opens, as in `xmpp` (`x-scheme-handler/` on Linux, CFBundleURLSchemes on macOS, the classes
    with a `URL Protocol` and the protocols of an Appx manifest on Windows)."""
    descriptions: tuple[str, ...] | None = None
    """The lines in which its maker and its packager describe it, at most a few words each (on Windows a package's manifest and the version
    information of the executable)."""
    flatpak_id: str | None = None
    snap: str | None = None
    bundle_id: str | None = None
    """CFBundleIdentifier on macOS."""
    app_bundle: str | None = None
    """Name of the bundle's folder on macOS, as in `Slack.app`."""
    app_category: str | None = None
    """LSApplicationCategoryType on macOS."""
    package_family: str | None = None
    """Package family name of a packaged Windows application."""
    winget_id: str | None = None
    package: str | None = None
    """Name of the distribution's package on Linux that the program came with."""
    section: str | None = None
    """Section of that package, as in `net`."""
    uninstall_name: str | None = None
    """Name under which Windows lists the installed program (DisplayName below Uninstall)."""
    origin: str | None = None
    """scheme://host of a web page."""
    start_url: str | None = None
    """Where an installed web application starts (start_url of its manifest)."""
