"""Which of its profiles a Firefox runs, from `profiles.ini`: a folder and a name, no account.

Who is signed in to Firefox stands in a file that also holds the keys of that account, so it is not opened.

>>> ini = '''[Install4F96D1932A9F858E]
... Default=abc.default-esr
... [Profile0]
... Name=work
... IsRelative=1
... Path=abc.default-esr
... [Profile1]
... Name=home
... IsRelative=0
... Path=/media/x
... '''
>>> profile_in(ini, None, None), profile_in(ini, "home", None), profile_in(ini, None, "/media/x")
(('abc.default-esr', 'work'), ('/media/x', 'home'), ('/media/x', 'home'))
"""

import configparser
from collections.abc import Iterator

from contract.facts import Platform
from contract.programs import base_name

AT_MOST_BYTES = 64 * 1024
FILE_NAME = "profiles.ini"
_PROGRAMS = frozenset({"firefox", "firefox-esr", "firefox-bin"})


def is_firefox(exe: str | None) -> bool:
    """Tell whether an executable is Firefox."""
    return base_name(exe or "").lower().removesuffix(".exe") in _PROGRAMS


def usual_folder(platform: Platform, home: str) -> str:
    """Return where Firefox keeps the list of its profiles."""
    if platform == "windows":
        return f"{home}\\AppData\\Roaming\\Mozilla\\Firefox"
    if platform == "macos":
        return f"{home}/Library/Application Support/Firefox"
    return f"{home}/.mozilla/firefox"


def profile_in(text: str, name: str | None, folder: str | None) -> tuple[str, str] | None:
    """Return folder and name of a profile: the one that is called so or lies there, else the one that is started by itself.

    Args:
        text: of `profiles.ini`; not trusted.
        name: as given with `-P`.
        folder: as given with `--profile`.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    found = [(one.get("Path", ""), one.get("Name", ""), one) for one in _sections(parser, "Profile")]
    if folder is not None:
        return next(((path, called) for path, called, _ in found if path and folder.endswith(path)), None)
    if name is not None:
        return next(((path, called) for path, called, _ in found if called == name), None)
    usual = {one.get("Default", "") for one in _sections(parser, "Install")}
    if len(usual) == 1:
        return next(((path, called) for path, called, _ in found if path in usual), None)
    return next(((path, called) for path, called, one in found if one.get("Default") == "1"), None)


def _sections(parser: configparser.ConfigParser, prefix: str) -> Iterator[configparser.SectionProxy]:
    return (parser[name] for name in parser.sections() if name.startswith(prefix))
