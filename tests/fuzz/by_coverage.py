"""`python -m tests.fuzz.by_coverage TARGET PLACE INPUTS [libFuzzer's options and folders]`: changes inputs blindly, and keeps what reaches new code."""

import sys
from pathlib import Path

import atheris

from tests.fuzz.bounds import Bounds
from tests.fuzz.targets import INSTRUMENTED, ready


def main(words: list[str]) -> None:
    """Try inputs until libFuzzer has had enough, which ends the process."""
    name, place, inputs, *options = words
    folder = Path(place)
    with atheris.instrument_imports(include=list(INSTRUMENTED), enable_loader_override=False):
        target = ready(name)
    dictionary = folder / "words"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="utf-8")
    (folder / "state").mkdir()
    with target.opened(folder / "state") as check, Bounds(check, folder, int(inputs)) as bounds:
        atheris.Setup(
            [sys.argv[0], f"-runs={inputs}", *([f"-dict={dictionary}"] if target.words else []), *options],
            lambda data: bounds(bytes(data)),
        )
        atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
