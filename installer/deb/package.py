"""`make deb`: lays out what the package holds beside `debian/`, and has debhelper make it.

The maintainer is whoever builds it: DEBFULLNAME and DEBEMAIL say who, as to Debian's own tools.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from importlib.metadata import distribution
from pathlib import Path

from contract.version import VERSION
from installer.freeze import CHECKOUT, DIST, weigh

PACKAGE_AT_MOST_MB = 55
COMPRESSION_VARIABLE = "DECORUM_DEB_COMPRESSION"
"""Read by debian/rules; what is not packed tightly, to try a change, may weigh what it likes."""
LINUX = CHECKOUT / "installer" / "linux"
DEBIAN = CHECKOUT / "installer" / "deb" / "debian"
BUNDLED = ("agent.txt", "ui.txt")
"""The lists of what is frozen into the programs."""
_LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*\Z", re.IGNORECASE)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==[^;\n]*(?P<marker>;.*)?", re.MULTILINE)


def main() -> int:
    """Make the package in `dist`; return 1 if it is too heavy, else what debhelper returned."""
    tree = CHECKOUT / "build" / "deb" / f"decorum-{VERSION}"
    shutil.rmtree(tree.parent, ignore_errors=True)
    lay_out(tree, os.environ)
    made = subprocess.run(
        ["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps"],
        cwd=tree,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(_epoch(os.environ))},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if made.returncode:
        return made.returncode
    (package,) = tree.parent.glob("decorum_*.deb")
    package = package.rename(DIST / package.name)
    is_too_heavy = weigh(package, package.stat().st_size, PACKAGE_AT_MOST_MB)
    return int(is_too_heavy and os.environ.get(COMPRESSION_VARIABLE, "xz") == "xz")


def lay_out(tree: Path, environ: Mapping[str, str]) -> None:
    """Put everything where `debian/decorum.install` looks for it."""
    shutil.copytree(DIST / "decorum", tree / "programs", symlinks=True, copy_function=os.link)
    shutil.copytree(DEBIAN, tree / "debian")
    control = tree / "debian" / "control"
    control.write_text(control.read_text().replace("@MAINTAINER@", maintainer(environ)))
    changes = changelog(
        (CHECKOUT / "CHANGELOG.md").read_text(), VERSION, maintainer(environ), _epoch(environ)
    )
    (tree / "debian" / "changelog").write_text(changes)
    shutil.copy(LINUX / "decorum.service", tree / "debian" / "decorum.service")
    shutil.copytree(LINUX, tree / "linux")
    for name, place in (
        ("autostart.desktop", "xdg/decorum-tray.desktop"),
        ("sysusers.conf", "sysusers.d/decorum.conf"),
    ):
        (tree / "linux" / place).parent.mkdir()
        (tree / "linux" / name).rename(tree / "linux" / place)
    (tree / "linux" / "decorum.svg").write_text(application_icon())
    collect_licences(tree / "third-party")


def maintainer(environ: Mapping[str, str]) -> str:
    """Return who answers for this package.

    >>> maintainer({"DEBFULLNAME": "IT desk", "DEBEMAIL": "it@example.com"})
    'IT desk <it@example.com>'
    """
    name = environ.get("DEBFULLNAME", "Decorum maintainers")
    return f"{name} <{environ.get('DEBEMAIL', 'decorum@localhost.localdomain')}>"


def changelog(text: str, version: str, who: str, epoch: int) -> str:
    """Return what CHANGELOG.md says of one version, in the form of deb-changelog(5).

    Raises:
        ValueError: it says nothing of it.
    """
    found = re.search(rf"^## {re.escape(version)}\b.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"CHANGELOG.md says nothing of {version}.")
    points = re.findall(r"^- (.*?)(?=^- |\Z)", found[1], re.MULTILINE | re.DOTALL)
    lines = [
        textwrap.fill(" ".join(point.split()), 78, initial_indent="  * ", subsequent_indent="    ")
        for point in points
    ]
    head = f"decorum ({version}) stable; urgency=medium"
    return "\n\n".join(
        [head, "\n".join(lines), f" -- {who}  {formatdate(epoch).replace('-0000', '+0000')}\n"]
    )


def application_icon() -> str:
    """Return the mark in the accent's colour: a menu gives its icons none."""
    resources = CHECKOUT / "ui" / "resources"
    accent = tomllib.loads((resources / "tokens.toml").read_text())["light"]["accent"]
    return (resources / "mark.svg").read_text().replace("currentColor", accent)


def collect_licences(folder: Path) -> None:
    """Copy the terms of everything that is frozen into the programs."""
    for name in bundled():
        for file in distribution(name).files or ():
            if _LICENCE.search(str(file)) and ".dist-info" in str(file):
                place = folder / name / Path(file).name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), place)
    (folder / "python").mkdir()
    shutil.copy(_python_licence(), folder / "python" / "LICENSE")
    (folder / "lucide").mkdir()
    shutil.copy(CHECKOUT / "ui" / "resources" / "LICENSES" / "lucide.txt", folder / "lucide" / "LICENSE")


def bundled() -> Iterator[str]:
    """Yield the distributions that go into the programs on this system."""
    names = {
        found[1]
        for name in BUNDLED
        for found in _PINNED.finditer((CHECKOUT / "requirements" / name).read_text())
        if "win32" not in (found["marker"] or "") and "darwin" not in (found["marker"] or "")
    }
    yield from sorted(names)


def _python_licence() -> Path:
    """Return Python's own terms, where its maker or Debian keeps them."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    places = (
        Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        Path("/usr/share/doc") / version / "copyright",
    )
    return next(place for place in places if place.exists())


def _epoch(environ: Mapping[str, str]) -> int:
    """Return the time that goes into the package: the same sources make the same package."""
    return int(environ.get("SOURCE_DATE_EPOCH", (CHECKOUT / "CHANGELOG.md").stat().st_mtime))


if __name__ == "__main__":
    sys.exit(main())
