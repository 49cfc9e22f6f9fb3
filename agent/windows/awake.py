"""For how long Windows has been awake since its boot: neither of the clocks that Python reads stands still while it sleeps."""

import ctypes
import sys

from agent.windows import tokens

assert sys.platform == "win32"  # tells the type checker whose calls these are

_TICKS_A_SECOND = 10**7
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.QueryUnbiasedInterruptTime.argtypes = (ctypes.POINTER(ctypes.c_ulonglong),)


def seconds() -> float:
    """Return the unbiased interrupt time (Microsoft, "Interrupt Time": sleep and hibernation are not counted).

    Raises:
        OSError: Windows does not tell it.
    """
    ticks = ctypes.c_ulonglong()
    if not _kernel.QueryUnbiasedInterruptTime(ctypes.byref(ticks)):
        raise tokens.error()
    return ticks.value / _TICKS_A_SECOND
