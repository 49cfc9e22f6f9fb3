"""Where the frozen `decorum-tray` begins."""

import os
import sys

from installer.entry.surroundings import restore
from ui.app import main

restore(os.environ)
sys.exit(main())
