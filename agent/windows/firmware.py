"""What Windows tells of the machine it runs on and of its boot, as bytes and texts that `agent.machine.windows` reads."""

import ctypes
import sys
import winreg
from ctypes import wintypes

from agent.machine.windows import Asked
from agent.windows import tokens

assert sys.platform == "win32"  # tells the type checker whose calls these are

_RAW_SMBIOS = int.from_bytes(b"RSMB", "big")
_SYSTEM_TIME_OF_DAY, _TIME_OF_DAY_BYTES = 3, 48
_CRYPTOGRAPHY = r"SOFTWARE\Microsoft\Cryptography"
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_native = ctypes.WinDLL("ntdll")
_kernel.GetSystemFirmwareTable.argtypes = wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p, wintypes.DWORD
_native.NtQuerySystemInformation.argtypes = ctypes.c_int, ctypes.c_void_p, wintypes.ULONG, ctypes.c_void_p


def _firmware() -> bytes:
    length = _kernel.GetSystemFirmwareTable(_RAW_SMBIOS, 0, None, 0)
    room = ctypes.create_string_buffer(length or 1)
    if not length or _kernel.GetSystemFirmwareTable(_RAW_SMBIOS, 0, room, length) != length:
        raise tokens.error()
    return room.raw


def _installation() -> str:
    with winreg.OpenKey(
        winreg.HKEY_LOCAL_MACHINE, _CRYPTOGRAPHY, access=winreg.KEY_READ | winreg.KEY_WOW64_64KEY
    ) as key:
        return str(winreg.QueryValueEx(key, "MachineGuid")[0])


def _time_of_day() -> bytes:
    room = ctypes.create_string_buffer(_TIME_OF_DAY_BYTES)
    status = _native.NtQuerySystemInformation(_SYSTEM_TIME_OF_DAY, room, len(room), None)
    if status:
        raise OSError(f"NtQuerySystemInformation says {status & 0xFFFFFFFF:#x}")
    return room.raw


ASKED = Asked(_firmware, _installation, _time_of_day)
"""Windows itself, as `agent.machine.windows` asks it."""
