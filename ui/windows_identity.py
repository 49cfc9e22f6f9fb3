"""How Windows tells this program's windows and notifications from others': by a name of its own (Microsoft, "AppUserModelID")."""

import ctypes
import sys

assert sys.platform == "win32"  # tells the type checker whose calls these are

APP_USER_MODEL_ID = "Decorum.Tray"
"""A shortcut that the installer makes has to bear the same, so that what is pinned and what runs are one."""


def settle() -> None:
    """Name this process, before its first window; raise OSError if Windows does not take the name."""
    ctypes.OleDLL("shell32").SetCurrentProcessExplicitAppUserModelID(ctypes.c_wchar_p(APP_USER_MODEL_ID))
