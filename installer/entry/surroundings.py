"""What a frozen program's loader leaves in the environment, and what takes it away again.

The loader and the hooks of PyInstaller tell the program by variables where its own libraries are. Whatever the program starts would
inherit them: a messenger that the tray opens would load Decorum's Qt instead of its own, and crash.
"""

from collections.abc import MutableMapping

KEPT_ASIDE = "LD_LIBRARY_PATH_ORIG"
"""Where the loader keeps what the user had set (PyInstaller's manual, "Run-time Information", 6.22)."""
LOADERS_OWN = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH")


def restore(environ: MutableMapping[str, str]) -> None:
    """Put the environment back as the user had it; what was loaded by then stays loaded.

    >>> environ = {"LD_LIBRARY_PATH": "/usr/lib/decorum/_internal", "LD_LIBRARY_PATH_ORIG": "/opt/x", "_PYI_A": "1", "LANG": "C"}
    >>> restore(environ)
    >>> environ
    {'LANG': 'C', 'LD_LIBRARY_PATH': '/opt/x'}
    """
    before = environ.pop(KEPT_ASIDE, None)
    environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        environ["LD_LIBRARY_PATH"] = before
    for name in [name for name in environ if name in LOADERS_OWN or name.startswith("_PYI_")]:
        del environ[name]
