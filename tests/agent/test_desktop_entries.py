import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sensing import desktop_entries
from agent.sensing.desktop_entries import DesktopIndex, locate_program, standard_folders
from agent.sensing.desktop_files import parse

Installed = Mapping[str, str]
Index = Callable[..., DesktopIndex]

PIDGIN = """[Desktop Entry]
Type=Application
Name=Pidgin
Name[de]=Pidgin auf Deutsch
Exec=pidgin
Categories=Network;InstantMessaging;
"""
PYTHON = (
    "[Desktop Entry]\nType=Application\nExec=/usr/bin/python3.11\nTerminal=true\nCategories=Development;\n"
)


def _entry(exec_line: str, *more: str, categories: str = "InstantMessaging") -> str:
    return "\n".join(
        ["[Desktop Entry]", "Type=Application", f"Exec={exec_line}", f"Categories={categories};", *more, ""]
    )


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """Gives an index over files (path below the folder to text) and programs (name or path to the real file)."""

    def make(files: Mapping[str, str], installed: Installed | None = None) -> DesktopIndex:
        for name, text in files.items():
            file = tmp_path / "share" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        programs = installed or {}
        return DesktopIndex([tmp_path / "share"], programs.get)

    return make


def _owner(index: DesktopIndex, exe: str | None, *cmdline: str) -> str | None:
    entry = index.for_process(exe, cmdline or None)
    return entry.desktop_id if entry else None


def test_a_process_is_found_by_the_name_of_its_executable(index: Index) -> None:
    entry = index({"pidgin.desktop": PIDGIN}).for_process("/usr/bin/pidgin", ("pidgin",))
    assert entry is not None
    assert (entry.desktop_id, entry.categories) == ("pidgin", ("Network", "InstantMessaging"))


def test_the_suffix_alone_is_cut_from_the_id(index: Index) -> None:
    # The entry of Telegram Desktop is really called so.
    found = index({"org.telegram.desktop.desktop": _entry("/usr/bin/telegram-desktop -- %u")})
    assert _owner(found, "/usr/bin/telegram-desktop", "telegram-desktop") == "org.telegram.desktop"


def test_a_script_is_found_behind_its_interpreter(index: Index) -> None:
    found = index({"org.gajim.Gajim.desktop": _entry("gajim %u"), "python3.11.desktop": PYTHON})
    assert _owner(found, "/usr/bin/python3.11", "/usr/bin/python3", "/usr/bin/gajim") == "org.gajim.Gajim"
    assert _owner(found, "/usr/bin/python3.11", "python3", "-m", "http.server") is None
    assert _owner(found, "/usr/bin/python3.11", "python3", "/home/ada/gajim") is None


def test_an_interpreter_belongs_to_none_of_its_entries(index: Index) -> None:
    found = index(
        {
            "python3.11.desktop": PYTHON,
            "foo.desktop": _entry("python3 /usr/share/foo/foo.py %F"),
            "bar.desktop": _entry("sh -c 'cd /opt/bar && ./bar'"),
            "baz.desktop": _entry("/opt/baz/start", categories="Chat"),
        },
        {"/opt/baz/start": "/usr/bin/bash"},
    )
    assert _owner(found, "/usr/bin/python3.11", "python3") is None
    assert _owner(found, "/usr/bin/python3.11", "python3", "/home/ada/foo.py") is None
    assert _owner(found, "/usr/bin/python3.11", "/usr/bin/python3", "/usr/share/foo/foo.py") == "foo"
    assert _owner(found, "/usr/bin/dash", "sh", "-c", "true") is None
    assert _owner(found, "/usr/bin/bash", "bash") is None


def test_a_terminal_belongs_to_nobody_who_is_run_in_it(index: Index) -> None:
    found = index(
        {
            "irssi.desktop": _entry("xterm -T Irssi -e irssi --config x"),
            "xterm.desktop": _entry("xterm", categories="TerminalEmulator"),
            "weechat.desktop": _entry("gnome-terminal -- weechat"),
        }
    )
    assert _owner(found, "/usr/bin/xterm", "xterm") == "xterm"
    assert _owner(found, "/usr/bin/xterm", "xterm", "-T", "Irssi", "-e", "irssi") == "xterm"
    assert _owner(found, "/usr/bin/gnome-terminal", "gnome-terminal") is None
    assert _owner(found, "/usr/bin/weechat", "weechat") == "weechat"
    assert _owner(found, "/usr/bin/irssi", "irssi", "--config", "x") == "irssi"


def test_what_only_sets_the_stage_is_left_out(index: Index) -> None:
    found = index(
        {
            "foo.desktop": _entry("env GDK_BACKEND=x11 LANG=de /opt/foo/foo %U"),
            "bar.desktop": _entry("/usr/bin/env -u DISPLAY bar"),
            "empty.desktop": _entry("env A=B"),
        }
    )
    assert _owner(found, "/opt/foo/foo") == "foo"
    assert _owner(found, "/usr/bin/bar") == "bar"
    assert _owner(found, "/usr/bin/env") is None


def test_a_link_is_followed_to_the_program_behind_it(index: Index) -> None:
    found = index({"Zoom.desktop": _entry("/usr/bin/zoom %U")}, {"/usr/bin/zoom": "/opt/zoom/ZoomLauncher"})
    assert _owner(found, "/opt/zoom/ZoomLauncher") == "Zoom"
    assert _owner(found, "/opt/zoom/zoom") == "Zoom"


def test_a_page_in_a_browser_does_not_own_the_browser(index: Index) -> None:
    alone = index({"whatsapp.desktop": _entry("firefox https://web.whatsapp.com")})
    assert _owner(alone, "/usr/bin/firefox", "firefox") is None
    assert _owner(alone, "/usr/bin/firefox", "firefox", "https://web.whatsapp.com") == "whatsapp"
    both = index({"firefox.desktop": _entry("firefox %u", categories="WebBrowser")})
    assert _owner(both, "/usr/bin/firefox", "firefox") == "firefox"
    assert _owner(both, "/usr/bin/firefox", "firefox", "https://web.whatsapp.com") == "whatsapp"


def test_the_only_entry_of_a_program_is_taken_without_its_options(index: Index) -> None:
    found = index({"io.github.Hexchat.desktop": _entry("hexchat --existing %U")})
    assert _owner(found, "/usr/bin/hexchat", "hexchat") == "io.github.Hexchat"


def test_two_entries_that_fit_alike_tell_nothing(index: Index) -> None:
    found = index({"one.desktop": _entry("foo"), "two.desktop": _entry("foo", categories="Game")})
    assert _owner(found, "/usr/bin/foo", "foo") is None


def test_flatpaks_are_found_by_id_and_by_their_command(index: Index) -> None:
    text = _entry(
        "/usr/bin/flatpak run --branch=stable --command=slack --file-forwarding com.slack.Slack @@u %U @@"
    )
    found = index({"com.slack.Slack.desktop": text})
    entry = found.for_process("/usr/bin/flatpak", ("flatpak", "run", "com.slack.Slack"))
    assert entry is not None
    assert entry.flatpak_id == "com.slack.Slack"
    assert _owner(found, "/app/bin/slack", "slack") == "com.slack.Slack"
    assert (
        _owner(found, "/var/lib/flatpak/app/com.slack.Slack/current/active/files/bin/x") == "com.slack.Slack"
    )
    assert _owner(found, "/usr/bin/slack", "slack") is None, "a program outside is another one"
    assert _owner(found, "/usr/bin/flatpak", "flatpak", "update", "com.slack.Slack") is None


def test_snaps_are_found_by_the_folder_they_are_mounted_at(index: Index) -> None:
    text = _entry("env BAMF_DESKTOP_FILE_HINT=/x /snap/bin/slack %U", "X-SnapInstanceName=slack")
    found = index({"slack_slack.desktop": text})
    entry = found.for_process("/snap/slack/123/usr/lib/slack/slack", ("slack", "--type=gpu-process"))
    assert entry is not None
    assert (entry.desktop_id, entry.snap) == ("slack_slack", "slack")
    assert _owner(found, "/snap/other/1/usr/bin/slack") is None


def test_an_older_snap_is_told_by_its_program(index: Index) -> None:
    found = index({"foo_bar.desktop": _entry("/snap/bin/foo.bar %U")})
    assert _owner(found, "/snap/foo/5/bin/start") == "foo_bar"


def test_a_folder_below_becomes_part_of_the_id(index: Index) -> None:
    assert _owner(index({"kde/chat/foo.desktop": _entry("foo")}), "/usr/bin/foo") == "kde-chat-foo"


def test_the_earlier_folder_counts_and_may_hide_an_entry(tmp_path: Path) -> None:
    for folder, text in (("own", _entry("foo", "Hidden=true")), ("shared", _entry("foo"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "foo.desktop").write_text(text)
    folders = [tmp_path / "own", tmp_path / "shared"]
    assert _owner(DesktopIndex(folders, lambda _name: None), "/usr/bin/foo") is None
    assert _owner(DesktopIndex(reversed(folders), lambda _name: None), "/usr/bin/foo") == "foo"


def test_what_is_not_in_the_menu_still_owns_its_processes(index: Index) -> None:
    assert _owner(index({"foo.desktop": _entry("foo", "NoDisplay=true")}), "/usr/bin/foo") == "foo"


def test_an_entry_whose_program_is_not_installed_is_passed_over(index: Index) -> None:
    text = _entry("foo", "TryExec=/opt/foo/foo")
    assert _owner(index({"foo.desktop": text}), "/usr/bin/foo") is None
    assert _owner(index({"foo.desktop": text}, {"/opt/foo/foo": "/opt/foo/foo"}), "/usr/bin/foo") == "foo"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "Exec=foo\n[Desktop Entry]\nType=Application\n",
        "[Other]\nType=Application\nExec=foo\n",
        "[Desktop Entry]\nType=Link\nExec=foo\n",
        "[Desktop Entry]\nExec=foo\n",
        "[Desktop Entry]\nType=Application\n",
        "[Desktop Entry]\nType=Application\nExec=\n",
        '[Desktop Entry]\nType=Application\nExec=foo "open\n',
        "[Desktop Entry]\nType=Application\nno equals sign\nExec=foo\n",
        "[Desktop Entry]\nType=Application\nExec[de]=foo\n",
        "[Desktop Entry]\nType=Application\n[Desktop Action x]\nExec=foo\n",
    ],
)
def test_a_file_of_another_form_is_passed_over_and_the_rest_is_read(index: Index, text: str) -> None:
    found = index({"foo.desktop": text, "pidgin.desktop": PIDGIN})
    assert _owner(found, "/usr/bin/foo") is None
    assert _owner(found, "/usr/bin/pidgin") == "pidgin"


def test_what_is_too_large_not_utf_8_or_no_file_is_passed_over(index: Index, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "large.desktop").write_text(_entry("large", "#" * desktop_entries.FILE_LIMIT_BYTES))
    (share / "latin.desktop").write_bytes(_entry("latin", "Name=caf\xe9").encode("latin-1"))
    (share / "folder.desktop").mkdir()
    (share / "gone.desktop").symlink_to(share / "nowhere")
    os.mkfifo(share / "pipe.desktop")  # opening it would wait for ever
    found = index({"pidgin.desktop": PIDGIN})
    assert [_owner(found, f"/usr/bin/{name}") for name in ("large", "latin", "pidgin")] == [
        None,
        None,
        "pidgin",
    ]


def test_words_are_read_as_the_specification_has_them() -> None:
    def command(exec_line: str) -> tuple[str, ...]:
        entry = parse(_entry(exec_line), "foo", lambda _name: None)
        assert entry is not None
        return entry.command

    assert command("foo --bar %f %U --title=%c") == ("foo", "--bar", "--title=")
    assert command('"/opt/My App/foo" --at 100%%') == ("/opt/My App/foo", "--at", "100%")
    assert command(r'foo "a \\\\ b"') == ("foo", r"a \ b")
    assert command(r"foo\s--bar") == ("foo", "--bar")
    assert command("foo -- %u") == ("foo",)
    assert command("foo %%f") == ("foo", "%f")


def test_a_changed_folder_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    share = tmp_path / "share"
    (share / "below").mkdir(parents=True)
    located: list[str] = []

    def locate(name: str) -> None:
        located.append(name)

    index = DesktopIndex([share, tmp_path / "later"], locate)
    (share / "pidgin.desktop").write_text(PIDGIN)
    assert _owner(index, "/usr/bin/pidgin") == "pidgin"
    asked = len(located)
    assert _owner(index, "/usr/bin/pidgin") == "pidgin"
    assert len(located) == asked, "nothing changed, nothing may be read"

    for folder in (share, share / "below", tmp_path / "later"):
        folder.mkdir(exist_ok=True)
        (folder / "foo.desktop").write_text(_entry("foo"))
        os.utime(folder, ns=(1, 1))  # two changes within one tick of the file system's clock
        assert _owner(index, "/usr/bin/foo") is not None
        (folder / "foo.desktop").unlink()
        os.utime(folder, ns=(2, 2))
        assert _owner(index, "/usr/bin/foo") is None


def test_a_replaced_executable_still_belongs_to_its_entry(index: Index) -> None:
    assert _owner(index({"pidgin.desktop": PIDGIN}), "/usr/bin/pidgin (deleted)") == "pidgin"


def test_where_the_executable_may_not_be_read_the_command_line_tells(index: Index) -> None:
    found = index({"pidgin.desktop": PIDGIN})
    assert _owner(found, None, "/usr/bin/pidgin") == "pidgin"
    assert _owner(found, None) is None
    assert _owner(found, "") is None


def test_the_standard_folders_come_from_the_environment_and_the_home() -> None:
    home = Path("/home/ada")
    assert standard_folders({}, home) == (
        Path("/home/ada/.local/share/applications"),
        Path("/usr/local/share/applications"),
        Path("/usr/share/applications"),
        Path("/home/ada/.local/share/flatpak/exports/share/applications"),
        Path("/var/lib/flatpak/exports/share/applications"),
        Path("/var/lib/snapd/desktop/applications"),
    )
    told = standard_folders({"XDG_DATA_HOME": "/data", "XDG_DATA_DIRS": "/a:relative::/usr/share:/a"}, home)
    assert told[:3] == (Path("/data/applications"), Path("/a/applications"), Path("/usr/share/applications"))
    assert len(told) == 6


def test_programs_are_located_on_the_path_and_behind_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real"
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    (tmp_path / "link").symlink_to(real)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert locate_program("link") == str(real.resolve())
    assert locate_program("nowhere") is None


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "[Desktop Entry]\n",
                "Type=Application\n",
                "Exec=",
                '"',
                "\\",
                "%",
                "f",
                "\n",
                " ",
                "env ",
                "flatpak run ",
                "A=B ",
                "TryExec=x",
                "Categories=;;",
                "xterm -e ",
            ]
        ),
        max_size=20,
    ).map("".join)
)
def test_any_text_is_an_entry_or_is_refused_in_one_way(text: str) -> None:
    try:
        entry = parse(text, "foo", lambda name: name)
    except ValueError:
        return
    assert entry is None or entry.command[0]
