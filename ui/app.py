"""The program `decorum-tray`: checks what must hold before Qt is loaded, then hands over."""

import os
import sys
from collections.abc import Sequence

from ui import options, preflight


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tray; return the exit code that `ui.options` lists."""
    chosen = options.parse(arguments)
    complaint = preflight.missing_screen(os.environ, sys.platform)
    if complaint is None:
        preflight.settle_locale(os.environ)
        try:
            from ui.program import run  # noqa: PLC0415  # Qt's libraries may be missing, and then this says so
        except ImportError as error:
            complaint = preflight.missing_qt(error)
            if complaint is None:
                raise
        else:
            return run(chosen, os.environ)
    print(complaint, file=sys.stderr)
    return preflight.UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main())
