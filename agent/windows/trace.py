"""A real-time session of Event Tracing for Windows that gives the events of one provider (Microsoft, evntrace.h, evntcons.h).

A session outlives the program that began it, so one that was left by an agent that was killed is ended first.
"""

import ctypes
import sys
import threading
from collections.abc import Callable
from ctypes import wintypes
from uuid import UUID

assert sys.platform == "win32"  # tells the type checker whose calls these are

SESSION = "Decorum process starts"
PROVIDER = UUID("22fb2cd6-0e7b-422b-a0c7-2fad1fd0e716")
"""Microsoft-Windows-Kernel-Process."""
LOST = UUID("6a399ae0-4bc6-4de9-870b-3657f8947e7e")
"""What tells that events were lost (RT_LostEvent)."""
_KEYWORD_PROCESS, _LEVEL_INFORMATION = 0x10, 4
_REAL_TIME, _FLUSH_IN_MILLISECONDS, _FLUSH_MILLISECONDS = 0x100, 0x10, 20
_READ_REAL_TIME, _READ_RECORDS = 0x100, 0x10000000
_STOP, _ENABLE, _TRACED_GUID, _NAME_ROOM = 1, 1, 0x00020000, 256
_NONE = ctypes.c_uint64(-1).value
_STOP_SECONDS = 3.0
_DATA_LIMIT_BYTES = 64


class _Wnode(ctypes.Structure):
    _fields_ = (
        ("buffer_size", ctypes.c_uint32),
        ("provider_id", ctypes.c_uint32),
        ("historical_context", ctypes.c_uint64),
        ("time_stamp", ctypes.c_int64),
        ("guid", ctypes.c_uint8 * 16),
        ("client_context", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
    )


class _Properties(ctypes.Structure):
    _fields_ = (
        ("wnode", _Wnode),
        ("buffer_kilobytes", ctypes.c_uint32),
        ("buffers_at_least", ctypes.c_uint32),
        ("buffers_at_most", ctypes.c_uint32),
        ("file_size", ctypes.c_uint32),
        ("mode", ctypes.c_uint32),
        ("flush_timer", ctypes.c_uint32),
        ("rest", ctypes.c_uint32 * 8),
        ("thread", ctypes.c_void_p),
        ("file_name_offset", ctypes.c_uint32),
        ("name_offset", ctypes.c_uint32),
    )


class _Session(ctypes.Structure):
    """The properties, and room for the name that the system writes behind them."""

    _fields_ = (("properties", _Properties), ("name", ctypes.c_wchar * _NAME_ROOM))


class _Record(ctypes.Structure):
    """EVENT_RECORD: header, context of the buffer, and where the data is."""

    _fields_ = (
        ("before_provider", ctypes.c_uint8 * 24),
        ("provider", ctypes.c_uint8 * 16),
        ("number", ctypes.c_uint16),
        ("rest_of_header", ctypes.c_uint8 * 38),
        ("buffer_context", ctypes.c_uint32),
        ("extended_count", ctypes.c_uint16),
        ("data_bytes", ctypes.c_uint16),
        ("extended", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
    )


_Callback = ctypes.WINFUNCTYPE(None, ctypes.POINTER(_Record))


class _LogFile(ctypes.Structure):
    _fields_ = (
        ("file_name", wintypes.LPWSTR),
        ("name", wintypes.LPWSTR),
        ("current_time", ctypes.c_int64),
        ("buffers_read", ctypes.c_uint32),
        ("mode", ctypes.c_uint32),
        ("current_event", ctypes.c_uint64 * 11),
        ("header", ctypes.c_uint64 * 35),
        ("buffer_callback", ctypes.c_void_p),
        ("sizes_and_losses", ctypes.c_uint32 * 3),
        ("callback", _Callback),
        ("is_kernel_trace", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
    )


_SIZES = {_Properties: 120, _Record: 112, _LogFile: 448}
"""As 64-bit Windows has them."""
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_handle = ctypes.c_uint64
_advapi.StartTraceW.argtypes = ctypes.POINTER(_handle), wintypes.LPCWSTR, ctypes.POINTER(_Session)
_advapi.ControlTraceW.argtypes = _handle, wintypes.LPCWSTR, ctypes.POINTER(_Session), wintypes.ULONG
_advapi.EnableTraceEx2.argtypes = (
    _handle,
    ctypes.c_void_p,
    wintypes.ULONG,
    ctypes.c_uint8,
    ctypes.c_uint64,
    ctypes.c_uint64,
    wintypes.ULONG,
    ctypes.c_void_p,
)
_advapi.OpenTraceW.restype = _handle
_advapi.OpenTraceW.argtypes = (ctypes.POINTER(_LogFile),)
_advapi.ProcessTrace.argtypes = ctypes.POINTER(_handle), wintypes.ULONG, ctypes.c_void_p, ctypes.c_void_p
_advapi.CloseTrace.argtypes = (_handle,)
_kernel.GetSystemDirectoryW.argtypes = wintypes.LPWSTR, wintypes.UINT


class ProcessTrace:
    """A `Trace` of the kernel's own events of processes."""

    def __init__(self) -> None:
        self._consumer = _NONE
        self._thread: threading.Thread | None = None
        self._log: _LogFile | None = None

    def start(self, record: Callable[[int, bytes], None], lose: Callable[[], None]) -> None:
        """Begin; raise OSError."""
        if any(ctypes.sizeof(kind) != size for kind, size in _SIZES.items()):
            raise OSError(0, "this is no 64-bit Windows")
        _end_session()
        session, asked = _handle(), _session()
        _check(_advapi.StartTraceW(ctypes.byref(session), SESSION, ctypes.byref(asked)))
        try:
            provider = (ctypes.c_uint8 * 16).from_buffer_copy(PROVIDER.bytes_le)
            _check(
                _advapi.EnableTraceEx2(
                    session, provider, _ENABLE, _LEVEL_INFORMATION, _KEYWORD_PROCESS, 0, 0, None
                )
            )
            self._consume(record, lose)
        except OSError:
            _end_session()
            raise

    def stop(self) -> None:
        """End it."""
        _end_session()
        if self._consumer != _NONE:
            _advapi.CloseTrace(self._consumer)
            self._consumer = _NONE
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            if not self._thread.is_alive():
                self._log = None  # as long as it runs, the system may call back
            self._thread = None

    def _consume(self, record: Callable[[int, bytes], None], lose: Callable[[], None]) -> None:
        def called(event: "ctypes._Pointer[_Record]") -> None:
            one = event.contents
            if bytes(one.provider) == LOST.bytes_le:
                lose()
            elif bytes(one.provider) == PROVIDER.bytes_le and one.data:
                record(one.number, ctypes.string_at(one.data, min(one.data_bytes, _DATA_LIMIT_BYTES)))

        log = _LogFile(name=SESSION, mode=_READ_REAL_TIME | _READ_RECORDS, callback=_Callback(called))
        consumer = _advapi.OpenTraceW(ctypes.byref(log))
        if consumer == _NONE:
            raise ctypes.WinError(ctypes.get_last_error())
        self._log, self._consumer = log, consumer
        self._thread = threading.Thread(target=_process, args=(consumer,), name="process trace", daemon=True)
        self._thread.start()


def idle_program() -> tuple[str, ...]:
    """Return the command line of a program of Windows that ends at once."""
    room = ctypes.create_unicode_buffer(_NAME_ROOM)
    _kernel.GetSystemDirectoryW(room, _NAME_ROOM)
    return f"{room.value}\\cmd.exe", "/d", "/c", "exit"


def _process(consumer: int) -> None:
    """Let the system call back until the session ends."""
    _advapi.ProcessTrace(ctypes.byref(_handle(consumer)), 1, None, None)


def _session() -> _Session:
    asked = _Session()
    properties = asked.properties
    properties.wnode.buffer_size = ctypes.sizeof(_Session)
    properties.wnode.flags = _TRACED_GUID
    properties.wnode.client_context = 1
    properties.buffer_kilobytes, properties.buffers_at_least, properties.buffers_at_most = 16, 4, 32
    properties.mode, properties.flush_timer = _REAL_TIME | _FLUSH_IN_MILLISECONDS, _FLUSH_MILLISECONDS
    properties.name_offset = _Session.name.offset
    return asked


def _end_session() -> None:
    _advapi.ControlTraceW(0, SESSION, ctypes.byref(_session()), _STOP)


def _check(status: int) -> None:
    if status:
        raise ctypes.WinError(status)
