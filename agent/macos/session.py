"""Whether this process is in a session with a screen (Security.framework, AuthSession.h). It stays in its session as long as it lives."""

import ctypes
import sys

assert sys.platform == "darwin"  # tells the type checker whose calls these are

_SECURITY = "/System/Library/Frameworks/Security.framework/Security"
_OWN_SESSION = 0xFFFFFFFF
"""callerSecuritySession."""
_HAS_SCREEN = 0x0010
"""sessionHasGraphicAccess."""


def has_screen() -> bool:
    """Tell whether it is: a person's agent is, launchd's daemons and who came by ssh are not."""
    number, attributes = ctypes.c_uint32(), ctypes.c_uint32()
    ask = ctypes.CDLL(_SECURITY).SessionGetInfo
    ask.argtypes = ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.POINTER(ctypes.c_uint32)
    ask.restype = ctypes.c_int32
    status = ask(_OWN_SESSION, ctypes.byref(number), ctypes.byref(attributes))
    return status == 0 and bool(attributes.value & _HAS_SCREEN)
