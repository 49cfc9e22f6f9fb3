"""What is read to tell whose side a messenger is on, over made-up homes: the domain and nothing else, bounded, only the owner's own."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.profiles.signals import Instance, OsAccount, Signals
from agent.sensing.process_source import GoneError
from agent.sensing.signals import chromium_profiles, firefox_profiles
from agent.sensing.signals.account_domains import slack_domains_in
from agent.sensing.signals.interface import Asked
from agent.sensing.signals.linux_signals import LinuxSignals, installer_of
from agent.sensing.signals.macos_signals import MacosSignals
from agent.sensing.signals.small_files import read_small
from agent.sensing.signals.windows_facts import (
    account_of,
    is_deployed,
    is_managed,
    joined_domains,
    work_domains,
)
from agent.sensing.signals.windows_signals import WindowsSignals
from contract import wire
from contract.domains import normalised
from contract.sides import SIGNAL_NAMES, SignalName
from tests.fakes.process_source import FakeProcessSource

UID = os.getuid()
CHROMIUM, FIREFOX, SLACK, TELEGRAM = (
    "/usr/lib/chromium/chromium",
    "/usr/lib/firefox-esr/firefox-esr",
    "/usr/lib/slack/slack",
    "/usr/bin/telegram-desktop",
)
SOMEBODY = "jane.doe.private"


class Machine:
    """A made-up root folder, and processes that run there."""

    def __init__(self, root: Path) -> None:
        self.root, self.source = root, FakeProcessSource()
        self.linux = LinuxSignals(self.source, root)
        self.write("etc/passwd", f"daemon:x:1:1:daemon:/usr/sbin:/bin/sh\nx:x:{UID}:{UID}::/home/x:/bin/sh\n")

    def write(self, place: str, content: str | bytes) -> Path:
        """Write a file below the root."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def local_state(self, folder: str, **profiles: str) -> None:
        """Write a Chromium browser's list of profiles, each with its account; an empty one is signed in nowhere."""
        cache = {
            name.replace("_", " "): {"user_name": account, "gaia_name": SOMEBODY, "hosted_domain": ""}
            for name, account in profiles.items()
        }
        self.write(f"{folder}/Local State", json.dumps({"profile": {"info_cache": cache}, "other": [1]}))

    def asked(self, exe: str, *arguments: str, **changes: Any) -> Asked:
        """Start a program, and return what is asked of it."""
        uid = changes.pop("uid", UID)
        variables = {"HOME": "/home/x", "TOKEN": "secret"} | changes.pop("variables", {})
        pid = self.source.start(
            exe,
            uid=uid,
            cmdline=(exe, *arguments),
            variables=variables,
            folder=changes.pop("folder", "/home/x"),
        )
        reading = self.source.read(self.source.key(pid))
        messenger = changes.pop("messenger", "telegram")
        return Asked(reading=reading, uid=uid, ownership="personal", messenger=messenger, **changes)

    def told(self, exe: str, *arguments: str, **changes: Any) -> Signals:
        """Start a program, and return what Linux tells of it."""
        return self.linux.read(self.asked(exe, *arguments, **changes))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_marker_of_the_work_launcher_is_found_and_no_other_variable(machine: Machine) -> None:
    told = machine.told(TELEGRAM, variables={"DECORUM_WORK": "telegram"})
    assert told.marked_for == "telegram"
    assert "secret" not in repr(told)


def test_where_the_marker_may_not_be_read_the_work_profile_s_folder_tells_it(machine: Machine) -> None:
    folder = "/home/x/.local/share/decorum/work/whatsapp/data"
    told = machine.told(CHROMIUM, f"--user-data-dir={folder}", messenger="whatsapp", of_page=True)
    assert told.marked_for == "whatsapp"
    off = machine.told(CHROMIUM, f"--user-data-dir={folder}", off=frozenset({"launch_marker"}))
    assert off.marked_for is None


@pytest.mark.parametrize(
    ("words", "folder"),
    [
        (("-workdir", "/home/x/Work"), "/home/x/Work"),
        (("-workdir", "Work/../Play"), "/home/x/Play"),
        ((), None),
    ],
)
def test_a_folder_is_told_whole(machine: Machine, words: tuple[str, ...], folder: str | None) -> None:
    assert machine.told(TELEGRAM, *words).instance == Instance(folder)


def test_a_relative_folder_is_absent_where_it_is_not_known_from_where(machine: Machine) -> None:
    assert machine.told(TELEGRAM, "-workdir", "Work", folder=None).instance == Instance()


def test_the_home_is_the_accounts_own_and_the_datas_may_be_another(machine: Machine) -> None:
    told = machine.told(TELEGRAM, variables={"HOME": "/home/x/Work"})
    assert (told.home, told.data_home) == ("/home/x", "/home/x/Work")


def test_the_domain_of_a_browsers_only_profile_is_told_and_nothing_of_the_account(machine: Machine) -> None:
    machine.local_state("home/x/.config/chromium", Default=f"{SOMEBODY}@Example.com")
    told = machine.told(CHROMIUM, of_page=True)
    assert told.browser_domains == {"example.com"}
    assert not told.browser_has_others
    assert SOMEBODY not in repr(told)


def test_several_profiles_are_all_told_for_a_page_and_one_for_a_window_of_its_own(machine: Machine) -> None:
    machine.local_state(
        "home/x/.config/chromium", Default="a@example.com", Profile_1="b@gmail.com", Profile_2=""
    )
    page = machine.told(CHROMIUM, "--profile-directory=Default", of_page=True)
    assert page.browser_domains == {"example.com", "gmail.com"}
    assert page.browser_has_others
    window = machine.told(CHROMIUM, "--profile-directory=Profile 1", "--app=https://web.telegram.org")
    assert (window.browser_domains, window.browser_has_others) == (frozenset({"gmail.com"}), False)


EXTENSION, NUMBER = "a" * 32, "00112233445566aa"


@pytest.mark.parametrize(
    ("place", "size", "extension", "domains"),
    [
        ("Profile 1", 10, EXTENSION, {"example.com"}),
        ("Default", 10, EXTENSION, {"gmail.com"}),
        ("Elsewhere", 10, EXTENSION, {"example.com", "gmail.com"}),
        ("Profile 1", 10, None, {"example.com", "gmail.com"}),
        ("Profile 1", 10, "b" * 32, {"example.com", "gmail.com"}),
        ("Profile 1", chromium_profiles.STORE_BYTES, EXTENSION, {"example.com", "gmail.com"}),
    ],
)
def test_the_companys_own_extension_says_which_profile_a_page_is_in(
    machine: Machine, place: str, size: int, extension: str | None, domains: set[str]
) -> None:
    machine.local_state("home/x/.config/chromium", Default="a@gmail.com", Profile_1="b@example.com")
    store = f"home/x/.config/chromium/{place}/Local Extension Settings/{EXTENSION}"
    machine.write(f"{store}/000003.log", "x" * size + f'profile"{NUMBER}"')
    machine.write(f"{store}/LOCK", "")
    told = machine.told(CHROMIUM, of_page=True, browser_profile=NUMBER, web_extension=extension)
    assert told.browser_domains == domains
    assert machine.told(CHROMIUM, of_page=True, web_extension=extension).browser_domains == {
        "example.com",
        "gmail.com",
    }


def test_no_name_of_a_profile_leads_elsewhere(machine: Machine) -> None:
    machine.write(f"home/x/outside/Local Extension Settings/{EXTENSION}/1.log", NUMBER)
    cache = {"../../outside": {"user_name": "a@example.com"}, "P": {"user_name": "a@gmail.com"}}
    machine.write("home/x/.config/chromium/Local State", json.dumps({"profile": {"info_cache": cache}}))
    told = machine.told(CHROMIUM, of_page=True, browser_profile=NUMBER, web_extension=EXTENSION)
    assert len(told.browser_domains) == 2


def test_another_folder_has_a_list_of_its_own(machine: Machine) -> None:
    machine.local_state("home/x/.config/chromium", Default="a@gmail.com")
    machine.local_state("home/x/w", Default="a@example.com")
    assert machine.told(CHROMIUM, "--user-data-dir=/home/x/w", of_page=True).browser_domains == {
        "example.com"
    }


def test_the_domain_of_a_managed_account_is_its_organisations() -> None:
    told = b'{"profile":{"info_cache":{"Default":{"user_name":"a@alias.example","hosted_domain":"example.com"},"P":{"hosted_domain":"NO_HOSTED_DOMAIN","user_name":"a@gmail.com"}}}}'
    assert chromium_profiles.domains_in(told) == {"Default": "example.com", "P": "gmail.com"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"profile":[]}',
        b'{"profile":{"info_cache":{"a":1}}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_file_of_another_form_tells_nothing(content: bytes) -> None:
    assert chromium_profiles.domains_in(content) == {}
    assert slack_domains_in(content) == frozenset()


@pytest.mark.parametrize(
    "text", ["", "[", "[Profile0]\nName", "[Profile0]\nPath=%(x)s\nName=%", "=\n=", "\0"]
)
def test_a_list_of_firefox_of_another_form_names_no_profile(text: str) -> None:
    assert firefox_profiles.profile_in(text, "work", None) is None


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just("a@b.example"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["profile", "info_cache", "user_name", "hosted_domain", "workspaces", "domain", "url", "x"]
            ),
            inner,
        )
    ),
)


@given(DOCUMENTS, st.binary(max_size=60), st.text(max_size=60))
def test_whatever_stands_in_a_persons_file_nothing_is_raised_and_only_domains_come_out(
    document: Any, content: bytes, text: str
) -> None:
    for told in (json.dumps(document).encode(), content):
        found = {*chromium_profiles.domains_in(told).values(), *slack_domains_in(told)} - {None}
        assert all(normalised(one or "") == one for one in found)
    firefox_profiles.profile_in(text, None, None)
    firefox_profiles.profile_in(f"[Profile0]\n{text}", "work", "/x")


INI = "[Profile1]\nName=work\nIsRelative=1\nPath=abc.work\n[Profile0]\nName=home\nIsRelative=1\nPath=def.home\nDefault=1\n"


@pytest.mark.parametrize(
    ("words", "instance"),
    [
        ((), Instance("/home/x/.mozilla/firefox/def.home", "home")),
        (("-P", "work"), Instance("/home/x/.mozilla/firefox/abc.work", "work")),
        (
            ("--profile", "/home/x/.mozilla/firefox/abc.work"),
            Instance("/home/x/.mozilla/firefox/abc.work", "work"),
        ),
        (("--profile", "/home/x/elsewhere"), Instance("/home/x/elsewhere")),
    ],
)
def test_which_profile_a_firefox_runs_is_told_by_its_own_list(
    machine: Machine, words: tuple[str, ...], instance: Instance
) -> None:
    machine.write("home/x/.mozilla/firefox/profiles.ini", INI)
    assert machine.told(FIREFOX, *words, of_page=True).instance == instance


def test_workspaces_are_told_by_their_domains(machine: Machine) -> None:
    state = {"workspaces": {"T1": {"domain": "acme", "name": SOMEBODY, "url": "https://acme.slack.com/"}}}
    machine.write("home/x/.config/Slack/storage/root-state.json", json.dumps(state))
    told = machine.told(SLACK, messenger="slack")
    assert told.account_domains == {"acme.slack.com"}
    assert SOMEBODY not in repr(told)
    assert machine.told(CHROMIUM, messenger="slack", of_page=True).account_domains == frozenset()
    assert machine.told(TELEGRAM).account_domains == frozenset()


def test_a_workspace_elsewhere_is_none() -> None:
    told = (
        b'{"workspaces":{"T1":{"url":"https://example.com/"},"T2":{"url":"https://[/","domain":"b"},"T3":{}}}'
    )
    assert slack_domains_in(told) == {"b.slack.com"}


def test_an_account_of_the_machines_own_list_is_local_and_another_a_directorys(machine: Machine) -> None:
    machine.write("etc/krb5.conf", "[libdefaults]\n\tdefault_realm = CORP.EXAMPLE.COM\n")
    assert machine.told(TELEGRAM).os_account == OsAccount("local")
    assert machine.told(TELEGRAM, uid=200_017).os_account == OsAccount("directory", "corp.example.com")


def test_the_realm_of_winbind_counts_too(machine: Machine) -> None:
    machine.write("etc/samba/smb.conf", "[global]\n  realm = CORP.EXAMPLE.COM\n")
    assert machine.told(TELEGRAM, uid=200_017).os_account == OsAccount("directory", "corp.example.com")


@pytest.mark.parametrize("uid", [5, 60_001, 65_534, 100_005, 165_535])
def test_an_account_that_the_system_or_a_container_made_is_nobodys(machine: Machine, uid: int) -> None:
    machine.write("etc/krb5.conf", "default_realm = EXAMPLE.COM\n")
    machine.write("etc/subuid", "x:100000:65536\nbroken\n")
    assert machine.told(TELEGRAM, uid=uid).os_account is None


@pytest.mark.parametrize(
    ("exe", "place"),
    [
        (CHROMIUM, "etc/chromium/policies/managed/it.json"),
        ("/opt/google/chrome/chrome", "etc/opt/chrome/policies/managed/it.json"),
        (FIREFOX, "etc/firefox/policies/policies.json"),
    ],
)
def test_that_a_policy_holds_for_a_browser_is_told(machine: Machine, exe: str, place: str) -> None:
    assert not machine.told(exe, of_page=True).browser_is_managed
    machine.write(place, "{}")
    assert machine.told(exe, of_page=True).browser_is_managed
    assert not machine.told(TELEGRAM).browser_is_managed


def test_where_a_program_lies_says_who_put_it_there() -> None:
    assert installer_of("/home/x/Telegram/Telegram") == "person"
    assert installer_of("/opt/tg/tg") == "system"
    assert installer_of("/mnt/tg") is None
    assert installer_of(None) is None


def test_of_a_page_the_browsers_own_place_says_nothing(machine: Machine) -> None:
    told = machine.told("/home/x/chromium", of_page=True)
    assert (told.program, told.installer) == (None, None)


SWITCHES: dict[SignalName, Callable[[Signals], bool]] = {
    "launch_marker": lambda told: told.marked_for is None,
    "instance": lambda told: told.instance.name is None,
    "browser_profile": lambda told: not told.browser_domains,
    "accounts": lambda told: not told.account_domains,
    "browser_policy": lambda told: not told.browser_is_managed,
    "os_account": lambda told: told.os_account is None,
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_signal_that_is_switched_off_is_not_even_read(machine: Machine, name: SignalName) -> None:
    machine.local_state("home/x/.config/chromium", Default="a@example.com")
    machine.write("home/x/.mozilla/firefox/profiles.ini", INI)
    machine.write("etc/chromium/policies/managed/it.json", "{}")
    machine.write("home/x/.config/Slack/storage/root-state.json", '{"workspaces":{"T":{"domain":"acme"}}}')
    exe = {"instance": FIREFOX, "accounts": SLACK}.get(name, CHROMIUM)
    asked = {"variables": {"DECORUM_WORK": "slack"}, "messenger": "slack"}
    assert not SWITCHES[name](machine.told(exe, **asked))
    assert SWITCHES[name](machine.told(exe, **asked, off=frozenset({name})))


def test_files_that_may_not_be_read_are_absent(machine: Machine) -> None:
    machine.local_state("home/x/.config/chromium", Default="a@example.com")
    told = machine.told(CHROMIUM, uid=UID + 1, of_page=True, variables={"HOME": "/home/x"})
    assert told.browser_domains == frozenset(), "the file is not theirs"


def test_a_process_that_ends_meanwhile_is_gone(machine: Machine) -> None:
    asked = machine.asked(TELEGRAM)
    machine.source.end(asked.reading.key.pid)
    with pytest.raises(GoneError):
        machine.linux.read(asked)


def test_only_small_plain_files_of_their_owner_are_read(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"12345")
    assert read_small(plain, 5, UID) == b"12345"
    assert read_small(plain, 4) is None
    assert read_small(plain, 5, UID + 1) is None
    os.mkfifo(tmp_path / "pipe")
    assert read_small(tmp_path / "pipe", 5) is None, "and it does not wait for a writer"
    assert read_small(tmp_path, 5) is None
    assert read_small(tmp_path / "none", 5) is None
    assert read_small(Path(f"{tmp_path}/a\0b"), 5) is None


class FakeRegistry:
    """A registry in memory: values by key and name."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER = "HKLM", "HKCU"

    def __init__(self, *values: tuple[str, str, object]) -> None:
        self._values = {(place.lower(), name): value for place, name, value in values}

    def OpenKey(self, key: str, sub_key: str) -> str:  # noqa: N802 - its own name
        place = f"{key}\\{sub_key}".lower()
        if not any(known == place or known.startswith(place + "\\") for known, _ in self._values):
            raise FileNotFoundError(place)
        return place

    def EnumKey(self, key: str, index: int) -> str:  # noqa: N802 - its own name
        below = {
            known[len(key) + 1 :].split("\\")[0] for known, _ in self._values if known.startswith(key + "\\")
        }
        try:
            return sorted(below)[index]
        except IndexError as error:
            raise OSError("no more") from error

    def QueryValueEx(self, key: str, name: str) -> tuple[object, int]:  # noqa: N802 - its own name
        try:
            return self._values[key, name], 1
        except KeyError as error:
            raise FileNotFoundError(name) from error


HKLM, HKCU = "HKLM\\", "HKCU\\"
JOINED = HKLM + r"SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo\aa"
ADDED = HKCU + r"Software\Microsoft\Windows NT\CurrentVersion\WorkplaceJoin\JoinInfo\bb"
ENROLLED = HKLM + r"SOFTWARE\Microsoft\Enrollments\{cc}"
REGISTRY = FakeRegistry(
    (JOINED, "UserEmail", f"{SOMEBODY}@Corp.Example.com"),
    (ADDED, "UserEmail", f"{SOMEBODY}@example.org"),
    (ENROLLED, "UPN", f"{SOMEBODY}@example.net"),
    (ENROLLED, "ProviderID", "MS DM Server"),
    (HKLM + r"SOFTWARE\Microsoft\EnterpriseDesktopAppManagement\S-0-0\MSI\{dd}", "Status", 70),
    (
        HKLM + r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{dd}",
        "InstallLocation",
        "C:\\Program Files\\Acme Chat\\",
    ),
    (HKLM + r"SOFTWARE\Policies\Google\Chrome", "HomepageLocation", "x"),
)


def test_windows_registry_tells_domains_and_no_account() -> None:
    assert joined_domains(REGISTRY) == {"corp.example.com"}
    assert work_domains(REGISTRY) == {"example.org", "example.net"}
    assert is_managed(REGISTRY)
    assert is_deployed(REGISTRY, r"c:\program files\acme chat\chat.exe")
    assert not is_deployed(REGISTRY, r"C:\Program Files\Acme Chatter\chat.exe")


def test_an_empty_windows_registry_tells_nothing() -> None:
    empty = FakeRegistry()
    assert joined_domains(empty) == work_domains(empty) == frozenset()
    assert not is_managed(empty)
    assert not is_deployed(empty, r"C:\a.exe")
    odd = FakeRegistry((JOINED, "UserEmail", 7), (ADDED, "UserEmail", "nobody"))
    assert joined_domains(odd) == work_domains(odd) == frozenset()


@pytest.mark.parametrize(
    ("variables", "account"),
    [
        ({"USERDNSDOMAIN": "EXAMPLE.COM", "USERDOMAIN": "EXAMPLE"}, OsAccount("directory", "example.com")),
        ({"USERDOMAIN": "AzureAD"}, OsAccount("directory", "corp.example.com")),
        ({"USERDOMAIN": "pc", "COMPUTERNAME": "PC"}, OsAccount("local")),
        ({"USERDOMAIN": "EXAMPLE", "COMPUTERNAME": "PC"}, None),
        ({}, None),
    ],
)
def test_whose_a_windows_account_is(variables: dict[str, str], account: OsAccount | None) -> None:
    assert account_of(variables, frozenset({"corp.example.com"})) == account


def test_windows_signals_come_together(machine: Machine) -> None:
    exe = r"C:\Program Files\Acme Chat\chat.exe"
    variables = {"USERPROFILE": r"C:\Users\x", "USERDOMAIN": "AzureAD", "DECORUM_WORK": "telegram"}
    asked = machine.asked(exe, "-workdir", r"C:\Users\x\Work", variables=variables)
    told = WindowsSignals(machine.source, REGISTRY).read(asked)
    assert told.instance == Instance(r"C:\Users\x\Work")
    assert (told.installer, told.marked_for, told.is_managed) == ("management", "telegram", True)
    assert told.os_account == OsAccount("directory", "corp.example.com")
    assert SOMEBODY not in repr(told)
    chrome = machine.asked(r"C:\Program Files\Google\Chrome\chrome.exe", of_page=True)
    assert WindowsSignals(machine.source, REGISTRY).read(chrome).browser_is_managed
    mine = machine.asked(r"C:\Users\x\AppData\tg.exe", variables=variables)
    assert WindowsSignals(machine.source, REGISTRY).read(mine).installer == "person"


def test_macos_signals_come_together(machine: Machine) -> None:
    machine.local_state("Users/x/Library/Application Support/Google/Chrome", Default="a@example.com")
    source = MacosSignals(machine.source, machine.root)
    exe = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    asked = machine.asked(exe, variables={"HOME": "/Users/x"}, of_page=True)
    told = source.read(asked)
    assert told.browser_domains == {"example.com"}
    assert not told.browser_is_managed
    assert not told.is_managed
    machine.write("Library/Managed Preferences/com.google.Chrome.plist", "")
    told = source.read(asked)
    assert told.browser_is_managed
    assert told.is_managed
    mine = source.read(machine.asked("/Users/x/Applications/tg", variables={"HOME": "/Users/x"}))
    assert mine.installer == "person"


def test_what_is_learnt_can_be_switched_off_whole(machine: Machine) -> None:
    asked = machine.asked(CHROMIUM, off=frozenset(SIGNAL_NAMES), variables={"DECORUM_WORK": "telegram"})
    told = machine.linux.read(asked)
    assert told.marked_for is None
    assert told.os_account is None
    assert wire.encode(told.instance)
