"""The one place where it is chosen how this system's processes are read."""

from agent.sensing.linux_source import LinuxSource
from agent.sensing.process_source import ProcessSource
from agent.sensing.psutil_source import PLATFORM, PsutilSource


def process_source() -> ProcessSource:
    """Return the source for the system that this runs on."""
    return LinuxSource() if PLATFORM == "linux" else PsutilSource()
