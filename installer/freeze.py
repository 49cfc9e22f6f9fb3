"""`make build`: freezes the programs as `build.spec` says, and tells what they weigh against what they may."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DIST = CHECKOUT / "dist"
MEGABYTE = 1_000_000
FOLDERS_AT_MOST_MB = {"decorum": 135, "decorum-agent": 50}
"""What the desktop folder and the agent-only folder may weigh."""


def main() -> int:
    """Freeze, print the sizes; return 1 if a folder is too heavy, else what PyInstaller returned."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(DIST), "--workpath", str(CHECKOUT / "build")]
    done = subprocess.run([*command, *places, str(CHECKOUT / "build.spec")], cwd=CHECKOUT, check=False)
    if done.returncode:
        return done.returncode
    for name in FOLDERS_AT_MOST_MB:
        forget_build_machine(DIST / name)
    too_much = [
        weigh(DIST / name, folder_bytes(DIST / name), most) for name, most in FOLDERS_AT_MOST_MB.items()
    ]
    return int(any(too_much))


def forget_build_machine(folder: Path) -> None:
    """Take out of libraries where the Python that built them looked for its own: on a device anybody might make that folder.

    What a library says of its neighbours, beginning with $ORIGIN, stays.
    """
    if not sys.platform.startswith("linux"):
        return
    for file in sorted(folder.rglob("*.so*")):
        told = subprocess.run(
            ["chrpath", "-l", str(file)], capture_output=True, text=True, check=False
        ).stdout
        _, found, places = told.strip().partition("PATH=")
        if found and not all(place.startswith("$ORIGIN") for place in places.split(":")):
            subprocess.run(["chrpath", "-d", str(file)], check=True, stdout=subprocess.DEVNULL)


def weigh(what: Path, size_bytes: int, most_mb: int) -> bool:
    """Print what something weighs; tell whether that is too much."""
    is_too_much = size_bytes > most_mb * MEGABYTE
    told = f"{what.relative_to(CHECKOUT)}: {size_bytes / MEGABYTE:.1f} MB, {most_mb} MB at most"
    print(f"{told}: TOO MUCH" if is_too_much else told)
    return is_too_much


def folder_bytes(folder: Path) -> int:
    """Return the size of a folder's files; what two names lead to counts once."""
    found = {}
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            about = file.stat()
            found[about.st_dev, about.st_ino] = about.st_size
    return sum(found.values())


if __name__ == "__main__":
    sys.exit(main())
