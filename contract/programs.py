"""What a process really runs: the base name of a path, and the script or application behind an interpreter.

Only what an interpreter runs counts; a file handed to an editor, a viewer or a browser says nothing about that program:

>>> script_of("python", ("python3", "-B", "/usr/bin/gajim", "--version"))
'/usr/bin/gajim'
>>> interpreter_of("python3.11"), interpreter_of("vim")
('python', None)
"""

import re
from collections.abc import Iterator, Sequence

import msgspec


class Interpreter(msgspec.Struct, frozen=True):
    """How a command line of one interpreter is read."""

    with_value: frozenset[str] = frozenset()
    """Options whose value is the next argument."""
    no_script: frozenset[str] = frozenset()
    """Options after which no file is run."""
    runs_next: frozenset[str] = frozenset()
    """Options whose value is what is run."""
    clusters: bool = False
    """Whether short options may be written together, as in `-xec`."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHELL = Interpreter(
    with_value=_words("-o +o -O +O --rcfile --init-file"), no_script=_words("-c -s"), clusters=True
)
_NODE = Interpreter(
    with_value=_words("-r --require --import --loader --experimental-loader -C --conditions --env-file"),
    no_script=_words("-e --eval -p --print -i --interactive"),
)
_PYTHON = Interpreter(
    with_value=_words("-W -X --check-hash-based-pycs"),
    no_script=_words("-c"),
    runs_next=_words("-m"),
    clusters=True,
)
INTERPRETERS: dict[str, Interpreter] = {
    **dict.fromkeys(["python", "pythonw", "pypy"], _PYTHON),
    **dict.fromkeys(["sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "busybox"], _SHELL),
    **dict.fromkeys(["node", "nodejs", "deno", "bun"], _NODE),
    "electron": Interpreter(with_value=_words("-r --require")),
    "perl": Interpreter(with_value=_words("-I"), no_script=_words("-e -E"), clusters=True),
    "ruby": Interpreter(with_value=_words("-I -r -C -E"), no_script=_words("-e")),
    **dict.fromkeys(
        ["java", "javaw"],
        Interpreter(
            with_value=_words("-cp -classpath --class-path -p --module-path --add-opens --add-modules"),
            runs_next=_words("-jar"),
        ),
    ),
    **dict.fromkeys(["wish", "tclsh"], Interpreter(with_value=_words("-encoding"))),
    **dict.fromkeys(
        ["gjs", "gjs-console"],
        Interpreter(with_value=_words("-I"), no_script=_words("-c"), runs_next=_words("-m")),
    ),
    **dict.fromkeys(["mono", "dotnet", "lua", "luajit"], Interpreter(no_script=_words("-e"))),
    **dict.fromkeys(["wine", "wine64", "wine-preloader", "wine64-preloader"], Interpreter()),
}
"""Interpreters by the base name of their executable, version left out."""

BROWSERS = _words(
    "firefox firefox-esr firefox-bin chrome google-chrome google-chrome-stable chromium chromium-browser msedge microsoft-edge"
    " microsoft-edge-stable brave brave-browser opera vivaldi vivaldi-bin safari iexplore epiphany gnome-web falkon konqueror"
    " qutebrowser librewolf waterfox tor-browser midori nyxt min arc seamonkey palemoon msedgewebview2 ungoogled-chromium"
) | {"microsoft edge", "google chrome", "brave browser"}
"""A browser is never a messenger itself; a page in it may be."""
HELPERS = _words(
    "chrome_crashpad_handler crashpad_handler chrome-sandbox chrome_sandbox nacl_helper crashpad-handler"
)
"""Programs that ship inside other programs and belong to them."""

_VERSION = "0123456789.-"
_CONTAINERS = _words("app.asar app main.js index.js app.js")
"""Names that an application has inside its own folder; the folder tells which it is."""
_INNER_FOLDERS = _words("resources app dist lib lib64 bin src build out main contents macos current electron")
_PROGRAM_FOLDERS = _words("bin games")
_PRODUCT = re.compile(r"--annotation=_?(?:productName|prod)=(.+)", re.IGNORECASE)
_RUNS_MACHINE_CODE = ("wine",)
_SNAPD = ["", "var", "lib", "snapd", "snap"]


def base_name(path: str) -> str:
    """Return what stands behind the last separator of either kind."""
    return path[max(path.rfind("/"), path.rfind("\\")) + 1 :]


def folders_of(path: str) -> list[str]:
    """Return the names of the folders that a path goes through, innermost first."""
    return [folder for folder in reversed(path.replace("\\", "/").split("/")[:-1]) if folder]


def interpreter_of(base: str) -> str | None:
    """Return the interpreter that a base name (lower case, without `.exe`) stands for; None for any other program."""
    if base in INTERPRETERS:
        return base
    stem = base.rstrip(_VERSION)
    return stem if stem in INTERPRETERS else None


def script_of(interpreter: str, cmdline: Sequence[str]) -> str | None:
    """Return the path or module that an interpreter runs, None where it runs none or none can be told."""
    reading = INTERPRETERS[interpreter]
    if interpreter.startswith(_RUNS_MACHINE_CODE):
        return next((word for word in cmdline if word.lower().endswith(".exe")), None)
    words = iter(cmdline[1:])
    for word in words:
        last = _last_option(word) if reading.clusters else word
        if last in reading.runs_next:
            return next(words, None)
        if last in reading.no_script:
            return None
        if word in reading.with_value:
            next(words, None)
        elif word == "--":
            return next(words, None)
        elif word and not word.startswith(("-", "+")):
            return word
    return None


def _last_option(word: str) -> str:
    if word[:1] == "-" and word[1:].isalpha():
        return f"-{word[-1]}"
    return word


def script_names(interpreter: str, script: str) -> Iterator[tuple[str, str]]:
    """Give kinds and lower-case values by which a script may be listed, best first.

    A script in a folder for programs stands for the program that people start; an archive or start file stands for its folder.
    """
    base = base_name(script).lower()
    folders = folders_of(script)
    if interpreter.startswith(_RUNS_MACHINE_CODE):
        yield "executable", base.removesuffix(".exe")
        return
    if interpreter == "electron" or base == "app.asar":
        folder = base if base not in _CONTAINERS else _outer_folder(folders)
        for kind in ("script", "executable", "deb"):
            yield kind, folder
        return
    yield "script", base
    if is_program_folder(script):
        yield "executable", base


def is_program_folder(path: str) -> bool:
    """Say whether a path lies in a folder that people start programs from."""
    return next(iter(folders_of(path)), "") in _PROGRAM_FOLDERS


def _outer_folder(folders: list[str]) -> str:
    return next((folder.lower() for folder in folders if folder.lower() not in _INNER_FOLDERS), "")


def container_of(platform: str, exe: str) -> Iterator[tuple[str, str]]:
    """Give kinds and lower-case values of the installed application that a path lies in.

    Snaps lie under /snap/NAME/REVISION (snapd's layout), Flatpaks under flatpak/app/ID, bundles in NAME.app, and Windows packages
    in WindowsApps under their full name, NAME_VERSION_ARCHITECTURE_RESOURCE_PUBLISHER (Microsoft, "Package identity").
    """
    parts = exe.lower().replace("\\", "/").split("/")
    if platform == "linux":
        snap = parts[1:] if parts[:2] == ["", "snap"] else parts[4:] if parts[:5] == _SNAPD else []
        if len(snap) > 3:
            yield "snap", snap[1]
        for index in range(len(parts) - 3):
            if parts[index : index + 2] == ["flatpak", "app"]:
                yield "flatpak_id", parts[index + 2]
    elif platform == "macos":
        for part in parts[:-1]:
            if part.endswith(".app"):
                yield "app_bundle", part
    elif platform == "windows" and "windowsapps" in parts[:-2]:
        package = parts[parts.index("windowsapps") + 1].split("_")
        if len(package) > 3:
            yield "package_family", f"{package[0]}_{package[-1]}"


def launched_by(base: str, cmdline: Sequence[str]) -> tuple[str, str] | None:
    """Return what `flatpak run` or `snap run` starts, as kind and lower-case value; None for everything else they do."""
    kind = {"flatpak": "flatpak_id", "snap": "snap"}.get(base)
    if kind is None or cmdline[1:2] != ("run",):
        return None
    return next(((kind, word.lower()) for word in cmdline[2:] if not word.startswith("-")), None)


def owners_of_helper(exe: str, cmdline: Sequence[str]) -> Iterator[str]:
    """Give lower-case names of the program that a helper belongs to: what it was told, then the folder it lies in."""
    for word in cmdline:
        found = _PRODUCT.match(word)
        if found:
            yield found[1].lower()
    folder = _outer_folder(folders_of(exe))
    if folder:
        yield folder
