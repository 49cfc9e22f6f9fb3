"""Opening for work: what the policy says to it, by which program it is done, what that program sees."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue import load
from agent.errors import StateError
from agent.launching import menu_entry, sandbox
from agent.launching.choices import choices
from agent.launching.menu_entry import Menu
from agent.launching.permission import permission
from agent.launching.programs import Opening, Startable, command_of, opening
from agent.launching.work_profile import WorkProfile, prepare, variables_of, view_of_config
from agent.profiles.instances import instance_of
from agent.sensing.desktop_files import parse as parse_entry
from contract.facts import Platform, ProcessFacts
from contract.judge import Circumstances, Subject, Verdict, judge
from contract.local import WorkAnswer
from contract.matching import Matcher
from contract.policy import ChannelRule, Stance
from tests.fakes.device import policy

CATALOGUE = load()
MATCHER = Matcher(CATALOGUE)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FOLDER = "/home/x/.local/share/decorum/work/telegram/data"


def _of(program: str, *more: str, **facts: Any) -> Startable:
    exe = None if facts else f"/usr/bin/{program}"
    return Startable(
        facts=ProcessFacts(platform="linux", exe=exe, **facts), command=(program, *more), icon=program
    )


BROWSER, FIREFOX = _of("chromium"), _of("firefox")
TELEGRAM = _of("telegram-desktop")
FLATPAK = Startable(
    facts=ProcessFacts(platform="linux", flatpak_id="org.telegram.desktop"),
    command=("/usr/bin/flatpak", "run", "--branch=stable", "org.telegram.desktop", "@@u", "@@"),
)
SNAP = Startable(
    facts=ProcessFacts(platform="linux", snap="telegram-desktop"), command=("/snap/bin/telegram-desktop",)
)

SNAP_BROWSER = Startable(
    facts=ProcessFacts(platform="linux", snap="chromium"), command=("/snap/bin/chromium",)
)


def _opening(messenger: str, *installed: Startable, **more: Any) -> Opening | None:
    entry = CATALOGUE.messengers[messenger]
    return opening(messenger, entry, installed, MATCHER.match, "linux", FOLDER, **more)


def _permission(messenger: str, stance: Stance, **changes: Any) -> WorkAnswer:
    rule = ChannelRule(id="one", messenger=messenger, profile="work", stance=stance)
    in_force = msgspec.structs.replace(policy(), channels=(rule,), **changes)

    def judged(subject: Subject) -> Verdict:
        return judge(subject, in_force, Circumstances(at=NOW, ownership="company"))

    return permission(messenger, CATALOGUE.name_of(messenger), in_force, judged)


def test_without_a_policy_everything_may_be_opened() -> None:
    def judged(subject: Subject) -> Verdict:
        return judge(subject, None, Circumstances(at=NOW, ownership="company"))

    assert permission("telegram", "Telegram", None, judged).opens == ("telegram",)


@pytest.mark.parametrize("stance", ["banned", "personal_only"])
def test_what_is_not_for_work_gives_way_to_what_the_policy_offers(stance: Stance) -> None:
    answer = _permission("telegram", stance, use_instead=("leapxpert", "telegram", "slack"))
    assert answer.opens == ("leapxpert", "slack")
    assert answer.sentence.startswith("Telegram ")
    assert answer.remedy == f"Ask {policy().contacts.approvals} for an exemption."
    assert _permission("telegram", stance, use_instead=()).opens == ()


def test_an_uncaptured_channel_gives_way_only_where_work_goes_through_a_platform() -> None:
    uncaptured: dict[str, Any] = {"capture_required": True, "use_instead": ("leapxpert",)}
    assert _permission("telegram", "approved", model="restrict", **uncaptured).opens == ("telegram",)
    assert _permission("telegram", "approved", model="orchestrate", **uncaptured).opens == ("leapxpert",)
    alone = uncaptured | {"use_instead": ()}
    assert _permission("telegram", "approved", model="orchestrate", **alone).opens == ("telegram",)
    assert _permission("leapxpert", "approved", model="orchestrate", **uncaptured).opens == ("leapxpert",)


def test_choices_are_what_is_to_be_used_then_what_is_installed_and_allowed() -> None:
    def answer(messenger: str) -> WorkAnswer:
        opens = () if messenger == "signal" else (messenger,)
        return WorkAnswer(opens=opens, sentence="", remedy="")

    offered = msgspec.structs.replace(policy(), use_instead=("leapxpert", "unlisted:acme"))
    installed = ("telegram", "signal", "pidgin", "iptux", "unlisted:x")
    names = [one.name for one in choices(installed, CATALOGUE, offered, answer, "linux")]
    assert names == ["LeapXpert", "Pidgin", "Telegram"]
    assert choices(installed, CATALOGUE, None, answer, "linux") == ()


def test_its_own_application_comes_before_its_page() -> None:
    found = _opening("telegram", BROWSER, FLATPAK, TELEGRAM)
    assert found is not None
    assert (found.kind, found.command, found.icon) == ("program", ("telegram-desktop",), "telegram-desktop")
    assert found.apart == ("-workdir", FOLDER)
    assert command_of(found, variables_of("telegram"), "/f") == ("telegram-desktop", "-workdir", FOLDER)


def test_a_flatpak_is_let_into_the_folder_and_told_the_mark() -> None:
    found = _opening("telegram", FLATPAK)
    assert found is not None
    assert command_of(found, variables_of("telegram"), "/f") == (
        "/usr/bin/flatpak",
        "run",
        "--filesystem=/f:create",
        "--env=DECORUM_WORK=telegram",
        "--branch=stable",
        "org.telegram.desktop",
        "-workdir",
        FOLDER,
    )


def test_a_bundle_is_opened_anew_with_the_mark() -> None:
    bundle = Startable(
        facts=ProcessFacts(
            platform="macos",
            exe="/Applications/Signal.app/Contents/MacOS/Signal",
            bundle_id="org.whispersystems.signal-desktop",
        ),
        command=("/Applications/Signal.app",),
    )
    found = opening("signal", CATALOGUE.messengers["signal"], [bundle], MATCHER.match, "macos", "/d")
    assert found is not None
    told = command_of(found, variables_of("signal"), "/f")
    assert told == (
        *("open", "-n", "--env", "DECORUM_WORK=signal", "-a", "/Applications/Signal.app"),
        *("--args", "--user-data-dir=/d"),
    )


def test_a_page_is_opened_by_a_browser_s_bundle_with_the_mark() -> None:
    chrome = Startable(
        facts=ProcessFacts(platform="macos", bundle_id="com.google.Chrome"),
        command=("/Applications/Google Chrome.app",),
    )
    entry = CATALOGUE.messengers["whatsapp"]
    found = opening("whatsapp", entry, [chrome], MATCHER.match, "macos", "/d")
    assert found is not None
    told = command_of(found, variables_of("whatsapp"), "/f")
    assert told[:7] == ("open", "-n", "--env", "DECORUM_WORK=whatsapp", "-a", *chrome.command, "--args")
    assert told[7:] == found.apart


@pytest.mark.parametrize(
    ("messenger", "installed"),
    [
        ("whatsapp", (SNAP_BROWSER,)),  # a snap of a browser does, too
        ("telegram", (SNAP,)),  # a snap keeps its data where snapd says
        ("iptux", (_of("iptux"),)),  # nobody knows how to keep its data apart
        ("telegram", (_of("whatsapp-for-linux"),)),
        ("mattermost", (BROWSER,)),  # its page is at each customer's own host
        ("telegram", ()),
        ("discord", (_of("discord-screenaudio"),)),  # an unofficial client takes words of its own
    ],
)
def test_no_way_is_none(messenger: str, installed: tuple[Startable, ...]) -> None:
    assert _opening(messenger, *installed) is None


def test_where_something_else_keeps_it_apart_any_application_will_do() -> None:
    found = _opening("iptux", _of("iptux"), at_any_rate=True)
    assert found is not None
    assert (found.command, found.apart) == (("iptux",), ())


def test_a_program_s_own_options_are_left_out_and_a_script_stays() -> None:
    existing = _opening("hexchat", _of("hexchat", "--existing"))
    assert existing is not None
    assert existing.command == ("hexchat",)


def test_a_page_is_opened_in_a_profile_of_its_own_and_chromium_comes_before_firefox() -> None:
    found = _opening("whatsapp", FIREFOX, BROWSER)
    assert found is not None
    assert (found.kind, found.icon) == ("chromium", "")
    assert found.apart[0] == f"--user-data-dir={FOLDER}"
    assert found.apart[-1] == "--app=https://web.whatsapp.com"
    found = _opening("whatsapp", FIREFOX, _of("chromium", "--app=https://mail.example.com"))
    assert found is not None
    assert found.apart == ("--new-instance", "--profile", FOLDER, "https://web.whatsapp.com")


@pytest.mark.parametrize(
    ("messenger", "platform", "words"),
    [
        (messenger, platform, words)
        for messenger, entry in CATALOGUE.messengers.items()
        for platform, _, words in entry.apart
    ],
)
def test_the_agent_reads_the_folder_in_every_way_of_the_catalogue(
    messenger: str, platform: Platform, words: tuple[str, ...]
) -> None:
    entry = CATALOGUE.messengers[messenger]
    program = next(one.value for one in entry.seen if (one.platform, one.kind) == (platform, "executable"))
    apart = entry.apart_on(platform, "/w")
    assert apart is not None
    assert instance_of((program.removesuffix(".exe"), *apart)).folder == "/w"
    assert words


def test_folders_are_nobody_else_s_and_chromium_is_told_where_to_save(tmp_path: Path) -> None:
    profile = WorkProfile(tmp_path / "work" / "whatsapp")
    prepare(profile, "chromium")
    prepare(profile, "chromium")
    assert stat.S_IMODE(profile.data.stat().st_mode) == 0o700
    preferences = profile.data / "Default/Preferences"
    assert json.loads(preferences.read_text())["savefile"]["default_directory"] == str(profile.downloads)
    preferences.write_text("{}")
    prepare(profile, "chromium")
    assert preferences.read_text() == "{}", "what the browser has made of it stays"


def test_firefox_is_told_where_to_save(tmp_path: Path) -> None:
    profile = WorkProfile(tmp_path / "work")
    prepare(profile, "firefox")
    assert (
        f'user_pref("browser.download.dir", "{profile.downloads}");' in (profile.data / "user.js").read_text()
    )


def test_a_folder_that_cannot_be_made_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    with pytest.raises(StateError, match="cannot be made") as caught:
        prepare(WorkProfile(tmp_path / "work" / "x"), "program")
    assert caught.value.remedy


def test_the_configuration_is_the_person_s_own_but_for_downloads_and_the_messenger(tmp_path: Path) -> None:
    own, profile = tmp_path / "config", WorkProfile(tmp_path / "work")
    prepare(profile, "program")
    for name in ("gtk-3.0", "Signal", "mimeapps.list"):
        (own / name).mkdir(parents=True)
    (own / "user-dirs.dirs").write_text('XDG_DESKTOP_DIR="$HOME/Desk"\nXDG_DOWNLOAD_DIR="$HOME/Downloads"\n')
    view_of_config(profile, own, frozenset({"signal"}))
    assert {one.name for one in profile.config.iterdir()} == {"gtk-3.0", "mimeapps.list", "user-dirs.dirs"}
    assert (profile.config / "gtk-3.0").resolve() == own / "gtk-3.0"
    assert (profile.config / "user-dirs.dirs").read_text() == (
        f'XDG_DESKTOP_DIR="$HOME/Desk"\nXDG_DOWNLOAD_DIR="{profile.downloads}"\n'
    )
    (own / "gtk-3.0").rmdir()
    (own / "new").mkdir()
    (profile.config / "its-own").mkdir()
    view_of_config(profile, own, frozenset({"signal"}))
    names = {one.name for one in profile.config.iterdir()}
    assert names == {"new", "mimeapps.list", "user-dirs.dirs", "its-own"}


def test_a_person_without_any_configuration_has_one_file(tmp_path: Path) -> None:
    profile = WorkProfile(tmp_path / "work")
    prepare(profile, "program")
    view_of_config(profile, tmp_path / "none", frozenset())
    assert [one.name for one in profile.config.iterdir()] == ["user-dirs.dirs"]


def test_in_the_sandbox_another_home_stands_in_the_home_s_place() -> None:
    profile, home = WorkProfile(Path("/home/x/w/telegram")), Path("/home/x")
    words = sandbox.for_work(
        ("telegram",), home, profile, [Path("/home/x/.Xauthority"), Path("/usr/bin"), home]
    )
    assert words[:10] == (
        *("bwrap", "--dev-bind", "/", "/"),
        *("--bind", "/home/x/w/telegram/home", "/home/x"),
        *("--bind", "/home/x/w/telegram/data", "/home/x/w/telegram/data"),
    )
    assert "/home/x/.Xauthority" in words
    assert "/usr/bin" not in words
    assert words[-2:] == ("--", "telegram")
    assert sandbox.for_private_use(("a", "b"), Path("/w"))[-6:] == ("/", "--tmpfs", "/w", "--", "a", "b")


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="`$", codec="utf-8"),
            min_size=1,
        ),
        min_size=1,
    )
)
def test_an_entry_says_what_it_was_told(words: list[str]) -> None:
    text = menu_entry.entry_of("Telegram", ("/usr/bin/x", *words), "icon")
    entry = parse_entry(text, "x", lambda _: None)
    assert entry is not None
    assert entry.command == ("/usr/bin/x", *(word for word in words if word != "--"))
    assert (entry.name, entry.icon) == ("Telegram (work)", "icon")


def test_an_entry_that_opens_another_for_work_is_no_application() -> None:
    text = menu_entry.entry_of("Telegram", ("/opt/decorum/decorum", "open", "--work", "telegram"), "icon")
    assert parse_entry(text, "x", lambda _: None) is None


def test_entry_and_icon_are_placed_once_and_taken_away_again(tmp_path: Path) -> None:
    menu = Menu(tmp_path)
    for _ in range(2):
        menu_entry.place(menu, "telegram", "Telegram", ("decorum", "open", "--work", "telegram"), None)
    icon = menu.icons / "decorum-work-telegram.svg"
    assert ">T</text>" in icon.read_text()
    (menu.entries / "other.desktop").write_text("")
    menu_entry.remove_all(menu)
    assert [one.name for one in menu.entries.iterdir()] == ["other.desktop"]
    assert not icon.exists()


def test_a_messenger_s_own_icon_is_found_by_name_and_by_file_and_one_too_large_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "icons/hicolor/128x128/apps"
    folder.mkdir(parents=True)
    (folder / "chat.png").write_bytes(b"png")
    (folder / "huge.png").write_bytes(b"x" * (menu_entry.ICON_LIMIT_BYTES + 1))
    environ = {"XDG_DATA_HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path)}
    assert menu_entry.picture_of("chat", environ, tmp_path) == ("image/png", b"png")
    assert menu_entry.picture_of(str(folder / "chat.png"), environ, tmp_path) == ("image/png", b"png")
    for none in ("", "huge", "../chat", "missing", str(folder / "missing.png")):
        assert menu_entry.picture_of(none, environ, tmp_path) is None
    assert "data:image/png;base64,cG5n" in menu_entry.badged("Chat", ("image/png", b"png"))
