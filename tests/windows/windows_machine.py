"""The ids of machine and boot as Windows itself tells them."""

import subprocess
import sys
from pathlib import Path

from agent.machine import this_system, windows
from agent.windows import firmware

assert sys.platform == "win32"

CHECKOUT = Path(__file__).parents[2]


def asked_anew(question: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", f"from agent.machine import this_system; print(this_system.{question}())"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return told.stdout.decode().strip()


def test_how_long_it_has_been_awake_is_the_same_clock_for_every_process() -> None:
    first = this_system.awake_seconds()
    assert 0 < first <= float(asked_anew("awake_seconds")) <= this_system.awake_seconds() < first + 60


def test_every_process_of_this_boot_is_told_the_same() -> None:
    assert this_system.boot_id() == asked_anew("boot_id")
    assert this_system.machine_id() == asked_anew("machine_id")


def test_the_installation_has_an_id_of_its_own() -> None:
    refusing = windows.Asked(lambda: b"", firmware.ASKED.installation, firmware.ASKED.time_of_day)
    told = windows.machine_id(refusing)
    assert told is not None
    assert int(told, 16)


def test_the_firmwares_tables_can_be_walked() -> None:
    kinds = [kind for kind, _ in windows._structures(firmware.ASKED.firmware())]
    assert 1 in kinds
