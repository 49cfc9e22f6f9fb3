"""Where the frozen `decorum-native-host` begins."""

import os
import sys

from agent.cli import native_host
from installer.entry.surroundings import restore

restore(os.environ)
sys.exit(native_host())
