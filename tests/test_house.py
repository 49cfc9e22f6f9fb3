"""The house itself: documents that lead somewhere, versions that agree, targets that are listed, nothing of a machine in it."""

import importlib
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contract.version import VERSION

REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org")
"""Whoever installs uses the index of their own machine; spelled in two parts, so that this file does not offend itself."""
TARGETS = (
    "help",
    "run",
    "clean-run",
    "test",
    "test-long",
    "test-windows",
    "fuzz",
    "lint",
    "bench",
    "screenshots",
    "audit",
    "pins",
    "build",
    "deb",
    "test-deb",
)


@pytest.fixture(scope="module")
def project(checkout: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    return table


@pytest.fixture(scope="module")
def tracked(checkout: Path, machine_environment: dict[str, str]) -> list[Path]:
    """The files that the repository holds, or is about to hold."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(
        command, cwd=checkout, env=machine_environment, capture_output=True, text=True, check=True
    ).stdout
    return [checkout / name for name in listed.split("\0") if name and (checkout / name).is_file()]


def anchors(document: Path) -> set[str]:
    """Return the anchors that a document's headings make."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        leads_there = target.exists() and (not anchor or anchor in anchors(target))
        if not leads_there:
            broken.append(link)
    return broken


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Two words\n")
    document = tmp_path / "page.md"
    document.write_text(
        "[a](there.md#two-words) [b](there.md#three) [c](absent.md) ![d](no.png) [e](mailto:x)\n"
    )
    assert broken_links(document) == ["there.md#three", "absent.md", "no.png"]


def test_documents_lead_somewhere(checkout: Path, tracked: list[Path]) -> None:
    documents = [file for file in tracked if file.suffix == ".md"]
    assert checkout / "README.md" in documents
    broken = {str(one.relative_to(checkout)): broken_links(one) for one in documents}
    assert {name: links for name, links in broken.items() if links} == {}


def test_the_readme_shows_the_two_commands(checkout: Path) -> None:
    text = (checkout / "README.md").read_text()
    assert re.search(r"^make run\b", text, re.MULTILINE)
    assert re.search(r"^make test\b", text, re.MULTILINE)


def test_the_version_is_the_same_everywhere(checkout: Path, project: dict[str, Any]) -> None:
    assert project["version"] == VERSION
    assert re.search(rf"^## {re.escape(VERSION)}\b", (checkout / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_licence_is_there_and_named(checkout: Path, project: dict[str, Any]) -> None:
    assert project["license"] == "Apache-2.0"
    text = (checkout / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize(
    "name", ["SECURITY.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/limitations.md"]
)
def test_a_document_that_people_look_for_is_there(checkout: Path, name: str) -> None:
    assert (checkout / name).read_text().startswith("# ")


def test_every_program_can_be_imported(project: dict[str, Any]) -> None:
    programs = project["scripts"] | project["gui-scripts"]
    assert set(programs) == {"decorum", "decorum-native-host", "decorum-server", "decorum-tray"}
    for place in programs.values():
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_make_lists_every_target(checkout: Path) -> None:
    told = subprocess.run(["make"], cwd=checkout, capture_output=True, text=True, check=True).stdout
    made = re.findall(r"^([a-z][a-z-]*):", (checkout / "Makefile").read_text(), re.MULTILINE)
    assert sorted(made) == sorted(TARGETS)
    assert [name for name in made if not re.search(rf"^make {name} - \w", told, re.MULTILINE)] == []


def test_nothing_of_a_machine_is_in_the_source(checkout: Path, tracked: list[Path]) -> None:
    foreign = (*REGISTRIES, "://" + "files", str(checkout))
    offending = {
        f"{file.relative_to(checkout)}: {word}"
        for file in tracked
        for word in foreign
        if word.encode() in file.read_bytes()
    }
    assert offending == set()
