"""The ids of machine and boot, from what each system says; recorded or of a specification, the source beside each."""

import struct
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.machine import linux, macos, this_system, windows

MACHINE = "0123456789abcdef0123456789abcdef"
SPECS_BYTES = bytes.fromhex("33221100554477668899AABBCCDDEEFF")
SPECS_UUID = "00112233445566778899aabbccddeeff"
"""DMTF DSP0134, 7.2.1: this UUID, and how a table since SMBIOS 2.6 holds it."""
IOREG = """\
+-o J314sAP  <class IOPlatformExpertDevice, id 0x100000227, registered, matched, active, busy 0 (12038 ms), retain 40>
    {
      "IOPolledInterface" = "AppleARMWatchdogTimerHibernateHandler is not serializable"
      "IOPlatformUUID" = "8D1F3C4E-52A7-5B06-9C7D-1F2E3A4B5C6D"
      "serial-number" = <4c3254>
      "manufacturer" = <"Apple Inc.">
      "IOPlatformSerialNumber" = "X02YZ1ABCDEF"
    }

"""
"""The shape of what ioreg of macOS 13 prints on an Apple M1 (ioreg(8), -r -d 1 -c); its numbers are made up."""


def said(text: str) -> Callable[[], str]:
    return lambda: text


def refused() -> bytes:
    raise OSError(1, "Incorrect function")


def structure(kind: int, formatted: bytes, strings: bytes = b"") -> bytes:
    return bytes((kind, 4 + len(formatted))) + b"\1\0" + formatted + (strings or b"\0") + b"\0"


def tables(*structures: bytes) -> bytes:
    content = b"".join(structures)
    return bytes((0, 3, 3, 0)) + struct.pack("<I", len(content)) + content


def system_information(identity: bytes) -> bytes:
    return structure(1, bytes((1, 2, 3, 4)) + identity + b"\6\5\6", b"Maker\0Model\0")


def asked(firmware: bytes = b"", installation: str = "", time_of_day: bytes = b"") -> windows.Asked:
    return windows.Asked(lambda: firmware, said(installation), lambda: time_of_day)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"uninitialized\n", b"0" * 32, b"\xff" * 32, b"0123", MACHINE.encode() * 2]
)
def test_a_linux_machine_without_an_id_of_its_own_has_none(tmp_path: Path, content: bytes) -> None:
    # machine-id(5): a fresh image says "uninitialized"; a hash of that would make every machine the same one.
    file = tmp_path / "machine-id"
    file.write_bytes(content)
    assert linux.machine_id(file) is None


def test_linux_tells_both_in_files(tmp_path: Path) -> None:
    file = tmp_path / "id"
    file.write_text(f"{MACHINE}\n")
    assert linux.machine_id(file) == linux.boot_id(file) == MACHINE
    assert linux.machine_id(tmp_path / "none") is linux.boot_id(tmp_path / "none") is None


def test_macos_tells_the_hardwares_uuid_among_much_else() -> None:
    def answer(command: Sequence[str]) -> str:
        return {macos.HARDWARE: IOREG, macos.BOOT: "5E6FFEBE-1D2C-4B3A-8F9E-0A1B2C3D4E5F\n"}[tuple(command)]

    assert macos.machine_id(answer) == "8d1f3c4e52a75b069c7d1f2e3a4b5c6d"
    assert macos.boot_id(answer) == "5e6ffebe1d2c4b3a8f9e0a1b2c3d4e5f"


@pytest.mark.parametrize(
    "text", ["", '"IOPlatformUUID" = ""', '"IOPlatformUUID" = "00000000-0000-0000-0000-000000000000"', "no"]
)
def test_what_macos_does_not_tell_is_unknown(text: str) -> None:
    assert macos.machine_id(lambda _: text) is None
    assert macos.boot_id(lambda _: text) is None


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(), subprocess.TimeoutExpired("ioreg", 10), subprocess.CalledProcessError(1, "ioreg")],
)
def test_a_program_that_does_not_answer_leaves_it_unknown(error: Exception) -> None:
    def fail(_: Sequence[str]) -> str:
        raise error

    assert macos.machine_id(fail) is None
    assert macos.boot_id(fail) is None


def test_windows_takes_the_hardwares_uuid_from_the_firmware() -> None:
    firmware = tables(
        structure(0, b"\1" * 20, b"BIOS\0"), system_information(SPECS_BYTES), structure(127, b"")
    )
    assert windows.machine_id(asked(firmware, str(uuid.uuid4()))) == SPECS_UUID


@pytest.mark.parametrize(
    "firmware",
    [
        b"",
        tables(),
        tables(system_information(b"\0" * 16)),
        tables(system_information(b"\xff" * 16)),
        tables(system_information(uuid.UUID("03000200-0400-0500-0006-000700080009").bytes_le)),
        tables(structure(1, b"\1\2\3\4")),  # SMBIOS 2.0 had no UUID
        tables(bytes((1, 0, 0, 0)) * 20),
        tables(system_information(SPECS_BYTES))[:20],
        tables(b"\0\x18\0\0" + b"x" * 200),
    ],
)
def test_firmware_without_a_uuid_leaves_the_installations(firmware: bytes) -> None:
    assert windows.machine_id(asked(firmware, "6f9619ff-8b86-d011-b42d-00c04fc964ff")) == (
        "6f9619ff8b86d011b42d00c04fc964ff"
    )
    assert windows.machine_id(asked(firmware, "none")) is None


def test_windows_that_refuses_has_no_id() -> None:
    def refuse() -> str:
        raise OSError

    nothing = windows.Asked(refused, refuse, refused)
    assert windows.machine_id(nothing) is windows.boot_id(nothing) is None


def test_a_boot_keeps_its_id_when_the_clock_is_set_and_another_has_another() -> None:
    def time_of_day(booted: int, bias: int) -> bytes:
        return struct.pack("<qqqIIQQ", booted, booted + 10**9, -36_000_000_000, 2, 0, bias, 0)

    first = windows.boot_id(asked(time_of_day=time_of_day(134_000_000_000_000_000, 0)))
    hour = 36_000_000_000
    assert first == windows.boot_id(asked(time_of_day=time_of_day(134_000_000_000_000_000 + hour, hour)))
    assert first != windows.boot_id(asked(time_of_day=time_of_day(134_000_000_000_000_001, 0)))
    assert windows.boot_id(asked(time_of_day=b"short")) is None


def test_this_system_tells_its_boot() -> None:
    assert this_system.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
