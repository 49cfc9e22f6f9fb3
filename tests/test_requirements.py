"""The pinned lists: complete, hashed, without addresses, the same version everywhere, and nothing in the wrong place."""

import re
import tomllib
from pathlib import Path

import pytest

EXTRAS = ("agent", "ui", "server", "freeze", "dev", "fuzz")
LISTS = (*EXTRAS, "build", "pin", "audit")
FOREIGN = {
    "agent": {"pyside6-essentials", "shiboken6", "django", "granian", "whitenoise", "pytest"},
    "ui": {"psutil", "watchdog", "keyring", "urllib3", "django", "granian", "pytest"},
    "server": {"pyside6-essentials", "shiboken6", "psutil", "watchdog", "keyring", "pytest"},
}
PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))?(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})*)\n"
)


def pins(checkout: Path, name: str) -> dict[str, re.Match[str]]:
    """Return every pin of a list by its package; fail on anything that is neither pin nor comment."""
    text = (checkout / f"requirements/{name}.txt").read_text()
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    found = list(PIN.finditer(body))
    assert "".join(pin[0] for pin in found) == body, f"{name}.txt holds a line that is not understood"
    assert len({pin["name"] for pin in found}) == len(found)
    return {pin["name"]: pin for pin in found}


def normal(requirement: str) -> str:
    """Return a requirement's package as PEP 503 writes it."""
    bare = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", bare).lower()


@pytest.mark.parametrize("name", LISTS)
def test_every_pin_has_hashes_and_no_list_an_address(checkout: Path, name: str) -> None:
    found = pins(checkout, name)
    assert found
    assert [pin["name"] for pin in found.values() if not pin["hashes"]] == []
    text = (checkout / f"requirements/{name}.txt").read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)", text, re.MULTILINE
    )
    assert str(checkout) not in text


@pytest.mark.parametrize("name", EXTRAS)
def test_every_requirement_of_an_extra_is_pinned(checkout: Path, name: str) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == set(EXTRAS)
    wanted = {normal(one) for one in (*project["dependencies"], *project["optional-dependencies"][name])}
    assert wanted - set(pins(checkout, name)) == set()


def test_what_builds_the_project_is_pinned(checkout: Path) -> None:
    wanted = tomllib.loads((checkout / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {normal(one) for one in wanted} == set(pins(checkout, "build"))


def test_a_package_has_the_same_version_everywhere(checkout: Path) -> None:
    versions: dict[str, set[str]] = {}
    for name in LISTS:
        for package, pin in pins(checkout, name).items():
            versions.setdefault(package, set()).add(pin["version"])
    assert {package: several for package, several in versions.items() if len(several) > 1} == {}


@pytest.mark.parametrize("name", FOREIGN)
def test_no_program_brings_what_another_needs(checkout: Path, name: str) -> None:
    assert FOREIGN[name] & set(pins(checkout, name)) == set()


def test_other_platforms_are_thought_of(checkout: Path) -> None:
    """Lists that only fit the machine they were made on would break the first install on Windows."""
    agent = pins(checkout, "agent")
    assert agent["pywin32-ctypes"]["marker"] == "sys_platform == 'win32'"
    assert agent["pyobjc-framework-cocoa"]["marker"] == "sys_platform == 'darwin'"
    assert agent["pyobjc-core"]["marker"] == "sys_platform == 'darwin'"
    assert agent["secretstorage"]["marker"] == "sys_platform == 'linux'"
    assert len(agent["psutil"]["hashes"].split("--hash")) > 5  # a file per platform
