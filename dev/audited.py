"""Reads what pip-audit said of each list of requirements: fails for a known weakness, and says what could not be asked."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec


class Weakness(msgspec.Struct, frozen=True, order=True):
    """A known weakness of a pinned requirement."""

    package: str
    version: str
    id: str
    mended_in: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """What is known of a list of requirements."""

    asked: int
    unknown: int
    """Packages of which the index says nothing."""
    weaknesses: tuple[Weakness, ...]


def read(text: str) -> Report | None:
    """Return what pip-audit's JSON says; None if it said nothing.

    >>> read('{"dependencies": [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "?"}]}')
    Report(asked=1, unknown=1, weaknesses=())
    >>> read("") is None
    True
    """
    try:
        rows = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    asked = [row for row in rows if "skip_reason" not in row]
    return Report(len(asked), len(rows) - len(asked), tuple(sorted(set(_weaknesses(asked)))))


def _weaknesses(rows: Iterable[dict[str, object]]) -> Iterable[Weakness]:
    for row in rows:
        found = row["vulns"]
        assert isinstance(found, list)
        for one in found:
            yield Weakness(str(row["name"]), str(row["version"]), one["id"], tuple(one["fix_versions"]))


def main(folder: Path) -> int:
    """Print what was found; return the exit code."""
    found = False
    for file in sorted(folder.glob("*.json")):
        report = read(file.read_text(encoding="utf-8"))
        if report is None:
            print(f"{file.stem}: not audited; {_last_line(file.with_suffix('.log'))}")
            continue
        found = found or bool(report.weaknesses)
        print(f"{file.stem}: {report.asked} audited, of {report.unknown} the index tells nothing")
        for one in report.weaknesses:
            mended = f"mended in {', '.join(one.mended_in)}" if one.mended_in else "not mended yet"
            print(f"  {one.package} {one.version}: {one.id}, {mended}")
    return 1 if found else 0


def _last_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n") if file.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "the tool said nothing")[:200]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
