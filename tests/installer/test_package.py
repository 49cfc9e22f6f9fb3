"""How the package is put together, as far as it can be told without debhelper."""

import os
import re
from pathlib import Path

import pytest

from contract.version import VERSION
from installer import freeze
from installer.deb import package

CHANGES = """# Changelog

## 0.2.0 · 2027-01-05

A word before the points.

- `decorum`: it does
  one thing; see [there](docs/x.md).
- And another that is so long that it does not fit into the width that Debian's form of a changelog allows a line to have.

## 0.1.0 · unreleased

- The first.
"""


def test_the_changelog_is_the_one_of_its_version_in_debians_form() -> None:
    told = package.changelog(CHANGES, "0.2.0", "IT desk <it@example.com>", 0)
    assert told.startswith("decorum (0.2.0) stable; urgency=medium\n\n  * `decorum`: it does one thing;")
    assert told.endswith("\n\n -- IT desk <it@example.com>  Thu, 01 Jan 1970 00:00:00 +0000\n")
    assert "The first." not in told
    assert max(map(len, told.splitlines())) <= 80
    assert "  * The first.\n" in package.changelog(CHANGES, "0.1.0", "x <x@example.com>", 0)


def test_a_version_without_a_word_in_the_changelog_is_not_packaged(checkout: Path) -> None:
    with pytest.raises(ValueError, match=r"0\.3\.0"):
        package.changelog(CHANGES, "0.3.0", "x <x@example.com>", 0)
    assert package.changelog((checkout / "CHANGELOG.md").read_text(), VERSION, "x <x@example.com>", 0)


def test_the_terms_of_everything_that_is_frozen_come_along() -> None:
    names = set(package.bundled())
    assert {"psutil", "pyside6-essentials", "keyring", "secretstorage"} <= names
    assert names.isdisjoint({"pywin32-ctypes", "pyinstaller", "django"})


def test_the_icon_has_a_colour_of_its_own() -> None:
    assert "currentColor" not in package.application_icon()
    assert re.search(r'fill="#[0-9a-f]{6}"', package.application_icon())


def test_what_has_two_names_is_weighed_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/one").write_bytes(b"x" * 100)
    os.link(tmp_path / "in/one", tmp_path / "two")
    (tmp_path / "three").symlink_to("two")
    assert freeze.folder_bytes(tmp_path) == 100


def test_too_much_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    folder = freeze.DIST / "decorum"
    assert not freeze.weigh(folder, 2_000_000, 2)
    assert "TOO MUCH" not in capsys.readouterr().out
    assert freeze.weigh(folder, 2_000_001, 2)
    assert "dist/decorum: 2.0 MB, 2 MB at most: TOO MUCH" in capsys.readouterr().out
