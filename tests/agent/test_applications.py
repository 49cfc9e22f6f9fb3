"""What is installed, as each system tells it: Linux from real files, macOS and Windows from recorded facts."""

import plistlib
import threading
from collections.abc import Callable, Iterable
from errno import EMFILE, ENOSPC, EPERM
from pathlib import Path

import pytest
import watchdog.observers
import watchdog.observers.polling

from agent.sensing.applications import Application, Applications, CannotLookError
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.folder_watch import LIMIT_REMEDY, NoWatchError, SystemFolderWatch
from agent.sensing.installed import installed_applications
from agent.sensing.linux_applications import LinuxApplications
from agent.sensing.macos_applications import BUNDLES_AT_MOST, MacosApplications
from agent.sensing.this_system import applications
from agent.sensing.windows_applications import UNINSTALL, WindowsApplications
from agent.sensing.windows_programs import PROGRAMS_AT_MOST, WindowsPrograms
from contract.matching import Matcher
from tests.agent.test_installations import CATALOGUE
from tests.agent.test_platforms import FakeWinReg

MATCHER = Matcher(CATALOGUE)
Recognised = list[tuple[str, bool]]


def recognised(there: Applications | Iterable[Application]) -> Recognised:
    found = there if isinstance(there, list) else list(there.read())  # type: ignore[union-attr]  # one or the other
    matches = ((MATCHER.match(one.facts), one.is_own) for one in found)
    return sorted((match.messenger, is_own) for match, is_own in matches if match is not None)


class Home:
    """A machine with one user's home, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home/ada"
        self.home.mkdir(parents=True)
        self.shared = root / "usr/share/applications"
        self.own = self.home / ".local/share/applications"
        self.flatpak = self.home / ".local/share/flatpak/exports/share/applications"
        self.snap = root / "snapd/desktop/applications"
        self.folders = (self.own, self.shared, self.flatpak, self.snap)
        self.index = DesktopIndex(self.folders, self._locate)
        self.programs = {
            "pidgin": "/usr/bin/pidgin",
            "/usr/bin/telegram-desktop": "/usr/bin/telegram-desktop",
        }
        self.applications = LinuxApplications(self.index, self.home, self._locate)

    def _locate(self, name: str) -> str | None:
        return self.programs.get(name)

    def write(self, folder: Path, desktop_id: str, command: str, *more: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{desktop_id}.desktop"
        file.write_text("\n".join(["[Desktop Entry]", "Type=Application", f"Exec={command}", *more, ""]))
        return file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_desktop_entries_of_system_user_flatpak_and_snap_are_installed(home: Home) -> None:
    home.write(home.shared, "pidgin", "pidgin")
    home.write(home.own, "org.telegram.desktop", "/usr/bin/telegram-desktop -- %u")
    home.write(
        home.flatpak,
        "org.signal.Signal",
        "/usr/bin/flatpak run org.signal.Signal",
        "X-Flatpak=org.signal.Signal",
    )
    home.write(home.snap, "slack_slack", "env BAMF=1 /snap/bin/slack %U", "X-SnapInstanceName=slack")
    home.write(home.shared, "vim", "vim")
    assert recognised(home.applications) == [
        ("pidgin", False),
        ("signal", True),
        ("slack", False),
        ("telegram", True),
    ]


def test_an_unlisted_messenger_says_so_itself(home: Home) -> None:
    home.write(home.shared, "org.foo.Foo", "foo", "Categories=Network;InstantMessaging;")
    assert recognised(home.applications) == [("unlisted:org.foo.foo", False)]


def test_a_page_that_is_installed_as_an_application_is_its_messenger(home: Home) -> None:
    home.write(home.own, "chrome-web", "/usr/bin/chromium --app=https://web.telegram.org/a")
    home.programs["/usr/bin/chromium"] = "/usr/bin/chromium"
    assert recognised(home.applications) == [("telegram", True)]


def test_an_entry_that_outlived_its_program_is_not_installed(home: Home) -> None:
    home.write(home.shared, "pidgin", "/opt/pidgin/pidgin", "TryExec=/opt/pidgin/pidgin")
    home.write(home.shared, "org.telegram.desktop", "/opt/telegram/Telegram")
    home.write(home.shared, "hexchat", "hexchat")  # a mere name may be found by others than this service
    assert recognised(home.applications) == [("hexchat", False)]


def test_an_entry_that_a_user_hid_is_not_installed_for_them(home: Home) -> None:
    home.write(home.shared, "pidgin", "pidgin")
    home.write(home.own, "pidgin", "pidgin", "Hidden=true")
    assert recognised(home.applications) == []


def test_only_a_change_asks_for_a_look_also_in_a_folder_within(home: Home) -> None:
    home.write(home.shared, "pidgin", "pidgin")
    assert home.applications.has_changed()
    assert recognised(home.applications) == [("pidgin", False)]
    assert not home.applications.has_changed()
    home.write(home.shared / "kde", "hexchat", "hexchat")
    assert home.applications.has_changed()
    home.index.named("pidgin")  # somebody else reads the index again
    assert home.applications.has_changed()
    recognised(home.applications)
    home.write(home.shared / "kde", "srain", "srain")
    assert home.applications.has_changed()


def test_a_folder_that_is_there_and_cannot_be_read_is_not_an_empty_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write(home.shared, "pidgin", "pidgin")

    def refuse(folder: Path) -> object:
        raise OSError(5, "Input/output error", str(folder))

    with monkeypatch.context() as broken:
        broken.setattr("os.scandir", refuse)
        with pytest.raises(CannotLookError, match="Input/output error"):
            recognised(home.applications)
    assert recognised(home.applications) == [("pidgin", False)]


def test_this_system_tells_what_is_installed_here(tmp_path: Path) -> None:
    entries = installed_applications({"XDG_DATA_DIRS": str(tmp_path)}, tmp_path)
    found = applications(entries, {}, tmp_path)
    assert tmp_path / "applications" in found.folders()
    assert found.has_changed()


def bundle(folder: Path, name: str, **info: object) -> None:
    contents = folder / f"{name}.app" / "Contents"
    contents.mkdir(parents=True)
    (contents / "Info.plist").write_bytes(plistlib.dumps(info))


def test_bundles_of_macos_are_installed_for_everybody_or_for_one(tmp_path: Path) -> None:
    shared, own = tmp_path / "Applications", tmp_path / "ada/Applications"
    bundle(shared, "Slack", CFBundleIdentifier="com.tinyspeck.slackmacgap", CFBundleExecutable="Slack")
    bundle(shared, "TextEdit", CFBundleIdentifier="com.apple.TextEdit", CFBundleExecutable="TextEdit")
    bundle(own, "Telegram", CFBundleIdentifier="ru.keepcoder.Telegram", CFBundleExecutable="Telegram")
    bundle(own, "Odd", CFBundleIdentifier="com.tinyspeck.slackmacgap", CFBundleExecutable="../../Slack")
    (own / "Empty.app").mkdir()
    found = MacosApplications((shared, tmp_path / "none"), own)
    assert found.has_changed()
    assert recognised(found) == [("slack", False), ("telegram", True)]
    assert not found.has_changed()
    bundle(own, "Signal", CFBundleIdentifier="org.whispersystems.signal-desktop", CFBundleExecutable="Signal")
    assert found.has_changed()
    assert ("signal", True) in recognised(found)


def test_of_very_many_bundles_not_all_are_read(tmp_path: Path) -> None:
    for number in range(BUNDLES_AT_MOST + 5):
        (tmp_path / f"{number:05}.app").mkdir()
    bundle(tmp_path, "zz", CFBundleIdentifier="com.tinyspeck.slackmacgap", CFBundleExecutable="Slack")
    assert recognised(MacosApplications((tmp_path,), tmp_path / "none")) == []


def test_a_folder_of_macos_that_cannot_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> object:
        raise PermissionError(EPERM, "Operation not permitted", str(folder))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(CannotLookError, match="not permitted"):
        recognised(MacosApplications((tmp_path,), tmp_path))


ENVIRON = {
    "ProgramFiles": r"C:\Program Files",
    "ProgramFiles(x86)": r"C:\Program Files (x86)",
    "ProgramW6432": r"C:\Program Files",
    "LOCALAPPDATA": r"C:\Users\ada\AppData\Local",
}
LISTED: dict[str, dict[str, object]] = {
    rf"HKLM\{UNINSTALL[1]}\Zoom": {"DisplayName": "Vesktop 1.6.7 (x64)"},
    rf"HKCU\{UNINSTALL[0]}\slack": {
        "DisplayName": "A name that nobody lists",
        "DisplayIcon": r"C:\Users\ada\AppData\Local\slack\app.ico",
        "InstallLocation": "C:\\Users\\ada\\AppData\\Local\\slack\\",
    },
    rf"HKLM\{UNINSTALL[0]}\Editor": {"DisplayName": "Editor", "DisplayIcon": r"C:\Editor\editor.exe"},
}
FILES = {
    r"C:\Program Files": ["Telegram Desktop", "Editor", "desktop.ini", "Locked"],
    r"C:\Program Files\Telegram Desktop": ["Telegram.exe", "unins000.exe", "notes.txt"],
    r"C:\Program Files\Editor": ["editor.exe"],
    r"C:\Users\ada\AppData\Local\Programs": ["signal-desktop"],
    r"C:\Users\ada\AppData\Local\Programs\signal-desktop": ["Signal.exe", "Uninstall Signal.exe"],
    r"c:\users\ada\appdata\local\slack": ["slack.exe", "Update.exe"],
}


def listing(folder: str) -> list[str]:
    if folder not in FILES:
        raise FileNotFoundError(2, "not found", folder)
    return FILES[folder]


def programs(names: Callable[[str], Iterable[str]] = listing) -> WindowsPrograms:
    return WindowsPrograms(WindowsApplications(FakeWinReg(dict(LISTED))), ENVIRON, names)


def test_windows_tells_what_it_lists_and_what_lies_in_the_folders_for_applications() -> None:
    assert recognised(programs()) == [
        ("discord", False),
        ("signal", True),
        ("slack", True),
        ("telegram", False),
    ]


def test_a_program_that_installs_or_removes_is_no_application() -> None:
    exes = [one.facts.exe or "" for one in programs().read()]
    assert not [exe for exe in exes if exe.lower().rpartition("\\")[2].startswith(("unins", "update"))]


def test_of_very_many_executables_of_one_folder_not_all_are_looked_at() -> None:
    def many(folder: str) -> list[str]:
        if folder == r"C:\Program Files\All":
            return [f"{number:05}.exe" for number in range(5_000)]
        return ["All"] if folder == r"C:\Program Files" else []

    of_all = [one for one in programs(many).read() if r"Program Files\All" in (one.facts.exe or "")]
    assert len(of_all) == PROGRAMS_AT_MOST


def test_the_registry_or_a_folder_asks_for_a_look() -> None:
    registry = FakeWinReg(dict(LISTED))
    found = WindowsPrograms(WindowsApplications(registry), ENVIRON, listing)
    assert found.has_changed()
    list(found.read())
    assert not found.has_changed()
    registry.changed = 2
    assert found.has_changed()
    registry.keys.clear()
    assert recognised(found) == [("signal", True), ("telegram", False)]


def test_a_folder_of_windows_that_cannot_be_read_is_not_an_empty_one() -> None:
    def refuse(folder: str) -> list[str]:
        raise PermissionError(13, "Access is denied", folder)

    with pytest.raises(CannotLookError, match="Access is denied"):
        recognised(programs(refuse))
    assert recognised(WindowsPrograms(WindowsApplications(FakeWinReg({})), {}, refuse)) == []


def test_the_system_tells_of_files_made_and_removed_and_of_nothing_that_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "pidgin.desktop"
    file.write_text("[Desktop Entry]\n")
    told = threading.Event()
    watch = SystemFolderWatch()
    watch.begin([tmp_path], told.set)
    file.read_text()
    (tmp_path / "other.desktop").write_text("x")
    assert told.wait(20)
    told.clear()
    file.unlink()
    assert told.wait(20)
    watch.end()
    watch.end()


def test_reading_a_file_wakes_nobody(tmp_path: Path) -> None:
    file, marker = tmp_path / "pidgin.desktop", tmp_path / "marker"
    file.write_text("[Desktop Entry]\n")
    told: list[None] = []
    seen = threading.Event()
    watch = SystemFolderWatch()

    def tell() -> None:
        told.append(None)
        if marker.exists():
            seen.set()

    watch.begin([tmp_path], tell)
    for _ in range(50):
        file.read_text()
    marker.touch()  # events come in order: once this one is told, all before it were
    assert seen.wait(20)
    watch.end()
    assert len(told) <= 3


@pytest.mark.parametrize("number", [ENOSPC, EMFILE])
def test_a_limit_of_the_system_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, "inotify watch limit reached")

    monkeypatch.setattr(watchdog.observers.Observer, "schedule", full)
    watch = SystemFolderWatch()
    with pytest.raises(NoWatchError) as refused:
        watch.begin([tmp_path], lambda: None)
    assert refused.value.remedy == LIMIT_REMEDY


def test_where_watchdog_would_only_poll_nothing_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog.observers, "Observer", watchdog.observers.polling.PollingObserver)
    with pytest.raises(NoWatchError, match="no way to tell"):
        SystemFolderWatch().begin([tmp_path], lambda: None)


def test_what_the_system_refuses_otherwise_is_told_in_its_words(tmp_path: Path) -> None:
    watch = SystemFolderWatch()
    with pytest.raises(NoWatchError, match="refuses to watch") as refused:
        watch.begin([tmp_path / "none"], lambda: None)
    assert refused.value.remedy is None
