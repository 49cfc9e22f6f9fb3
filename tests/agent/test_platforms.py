"""What follows from facts of Windows and macOS, decided by pure functions and so tested on any system."""

import os
import plistlib
import struct
from pathlib import Path

import pytest

from agent.folders import Folders, UserFolders, user_folders_on
from agent.localapi.peer import Peer, peer_of_sid, peer_of_xucred, role_of
from agent.sensing.app_bundles import (
    FILE_LIMIT_BYTES,
    SCHEMES_AT_MOST,
    Bundle,
    BundleIndex,
    Info,
    info_of,
)
from agent.sensing.macos_source import MacosSource
from agent.sensing.process_source import GoneError, Image, ProcessKey, Reading
from agent.sensing.psutil_source import PsutilSource
from agent.sensing.windows_applications import UNINSTALL, Installed, WindowsApplications, program_of
from agent.sensing.windows_descriptions import WindowsDescriptions
from agent.sensing.windows_source import Asked, WindowsSource
from contract import access
from contract.catalogue import Catalogue
from contract.facts import ProcessFacts
from contract.matching import Matcher
from contract.places import PIPES, places_on, sockets_to_try, trusted_owner, user_socket
from contract.users import ADMINISTRATORS_SID, SYSTEM_SID, is_person_sid, number_of_sid

ADA, BOB = "S-1-5-21-1004336348-1177238915-682003330-1001", "S-1-5-21-1004336348-1177238915-682003330-1002"
ENTRA = "S-1-12-1-111111111-222222222-333333333-444444444"


def test_users_of_windows_have_numbers_that_fit_a_database_and_the_system_is_root() -> None:
    numbers = {number_of_sid(sid) for sid in (ADA, BOB, ENTRA, ADMINISTRATORS_SID)}
    assert len(numbers) == 4
    assert all(0 < number < 2**63 for number in numbers)
    assert number_of_sid(SYSTEM_SID) == 0


@pytest.mark.parametrize("text", ["", "S-1-5-18 ", "s-1-5-18", "S-1-5", "VM\\root", "S-1-5-18\n"])
def test_what_is_no_sid_gets_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="no SID"):
        number_of_sid(text)


@pytest.mark.parametrize(
    ("sid", "is_person"),
    # Microsoft, "Security identifiers": well-known RIDs and "Well-known SID structures".
    [
        (ADA, True),
        (ENTRA, True),
        ("S-1-5-21-1-2-3-500", True),
        ("S-1-5-21-1-2-3-501", False),  # Guest
        ("S-1-5-21-1-2-3-513", False),  # Domain Users
        ("S-1-5-19", False),
        ("S-1-5-80-1-2-3-4-5", False),  # a service
        ("S-1-5-32-544", False),
    ],
)
def test_a_sid_tells_a_person_from_a_service(sid: str, *, is_person: bool) -> None:
    assert is_person_sid(sid) is is_person


def test_roles_follow_from_a_windows_token() -> None:
    own = number_of_sid(ADA)
    other = peer_of_sid(BOB, is_administrator=False)
    assert role_of(peer_of_sid(ADA, is_administrator=False), "user", own) == "owner"
    assert role_of(other, "user", own) == "stranger"
    assert role_of(other, "system", 0) == "person"
    assert role_of(peer_of_sid(BOB, is_administrator=True), "system", 0) == "owner"
    assert role_of(peer_of_sid("S-1-5-19", is_administrator=False), "system", 0) == "stranger"


def test_macos_tells_the_user_in_an_xucred() -> None:
    # <sys/ucred.h>: u_int cr_version; uid_t cr_uid; short cr_ngroups; gid_t cr_groups[16].
    told = struct.pack("=IIhxx16I", 0, 501, 2, 20, 12, *[0] * 14)
    assert len(told) == 76
    assert peer_of_xucred(told) == Peer(501)
    assert peer_of_xucred(b"\1" + told[1:]) == Peer(None)
    with pytest.raises(struct.error):
        peer_of_xucred(told[:20])


def test_a_pipe_lets_others_ask_and_never_listen() -> None:
    create_instance = 0x4  # FILE_CREATE_PIPE_INSTANCE, which is FILE_APPEND_DATA
    agents = {ADA, SYSTEM_SID}
    assert access.others_in(access.pipe(ADA, "user"), agents) == ()
    knocking = access.others_in(access.pipe(ADA, "system"), agents)
    assert knocking == (ADMINISTRATORS_SID, access.SHORT_NAMES["IU"])
    assert access.others_in(access.pipe(ADA, "system"), agents, create_instance) == ()
    assert access.owner_in(access.pipe(ADA, "system")) == ADA
    assert access.KNOCK & create_instance == 0


@pytest.mark.parametrize(
    ("sddl", "others"),
    [
        (f"O:SYD:PAI(A;;FA;;;SY)(A;;FA;;;{ADA})", ()),
        (f"O:SYD:(A;;FR;;;WD)(A;;FA;;;{ADA})", ("S-1-1-0",)),
        (f"O:SYD:(D;;FA;;;WD)(A;OICIID;0x1200a9;;;{BOB})", (BOB,)),
        ("O:SYD:P", ()),
    ],
)
def test_who_else_is_let_in_is_read_from_a_list(sddl: str, others: tuple[str, ...]) -> None:
    assert access.others_in(sddl, {ADA, SYSTEM_SID}) == others


@pytest.mark.parametrize("sddl", ["", "O:SY", "O:SYD:NO_ACCESS_CONTROL", "nonsense"])
def test_a_file_without_a_list_is_everybodys(sddl: str) -> None:
    with pytest.raises(ValueError, match="grants everything"):
        access.others_in(sddl, {ADA})


def test_each_system_has_its_places() -> None:
    assert places_on("linux").state == "/var/lib/decorum"
    assert places_on("macos").socket == "/var/run/decorum/agent.sock"
    assert places_on("macos").settings == "/Library/Application Support/Decorum/settings.toml"
    assert places_on("windows", r"D:\Data").state == r"D:\Data\Decorum\State"
    assert sockets_to_try({}, 255, "windows") == (f"{PIPES}decorum-agent", f"{PIPES}decorum-agent-ff")
    assert user_socket({"HOME": "/Users/ada"}, 501, "macos").startswith("/Users/ada/Library/")


def test_no_settings_come_from_a_folder_that_anybody_may_make_on_windows() -> None:
    assert places_on("windows").settings is None


def test_a_users_own_agent_keeps_its_things_where_the_system_keeps_a_users() -> None:
    own = UserFolders(data=Path("/data"), state=Path("/state"), config=Path("/config"))
    assert user_folders_on("linux", own) == Folders(Path("/state"), Path("/config/settings.toml"))
    for system in ("macos", "windows"):
        assert user_folders_on(system, own) == Folders(Path("/data/State"), Path("/data/settings.toml"))


ATTACKERS = f"O:{BOB}D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{BOB})"
"""A folder in `%ProgramData%` that an ordinary user made before the agent came, as Windows gives its list."""
MADE_BY_AN_INSTALLER = "O:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)"
"""What a folder inherits from the list that `%ProgramData%` has on Windows Server 2025: users may read it, and add to it."""


def test_a_folder_that_another_user_made_first_is_refused() -> None:
    assert access.complaint(ATTACKERS, SYSTEM_SID, access.EVERY_RIGHT) == f"belongs to {BOB}"
    assert access.complaint(ATTACKERS, SYSTEM_SID, access.REPLACING) == f"belongs to {BOB}"
    assert access.complaint(ATTACKERS, BOB, access.EVERY_RIGHT) is None


def test_a_folder_that_others_may_look_into_is_refused_for_state_and_good_enough_around_it() -> None:
    told = access.complaint(MADE_BY_AN_INSTALLER, SYSTEM_SID, access.EVERY_RIGHT)
    assert told is not None
    assert access.SHORT_NAMES["BU"] in told
    assert access.complaint(MADE_BY_AN_INSTALLER, SYSTEM_SID, access.REPLACING) is None


@pytest.mark.parametrize("right", ["FA", "0x40", "SD", "WD", "WO", "GA"])
def test_who_could_put_another_folder_in_its_place_is_told(right: str) -> None:
    sddl = f"O:SYD:P(A;OICI;FA;;;SY)(A;;{right};;;{BOB})"
    assert access.complaint(sddl, SYSTEM_SID, access.REPLACING) == f"may be replaced by {BOB}"


@pytest.mark.parametrize("sddl", ["D:P(A;;FA;;;SY)", "nonsense", "O:SYD:NO_ACCESS_CONTROL"])
def test_a_folder_without_owner_or_list_is_refused(sddl: str) -> None:
    assert access.complaint(sddl, SYSTEM_SID, access.REPLACING) is not None


@pytest.mark.parametrize("own", [ADA, SYSTEM_SID])
@pytest.mark.parametrize("keeper", [ADA, ADMINISTRATORS_SID])
def test_what_the_agent_makes_it_takes_again(keeper: str, own: str) -> None:
    made = access.private_folder(keeper)
    is_ones_own = keeper in {own, ADMINISTRATORS_SID}
    assert (access.complaint(made, own, access.EVERY_RIGHT) is None) is is_ones_own
    assert access.others_in(access.private_file(keeper), {keeper, SYSTEM_SID}) == ()


def test_the_systems_pipe_is_believed_when_the_system_owns_it_in_any_case_of_letters() -> None:
    ada, systems = number_of_sid(ADA), places_on("windows").socket
    assert trusted_owner(systems, 0, ada, None, "windows")
    assert not trusted_owner(systems.upper(), ada, ada, None, "windows")
    assert trusted_owner(user_socket({}, ada, "windows"), ada, ada, None, "windows")
    assert not trusted_owner(user_socket({}, ada, "windows"), number_of_sid(BOB), ada, None, "windows")


def an_app(folder: Path, identifier: object) -> str:
    contents = folder / "Contents"
    (contents / "MacOS").mkdir(parents=True)
    (contents / "Info.plist").write_bytes(plistlib.dumps({"CFBundleIdentifier": identifier}))
    return str(contents / "MacOS" / "program")


def test_a_helper_belongs_to_the_application_around_it(tmp_path: Path) -> None:
    exe = an_app(tmp_path / "Slack.app", "com.tinyspeck.slackmacgap")
    helper = an_app(
        tmp_path / "Slack.app/Contents/Frameworks/Slack Helper.app", "com.tinyspeck.slackmacgap.helper"
    )
    index = BundleIndex()
    assert index.for_process(exe) == Bundle("Slack.app", "com.tinyspeck.slackmacgap")
    assert index.for_process(helper) == Bundle("Slack.app", "com.tinyspeck.slackmacgap.helper")
    assert index.for_process("/usr/bin/true") is None


@pytest.mark.parametrize(
    "content", [b"", b"<plist>", b"bplist00" + b"\xff" * 40, b"x" * (FILE_LIMIT_BYTES + 1), b"<plist/>"]
)
def test_a_list_that_is_damaged_or_endless_gives_no_id(tmp_path: Path, content: bytes) -> None:
    exe = an_app(tmp_path / "Odd.app", "unused")
    (tmp_path / "Odd.app/Contents/Info.plist").write_bytes(content)
    assert BundleIndex().for_process(exe) == Bundle("Odd.app", None)


@pytest.mark.parametrize("identifier", [7, "", "a\nb", "x" * 300])
def test_an_id_that_is_none_is_not_taken(tmp_path: Path, identifier: object) -> None:
    found = BundleIndex().for_process(an_app(tmp_path / "Odd.app", identifier))
    assert found == Bundle("Odd.app", None)


def test_a_list_that_changed_is_read_again(tmp_path: Path) -> None:
    exe, index = an_app(tmp_path / "A.app", "org.example.one"), BundleIndex()
    assert index.for_process(exe) == Bundle("A.app", "org.example.one")
    file = tmp_path / "A.app/Contents/Info.plist"
    changed = file.stat().st_mtime_ns
    file.write_bytes(plistlib.dumps({"CFBundleIdentifier": "org.example.two"}))
    os.utime(file, ns=(changed, changed + 1))
    assert index.for_process(exe) == Bundle("A.app", "org.example.two")


ADIUM: dict[str, object] = {
    "CFBundleIdentifier": "com.adiumX.adiumX",
    "LSApplicationCategoryType": "public.app-category.social-networking",
    "CFBundleURLTypes": [
        {"CFBundleURLName": "AIM URL", "CFBundleURLSchemes": ["aim"]},
        {"CFBundleURLName": "Jabber URL", "CFBundleURLSchemes": ["xmpp", "jabber"]},
        {"CFBundleURLName": "IRC Service URL", "CFBundleURLSchemes": ["irc"]},
    ],
}
"""Cut from Adium's own Info.plist, version 1.7hg."""


def test_what_an_application_of_macos_says_of_itself_holds_for_its_helpers(tmp_path: Path) -> None:
    exe = an_app(tmp_path / "Adium.app", "unused")
    (tmp_path / "Adium.app/Contents/Info.plist").write_bytes(plistlib.dumps(ADIUM))
    helper = an_app(tmp_path / "Adium.app/Contents/Frameworks/H.app", "com.adiumX.adiumX.helper.Renderer")
    index, unlisted = BundleIndex(), Matcher(Catalogue({}))
    keys = []
    for path in (exe, helper):
        bundle = index.for_process(path)
        assert bundle is not None
        assert bundle.app_category == "public.app-category.social-networking"
        assert bundle.url_schemes == ("aim", "xmpp", "jabber", "irc")
        match = unlisted.match(
            ProcessFacts(
                platform="macos",
                exe=path,
                bundle_id=bundle.bundle_id,
                app_bundle=bundle.app_bundle,
                app_category=bundle.app_category,
                url_schemes=bundle.url_schemes,
            )
        )
        assert match is not None
        keys.append((match.messenger, match.name))
    assert keys == [("unlisted:com.adiumx.adiumx", "adiumX")] * 2, "one application is one sighting"


def test_macos_facts_have_what_the_bundle_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exe = an_app(tmp_path / "Adium.app", "unused")
    (tmp_path / "Adium.app/Contents/Info.plist").write_bytes(plistlib.dumps(ADIUM))
    key = ProcessKey(7, 1.0)
    told = Reading(key, Image(exe, (exe,)), ProcessFacts(platform="macos", exe=exe))
    monkeypatch.setattr(PsutilSource, "read", lambda _self, _key: told)
    facts = MacosSource().read(key).facts
    assert (facts.app_bundle, facts.bundle_id) == ("Adium.app", "com.adiumX.adiumX")
    assert (facts.app_category, facts.url_schemes) == (
        "public.app-category.social-networking",
        ("aim", "xmpp", "jabber", "irc"),
    )


@pytest.mark.parametrize(
    "types",
    [
        7,
        "xmpp",
        ["xmpp"],
        [{}],
        [{"CFBundleURLSchemes": "xmpp"}],
        [{"CFBundleURLSchemes": [7, "", "a\nb", b"x"]}],
    ],
)
def test_url_types_of_another_form_are_left_out(types: object) -> None:
    assert info_of({"CFBundleURLTypes": types, "LSApplicationCategoryType": ["x"]}) == Info()
    many = {"CFBundleURLTypes": [{"CFBundleURLSchemes": [f"s{number}" for number in range(1_000)]}]}
    assert len(info_of(many).url_schemes) == SCHEMES_AT_MOST  # type: ignore[arg-type]  # a table as any other


class FakeWinReg:
    """A registry as a table of paths; it raises what `winreg` raises."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER, HKEY_CLASSES_ROOT = "HKLM", "HKCU", "HKCR"

    def __init__(self, keys: dict[str, dict[str, object]]) -> None:
        self.keys = keys
        self.changed = 1
        self.read: list[str] = []

    def OpenKey(self, key: str, sub_key: str) -> str:  # noqa: N802
        path = f"{key}\\{sub_key}".lower()
        if not any(kept.lower() == path or kept.lower().startswith(f"{path}\\") for kept in self.keys):
            raise FileNotFoundError(path)
        return path

    def EnumKey(self, key: str, index: int) -> str:  # noqa: N802
        below = sorted(
            {
                kept[len(key) + 1 :].partition("\\")[0]
                for kept in self.keys
                if kept.lower().startswith(f"{key}\\")
            }
        )
        if index >= len(below):
            raise OSError(259, "No more data is available")
        return below[index]

    def QueryInfoKey(self, key: str) -> tuple[int, int, int]:  # noqa: N802
        return 0, 0, self.changed

    def QueryValueEx(self, key: str, name: str) -> tuple[object, int]:  # noqa: N802
        self.read.append(key)
        values = next((values for kept, values in self.keys.items() if kept.lower() == key), {})
        if name not in values:
            raise FileNotFoundError(name)
        return values[name], 1


def _refused(_: str) -> bytes:
    raise PermissionError


SAYING_NOTHING = WindowsDescriptions(_refused, _refused)
"""Programs that may not be asked what they say of themselves."""
FOO = r"C:\Program Files\Foo Chat\FooChat.exe"
REGISTRY: dict[str, dict[str, object]] = {
    r"HKCR\xmpp": {"": "URL:XMPP Protocol", "URL Protocol": ""},
    r"HKCR\xmpp\shell\open\command": {"": f'"{FOO}" "%1"'},
    r"HKCR\im": {"": "no URL Protocol"},
    r"HKCR\im\shell\open\command": {"": f'"{FOO}" "%1"'},
    r"HKCR\slack": {"URL Protocol": 7},
    rf"HKLM\{UNINSTALL[0]}\FooChat": {
        "DisplayName": "Foo Chat 1.2",
        "DisplayIcon": f"{FOO},0",
        "InstallLocation": "C:\\Program Files\\Foo Chat",
    },
    rf"HKCU\{UNINSTALL[0]}\Bar": {"DisplayName": "Bar", "InstallLocation": "C:\\Users\\ada\\Bar\\"},
    rf"HKLM\{UNINSTALL[1]}\Root": {"DisplayName": "Takes everything", "InstallLocation": "C:\\"},
    rf"HKLM\{UNINSTALL[1]}\Update": {"InstallLocation": r"C:\Program Files\Update"},
}
"""In the form of Microsoft's "Registering an Application to a URI Scheme" and "Uninstall Registry Key"."""


@pytest.mark.parametrize(
    ("exe", "installed"),
    [
        (FOO, Installed(("xmpp",), "Foo Chat 1.2")),
        (FOO.upper(), Installed(("xmpp",), "Foo Chat 1.2")),
        (r"C:\Users\ada\Bar\bar.exe", Installed((), "Bar")),
        (r"C:\Users\ada\Bar\deeper\bar.exe", Installed()),
        (r"C:\Users\ada\Bar\unins000.exe", Installed()),
        (r"C:\Users\ada\Bar\Update.exe", Installed()),
        (r"C:\anything.exe", Installed()),
        (r"C:\Program Files\Update\update.exe", Installed()),
        (r"C:\Program Files\Foo Chat\other.exe", Installed()),
    ],
)
def test_windows_tells_the_links_and_the_name_of_an_installed_program(exe: str, installed: Installed) -> None:
    assert WindowsApplications(FakeWinReg(REGISTRY)).of_program(exe) == installed


def test_an_unlisted_messenger_of_windows_is_known_by_the_links_it_opens() -> None:
    source = WindowsSource(
        Asked(lambda _: FOO, lambda _: None, lambda _: ADA),
        WindowsApplications(FakeWinReg(REGISTRY)),
        SAYING_NOTHING,
    )
    facts = source.read(source.key(os.getpid())).facts
    assert (facts.url_schemes, facts.uninstall_name) == (("xmpp",), "Foo Chat 1.2")
    match = Matcher(Catalogue({})).match(facts)
    assert match is not None
    assert (match.messenger, match.listed) == ("unlisted:foochat", False)


def test_the_registry_is_read_again_only_when_something_was_installed() -> None:
    registry = FakeWinReg(dict(REGISTRY))
    applications = WindowsApplications(registry)
    applications.of_program(FOO)
    read = len(registry.read)
    applications.of_program(r"C:\Windows\explorer.exe")
    assert len(registry.read) == read
    del registry.keys[r"HKCR\xmpp"]
    registry.changed = 2
    assert applications.of_program(FOO) == Installed((), "Foo Chat 1.2")


@pytest.mark.parametrize(
    "command", ["", '"', "rundll32 url.dll,X %1", '"C:\\a.exe', "chat.exe %1", '"%1"', '"C:\\a.dll"']
)
def test_a_command_of_another_kind_starts_no_program_of_its_own(command: str) -> None:
    assert program_of(command) in {None, "c:\\a.exe"}


def test_windows_facts_come_from_what_windows_was_asked() -> None:
    pid, exe = os.getpid(), r"C:\Program Files\WindowsApps\MSTeams_1.2_x64__8wekyb3d8bbwe\ms-teams.exe"
    source = WindowsSource(
        Asked(lambda _: exe, lambda _: "MSTeams_8wekyb3d8bbwe", lambda _: ADA),
        WindowsApplications(FakeWinReg({})),
        SAYING_NOTHING,
    )
    reading = source.read(source.key(pid))
    assert (reading.facts.name, reading.facts.package_family) == ("ms-teams.exe", "MSTeams_8wekyb3d8bbwe")
    assert source.uid(pid) == number_of_sid(ADA)


def test_what_windows_refuses_is_unknown_and_what_ended_is_gone() -> None:
    def refuse(_: int) -> str:
        raise PermissionError

    def ended(_: int) -> str:
        raise ProcessLookupError

    refused = WindowsSource(
        Asked(refuse, refuse, refuse), WindowsApplications(FakeWinReg({})), SAYING_NOTHING
    )
    key = refused.key(os.getpid())
    assert refused.read(key).facts.exe is None
    assert refused.uid(key.pid) == 0
    with pytest.raises(GoneError):
        WindowsSource(Asked(ended, refuse, refuse), WindowsApplications(FakeWinReg({})), SAYING_NOTHING).read(
            key
        )
    assert isinstance(refused, PsutilSource)
    assert isinstance(key, ProcessKey)
