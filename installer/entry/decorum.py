"""Where the frozen `decorum` begins."""

import os
import sys

from agent.cli import main
from installer.entry.surroundings import restore

restore(os.environ)
sys.exit(main())
