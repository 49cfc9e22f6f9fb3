"""What looks like something else than it is: each line of the list that sensing has to see through, by entry and process as they really are.

Entries, scripts and services are cut from Debian 12 (polari 43.0, tkabber 1.1.2, gajim 1.7.3, talksoup.app 1.0alpha, weechat-curses 3.8);
`/app` and scopes are Flatpak 1.14's, mounts are snapd's and the AppImage runtime's.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue import load
from agent.compliance import Compliance, Found
from agent.identify import complete
from agent.profiles import Side
from agent.sensing.copies import HEAD_BYTES, build_id, may_be_copy
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.linux_source import flatpak_id_of
from agent.sensing.process_source import ProcessKey
from contract.catalogue import Catalogue
from contract.facts import ProcessFacts
from contract.judge import NextStep, Subject, Verdict
from contract.matching import Matcher

LISTED = Matcher(load())
ALONE = Matcher(Catalogue({}))
"""What is recognised when no list has it."""


def _entry(command: str, categories: str, *more: str) -> str:
    return "\n".join(
        ["[Desktop Entry]", "Type=Application", f"Exec={command}", f"Categories={categories}", *more, ""]
    )


SHARE = {
    "applications/org.gajim.Gajim.desktop": _entry("gajim %u", "Network;InstantMessaging;GTK;Chat;"),
    "applications/tkabber.desktop": _entry("/usr/bin/tkabber", "Network;InstantMessaging;"),
    "applications/jtalk.desktop": _entry("/usr/bin/jtalk", "Network;InstantMessaging;"),
    "applications/org.gnome.Polari.desktop": _entry(
        "gapplication launch org.gnome.Polari %U", "GNOME;GTK;Network;IRCClient;", "DBusActivatable=true"
    ),
    "dbus-1/services/org.gnome.Polari.service": "[D-BUS Service]\nName=org.gnome.Polari\nExec=/usr/bin/polari --gapplication-service\n",
    "applications/org.example.Bell.desktop": _entry("bell", "Network;Chat;", "DBusActivatable=true"),
    "dbus-1/services/org.example.Bell.service": "[D-BUS Service]\nName=org.example.Bell\nExec=/usr/libexec/bell-service --gapplication-service\n",
    "applications/xterm.desktop": _entry("xterm", "System;TerminalEmulator;"),
    "applications/weechat.desktop": _entry("weechat %u", "Network;Chat;IRCClient;ConsoleOnly;", "Terminal=true"),
    "applications/averylongmessengername.desktop": _entry("averylongmessengername", "Chat;"),
    "applications/TalkSoup.desktop": _entry("TalkSoup", "Network;IRCClient;"),
    "applications/org.example.Flat.desktop": _entry(
        "/usr/bin/flatpak run --branch=stable --arch=x86_64 --command=start.sh org.example.Flat",
        "Network;InstantMessaging;",
        "X-Flatpak=org.example.Flat",
    ),
    "applications/snapchatter_snapchatter.desktop": _entry(
        "env BAMF_DESKTOP_FILE_HINT=/var/lib/snapd/desktop/applications/x /snap/bin/snapchatter %U",
        "Network;InstantMessaging;",
        "X-SnapInstanceName=snapchatter",
    ),
    "applications/electrotalk.desktop": _entry("/usr/bin/electrotalk %U", "Network;Chat;"),
    "applications/electronotes.desktop": _entry("/usr/bin/electronotes %U", "Office;"),
    "applications/foochat.desktop": _entry("/opt/FooChat/foochat %U", "Network;InstantMessaging;"),
    "applications/google-chrome.desktop": _entry("/opt/google/chrome/chrome %U", "Network;WebBrowser;"),
    "applications/chrome-whatsapp.desktop": _entry(
        "/opt/google/chrome/chrome --profile-directory=Default --app=https://web.whatsapp.com/", "Network;Chat;"
    ),
    "applications/org.mozilla.Thunderbird.desktop": _entry(
        "thunderbird %u", "Network;Email;News;Chat;", "MimeType=x-scheme-handler/mailto;x-scheme-handler/irc;"
    ),
    "applications/code.desktop": _entry("/usr/share/code/code %F", "TextEditor;Development;IDE;Chat;"),
    "applications/steam.desktop": _entry("/usr/games/steam %U", "Network;FileTransfer;Game;Chat;"),
}  # fmt: skip
INSTALLED = {"TalkSoup": "/usr/lib/GNUstep/Applications/TalkSoup.app/TalkSoup"}
IMAGE = _entry("AppRun --no-sandbox %U", "Network;InstantMessaging;")


@pytest.fixture
def index(tmp_path: Path) -> DesktopIndex:
    for name, text in SHARE.items():
        file = tmp_path / "share" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return DesktopIndex([tmp_path / "share/applications"], INSTALLED.get)


Case = tuple[str, str | None, tuple[str, ...], str | None]
FOOLS: list[Case] = [
    # interpreters: Python, Tcl, Java, a shell, gjs
    ("python", "/usr/bin/python3.11", ("/usr/bin/python3", "/usr/bin/gajim"), "org.gajim.gajim"),
    ("tcl", "/usr/bin/wish8.6", ("/usr/bin/wish", "/usr/share/tkabber/tkabber.tcl", "-name", "Tkabber"), "tkabber"),
    ("java", "/usr/lib/jvm/java-17-openjdk-amd64/bin/java", ("java", "-Xmx1g", "-jar", "/usr/share/jtalk/lib/jtalk.jar"), "jtalk"),
    ("shell", "/usr/bin/dash", ("/bin/sh", "/usr/bin/tkabber"), "tkabber"),
    ("python itself", "/usr/bin/python3.11", ("python3",), None),
    ("a file that is only shown", "/usr/bin/python3.11", ("python3", "/home/ada/show.py", "/usr/bin/gajim"), None),
    ("a file of that name elsewhere", "/usr/bin/wish8.6", ("wish", "/home/ada/tkabber/x.tcl"), None),
    # started through D-Bus
    ("gapplication", "/usr/bin/polari", ("/usr/bin/polari", "--gapplication-service"), "org.gnome.polari"),
    ("a service of its own", "/usr/libexec/bell-service", ("/usr/libexec/bell-service", "--gapplication-service"), "org.example.bell"),
    ("the starter itself", "/usr/bin/gapplication", ("gapplication", "action", "org.gnome.Polari", "x"), None),
    # terminal clients inside a terminal's window
    ("in a terminal", "/usr/bin/weechat", ("weechat",), "weechat"),
    ("the terminal", "/usr/bin/xterm", ("xterm", "-e", "weechat"), None),
    ("tmux around it", "/usr/bin/tmux", ("tmux", "new", "weechat"), None),
    # links, copies
    ("behind a link", "/usr/lib/GNUstep/Applications/TalkSoup.app/TalkSoup", ("TalkSoup",), "talksoup"),
    ("a copy", "/home/ada/bin/weechat", ("/home/ada/bin/weechat",), "weechat"),
    ("replaced while it runs", "/usr/bin/weechat (deleted)", ("weechat",), "weechat"),
    ("calls itself otherwise", "/usr/bin/weechat", ("notes",), "weechat"),
    # Snap
    ("snap", "/snap/snapchatter/12/usr/lib/snapchatter/bin/sc", ("sc",), "snapchatter_snapchatter"),
    ("snap, var", "/var/lib/snapd/snap/snapchatter/12/bin/sc", ("sc",), "snapchatter_snapchatter"),
    ("another snap", "/snap/firefox/12/usr/lib/firefox/firefox", ("firefox",), None),
    # Electron applications that share an executable
    ("electron", "/usr/lib/electron25/electron", ("/usr/lib/electron25/electron", "/usr/lib/electrotalk/app.asar"), "electrotalk"),
    ("the same, another", "/usr/lib/electron25/electron", ("/usr/lib/electron25/electron", "/usr/lib/electronotes/app.asar"), None),
    ("electron alone", "/usr/lib/electron25/electron", ("/usr/lib/electron25/electron",), None),
    # helpers and crash handlers
    ("renderer", "/opt/FooChat/foochat", ("/opt/FooChat/foochat", "--type=renderer"), "foochat"),
    ("crash handler", "/opt/FooChat/chrome_crashpad_handler", ("/opt/FooChat/chrome_crashpad_handler", "--monitor-self"), "foochat"),
    ("sandbox", "/opt/FooChat/chrome-sandbox", ("/opt/FooChat/chrome-sandbox", "/opt/FooChat/foochat"), "foochat"),
    ("a browser's crash handler", "/opt/google/chrome/chrome_crashpad_handler", ("/opt/google/chrome/chrome_crashpad_handler",), None),
    # browsers
    ("a browser", "/opt/google/chrome/chrome", ("/opt/google/chrome/chrome",), None),
    ("a browser's renderer", "/opt/google/chrome/chrome", ("/opt/google/chrome/chrome", "--type=renderer"), None),
    ("a browser with a page", "/opt/google/chrome/chrome", ("chrome", "--profile-directory=Default", "--app=https://web.whatsapp.com/"), None),
    # mail, development, games with a chat beside
    ("mail", "/usr/bin/thunderbird", ("thunderbird",), None),
    ("development", "/usr/share/code/code", ("/usr/share/code/code", "--type=utility"), None),
    ("game", "/usr/games/steam", ("/bin/steam",), None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "exe", "cmdline", "key"), FOOLS, ids=[case[0] for case in FOOLS])
def test_what_it_is_follows_from_what_runs(
    index: DesktopIndex, what: str, exe: str, cmdline: tuple[str, ...], key: str | None
) -> None:
    facts = ProcessFacts(platform="linux", name=exe.rpartition("/")[2][:15], exe=exe, cmdline=cmdline)
    match = ALONE.match(complete(facts, index))
    assert (match.messenger if match else None) == (f"unlisted:{key}" if key else None)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("averylongmessen", "averylongmessengername"),
        ("weechat", "weechat"),
        ("averylongmesse", None),
        ("averylongmessem", None),
        ("kworker/0:1", None),
    ],
)
def test_a_name_that_linux_cut_is_enough_where_nothing_else_may_be_read(
    index: DesktopIndex, name: str, key: str | None
) -> None:
    match = ALONE.match(complete(ProcessFacts(platform="linux", name=name, cmdline=()), index))
    assert (match.messenger if match else None) == (f"unlisted:{key}" if key else None)
    read = ProcessFacts(platform="linux", name=name, exe="/usr/bin/vim", cmdline=("vim",))
    assert ALONE.match(complete(read, index)) is None, "a name does not count beside an executable"


SCOPE = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/{}\n"


@pytest.mark.parametrize(
    ("unit", "flatpak_id"),
    [
        ("app-flatpak-org.example.Flat-15710.scope", "org.example.Flat"),
        (r"app-flatpak-org.example.Flat\x2dChat-1.scope", "org.example.Flat-Chat"),
        ("app-gnome-org.example.Flat-4180.scope", None),
        ("app-flatpak-.scope", None),
        ("session-2.scope", None),
        ("my-app-flatpak-org.example.Flat-1.scope", None),
    ],
)
def test_flatpaks_scope_tells_the_application(unit: str, flatpak_id: str | None) -> None:
    assert flatpak_id_of(SCOPE.format(unit).encode()) == flatpak_id


@pytest.mark.parametrize(
    ("exe", "flatpak_id", "found"),
    [
        ("/app/lib/flat/Flat", "org.example.Flat", True),
        ("/usr/bin/bwrap", "org.example.Flat", True),
        ("/app/bin/start.sh", None, True),
        ("/usr/bin/bwrap", None, False),
        ("/app/lib/flat/Flat", "org.example.Other", False),
    ],
)
def test_whatever_runs_in_a_flatpak_is_that_application(
    index: DesktopIndex, exe: str, flatpak_id: str | None, *, found: bool
) -> None:
    facts = ProcessFacts(platform="linux", exe=exe, cmdline=(exe, "--args", "40"), flatpak_id=flatpak_id)
    match = ALONE.match(complete(facts, index))
    assert (match is not None and match.messenger == "unlisted:org.example.flat") == found


@pytest.mark.parametrize("root", [".mount_ImgTalX1b2c3", "squashfs-root"])
def test_an_appimage_is_known_by_the_entry_it_brings_along(
    index: DesktopIndex, tmp_path: Path, root: str
) -> None:
    folder = tmp_path / root
    (folder / "usr/bin").mkdir(parents=True)
    exe = folder / "usr/bin/imgtalk"

    def told(path: Path) -> str | None:
        facts = ProcessFacts(platform="linux", exe=str(path), cmdline=(str(path),))
        match = ALONE.match(complete(facts, DesktopIndex([])))
        return match.messenger if match else None

    assert told(exe) is None
    (folder / "imgtalk.desktop").write_text(IMAGE)
    assert told(exe) == told(folder / "chrome_crashpad_handler") == "unlisted:imgtalk"
    assert told(tmp_path / "imgtalk.AppImage") is None
    (folder / "other.desktop").write_text(IMAGE)
    assert told(exe) is None, "of two nobody can tell"


SLEEP, TRUE = (os.path.realpath(shutil.which(name) or "") for name in ("sleep", "true"))
"""Real programs in a messenger's place."""


def test_a_copy_under_another_name_is_the_program_that_it_was_copied_from(tmp_path: Path) -> None:
    share = tmp_path / "applications"
    share.mkdir()
    (share / "original.desktop").write_text(_entry(SLEEP, "InstantMessaging;"))
    index, copy, other = DesktopIndex([share]), tmp_path / "notes", tmp_path / "other"
    shutil.copy(SLEEP, copy)
    shutil.copy(TRUE, other)
    (tmp_path / "script").write_text("#!/bin/sh\n")
    os.mkfifo(tmp_path / "pipe")  # opening it to read would wait for ever

    def told(path: str) -> str | None:
        match = ALONE.match(complete(ProcessFacts(platform="linux", exe=path, cmdline=(path,)), index))
        return match.messenger if match else None

    assert told(str(copy)) == "unlisted:original"
    assert [told(str(tmp_path / name)) for name in ("other", "script", "pipe", "none")] == [None] * 4
    (share / "original.desktop").unlink()
    os.utime(share, ns=(1, 1))
    assert told(str(copy)) is None, "what is not installed any more is nobody's original"


@pytest.mark.parametrize(
    ("path", "is_asked"),
    [
        ("/home/ada/notes", True),
        ("/tmp/x", True),
        ("/usr/bin/notes", False),
        ("/opt/notes/notes", False),
        ("/home/ada/.venv/bin/python3.11", False),
        ("notes", False),
        ("", False),
    ],
)
def test_only_what_people_put_somewhere_is_asked_for_its_build_id(path: str, *, is_asked: bool) -> None:
    assert may_be_copy(path) is is_asked


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_program_that_is_cut_or_none_has_no_build_id(junk: bytes, at: int) -> None:
    head = Path(SLEEP).read_bytes()[:HEAD_BYTES]
    assert build_id(head)
    assert build_id(junk) is None
    for torn in (head[:at] + junk, head[:64] + junk, head[:54] + junk + head[54:]):
        found = build_id(torn)
        assert found is None or len(found) <= HEAD_BYTES


@pytest.mark.parametrize(
    ("exe", "cmdline", "messenger"),
    [
        (
            "/usr/lib/wine/wine64-preloader",
            (r"C:\Users\ada\AppData\Roaming\Telegram Desktop\Telegram.exe",),
            "telegram",
        ),
        ("/usr/lib/wine/wine64-preloader", (r"C:\windows\system32\services.exe",), None),
        ("/home/ada/Downloads/Telegram/Telegram", ("./Telegram",), "telegram"),
        (
            "/tmp/.mount_SignalX1b2c3/signal-desktop",
            ("/tmp/.mount_SignalX1b2c3/signal-desktop", "--type=gpu-process"),
            "signal",
        ),
        ("/usr/bin/python3.11", ("/usr/bin/python3", "/usr/bin/gajim"), "gajim"),
        (None, ("/usr/bin/pidgin",), "pidgin"),
    ],
)
def test_listed_messengers_are_seen_in_wine_portable_and_mounted(
    exe: str | None, cmdline: tuple[str, ...], messenger: str | None
) -> None:
    match = LISTED.match(ProcessFacts(platform="linux", exe=exe, cmdline=cmdline))
    assert (match.messenger if match else None) == messenger


def test_an_application_with_its_helpers_is_one_sighting(index: DesktopIndex) -> None:
    commands = [
        ("/opt/FooChat/foochat",),
        ("/opt/FooChat/chrome_crashpad_handler", "--monitor-self"),
        ("/opt/FooChat/foochat", "--type=zygote"),
        ("/opt/FooChat/foochat", "--type=renderer"),
    ]
    found = []
    for pid, cmdline in enumerate(commands, start=10):
        facts = complete(ProcessFacts(platform="linux", exe=cmdline[0], cmdline=cmdline), index)
        match = ALONE.match(facts)
        assert match is not None
        found.append(Found(ProcessKey(pid, 1.0), 1000, match, Side("work", "test")))
    compliance = Compliance()
    transitions = compliance.take(found, (), _fine, datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert [one.kind for one in transitions] == ["started"]
    [sighting] = compliance.sightings()
    assert [key.pid for key in sighting.processes] == [10, 11, 12, 13]


def _fine(_: Subject) -> Verdict:
    return Verdict(
        state="compliant",
        reasons=(),
        rule="none",
        stance=None,
        next_step=NextStep("nothing", "-"),
        rung="report",
    )
