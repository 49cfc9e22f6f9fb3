"""`make run`: brings up a server, an enrolled agent and the tray, and takes all of it down again.

Run from the checkout as `python -m dev.run`; with `--clean` it removes what was kept.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dev.demo.errors import DemoError
from dev.demo.folder import FOLDER_VARIABLE, RunFolder
from dev.demo.household import Household
from dev.demo.programs import Programs
from dev.demo.surroundings import until_abandoned

TRAY_MAY_END = {0: "The tray was closed.", 69: "The tray cannot be shown."}
"""Its exit codes that take nothing else along."""
SIMULATED_AT_MOST = 2000
CHECKOUT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run the demo until it is stopped (0), or something fails (1)."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--clean", action="store_true", help="remove the state of earlier runs")
    parser.add_argument(
        "--demo", type=_count, default=0, metavar="N", help="fill the console with N simulated devices"
    )
    arguments = parser.parse_args()
    folder = RunFolder(Path(os.environ.get(FOLDER_VARIABLE) or CHECKOUT / ".run").absolute())
    try:
        return remove(folder) if arguments.clean else asyncio.run(run(folder, arguments.demo))
    except DemoError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 0  # before anything was started


def _count(text: str) -> int:
    """Return how many simulated devices are asked for; none, if nothing was said."""
    count = int(text or "0")
    if not 0 <= count <= SIMULATED_AT_MOST:
        raise ValueError(count)
    return count


def remove(folder: RunFolder) -> int:
    """Remove the folder, unless it is in use."""
    if not folder.path.exists():
        say(f"There is nothing to remove: no {folder.path}.")
        return 0
    folder.open()
    folder.remove()
    say(f"Removed {folder.path}.")
    return 0


async def run(folder: RunFolder, simulated: int = 0) -> int:
    """Bring everything up, wait, take everything down."""
    began = time.monotonic()
    folder.open()
    household = Household(CHECKOUT, folder, os.environ, simulated)
    programs = Programs(folder.logs, household.environment, folder.lock)
    asked = asyncio.Event()

    def ask() -> None:
        if asked.is_set():
            programs.kill()  # asked twice: no more waiting
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ask)
    try:
        return await live(household, programs, asked, began)
    except DemoError as error:
        say(str(error))
        return 1
    finally:
        say("\nStopping.")
        for name in await programs.stop():
            say(f"{name} did not stop when asked, and was killed. Its log: {folder.logs / name}.log")
        say("Everything is stopped.")


async def live(household: Household, programs: Programs, asked: asyncio.Event, began: float) -> int:
    """Return once somebody asks to stop, or something fails."""
    asking = asyncio.create_task(asked.wait())
    abandoned = asyncio.create_task(until_abandoned(terminal=0))
    coming_up = asyncio.create_task(household.bring_up(programs, say))
    waiting: set[asyncio.Task[Any]] = {asking, abandoned, coming_up}
    try:
        while True:
            ended = asyncio.create_task(programs.ended.get())
            done, _ = await asyncio.wait({*waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if asking in done or abandoned in done:
                return 0
            if ended in done:
                program, code = ended.result()
                if program.name != "tray" or code not in TRAY_MAY_END:
                    raise DemoError(
                        f"The {program.name} ended ({code}). Its last words, from {program.log}:\n"
                        f"{program.last_words()}"
                    )
                say(f"{TRAY_MAY_END[code]} Everything else goes on.\n{program.last_words()}".rstrip())
            if coming_up in done:
                waiting.discard(coming_up)
                say(coming_up.result())
                say(f"Ready after {time.monotonic() - began:.1f} s. Ctrl-C stops everything.")
            ended.cancel()
    finally:
        coming_up.cancel()


def say(sentence: str) -> None:
    """Print at once; a terminal that has gone is no reason to fail."""
    try:
        print(sentence, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for the rest of this process


if __name__ == "__main__":
    sys.exit(main())
