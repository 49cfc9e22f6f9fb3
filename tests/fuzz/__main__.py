"""`python -m tests.fuzz [--inputs N] [--only WORD]`: every target by coverage and by shape, and the schema; prints one table.

Each part is a process of its own, by shape one after the other, as many at once as there are processors. What fails keeps its input in a folder that is named, ready to
be made smaller and kept in `tests/fuzz/corpus`.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from tests.fuzz.bounds import SHORT_AT_MOST, Figures, figures_in, input_at_work, summed
from tests.fuzz.targets import CORPUS, NAMES

INPUTS = 100_000
BYTES_AT_MOST = 4096
"""Longer ones reach nothing more, and take their time; how a target treats length is in the inputs by shape."""
SHAPES_AT_A_TIME = 20_000
"""Hypothesis never forgets everything: after some tens of thousands its own memory would hide the target's."""
SEEDS_APART = 1_000_000
_COVERAGE = re.compile(r"^#\d+\s.* cov: (\d+) ft: (\d+)", re.MULTILINE)
_HEAD = ("target", "by", "inputs", "a second", "slowest", "memory", "branches", "result")


class Part(msgspec.Struct, frozen=True):
    """One target tried in one way."""

    target: str
    way: str


class Outcome(msgspec.Struct, frozen=True):
    """What came of it."""

    part: Part
    figures: Figures
    branches: str
    found: str
    """Empty, or what went wrong and where its input is."""


def main() -> int:
    """Try everything; return 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=INPUTS, help="for each part; default: %(default)s")
    parser.add_argument(
        "--seed", type=int, default=1, help="another one makes other inputs; default: %(default)s"
    )
    parser.add_argument("--only", default="", help="parts whose name, as in `keys by shape`, has this in it")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="parts at a time")
    arguments = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="decorum-fuzz-"))
    parts = [part for part in _parts() if arguments.only in f"{part.target} by {part.way}"]
    with ThreadPoolExecutor(arguments.at_once) as pool:
        outcomes = list(pool.map(lambda part: _tried(part, place, arguments.inputs, arguments.seed), parts))
    print(_table(outcomes))
    found = [outcome for outcome in outcomes if outcome.found]
    for outcome in found:
        print(f"\n== {outcome.part.target} by {outcome.part.way}\n{outcome.found}")
    print(f"\n{len(found)} findings. What was kept is in {place}." if parts else "Nothing has this name.")
    return 1 if found or not parts else 0


def _parts() -> Iterator[Part]:
    """Yield the longest first, so that none is left over at the end."""
    yield Part("server", "schema")
    yield from (Part(name, "shape") for name in reversed(NAMES))
    if importlib.util.find_spec("atheris") is None:
        print("Not by coverage: atheris has no file for this system.", file=sys.stderr)
    else:
        yield from (Part(name, "coverage") for name in reversed(NAMES))


def _tried(part: Part, place: Path, inputs: int, seed: int) -> Outcome:
    at_a_time = SHAPES_AT_A_TIME if part.way == "shape" else inputs
    runs = []
    for start in range(0, inputs, at_a_time):
        folder = place / f"{part.target}-by-{part.way}" / str(start)
        folder.mkdir(parents=True)
        wanted = min(at_a_time, inputs - start)
        runs.append(_run(part, folder, wanted, seed * SEEDS_APART + start))
        if runs[-1].found:
            break
    outcome = msgspec.structs.replace(runs[-1], figures=summed([run.figures for run in runs]))
    print(f"{part.target} by {part.way}: {'FOUND' if outcome.found else 'done'}", file=sys.stderr, flush=True)
    return outcome


def _run(part: Part, folder: Path, inputs: int, seed: int) -> Outcome:
    log = folder / "log"
    with log.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.fuzz.by_{part.way}", *_words(part, folder, inputs, seed)],
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    told = log.read_text(encoding="utf-8", errors="replace")
    figures = figures_in(folder)
    found = ""
    if done.returncode != 0 or figures.inputs < inputs - SHORT_AT_MOST:
        found = _found(folder, done.returncode, told)
    covered = _COVERAGE.findall(told)
    return Outcome(part, figures, " of ".join(covered[-1]) if covered else _answers(folder), found)


def _words(part: Part, folder: Path, inputs: int, seed: int) -> list[str]:
    if part.way == "schema":
        return [str(folder), str(inputs), str(seed)]
    if part.way == "shape":
        return [part.target, str(folder), str(inputs), str(seed)]
    new = folder / "new"
    new.mkdir()
    return [
        part.target,
        str(folder),
        str(inputs),
        f"-seed={seed}",
        f"-max_len={BYTES_AT_MOST}",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={folder}/",
        str(new),
        str(CORPUS / part.target),
    ]


def _found(folder: Path, code: int, told: str) -> str:
    data = input_at_work(folder)
    (folder / "found").write_bytes(data or b"")
    end = "\n".join(told.rstrip().splitlines()[-25:])
    return f"{end}\nIt ended with {code}. Its input: {folder / 'found'}, {data[:200] if data else data!r}"


def _answers(folder: Path) -> str:
    file = folder / "answers.json"
    if not file.exists():
        return ""
    answers: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    taken = sum(count for told, count in answers.items() if told.startswith("200"))
    return f"{len(answers)} answers, {taken:,} taken"


def _table(outcomes: list[Outcome]) -> str:
    rows = [_HEAD, *(_row(outcome) for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(outcome: Outcome) -> tuple[str, ...]:
    figures = outcome.figures
    return (
        outcome.part.target,
        outcome.part.way,
        f"{figures.inputs:,}",
        f"{figures.inputs / max(figures.seconds, 0.001):,.0f}",
        f"{figures.slowest_ms:,.0f} ms",
        f"{figures.warm_mb:.0f} to {figures.peak_mb:.0f} MB",
        outcome.branches,
        "FOUND" if outcome.found else "held",
    )


if __name__ == "__main__":
    sys.exit(main())
