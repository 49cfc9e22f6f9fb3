"""What AppStream and Debian's packages add to a desktop entry. The texts are cut from Debian 12: poezio 0.13.1, hexchat 2.16.1, srain 1.5.0."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sensing import appstream, debian_packages
from agent.sensing.appstream import NOTHING, Component, component_of, parse
from agent.sensing.debian_packages import DebianPackages, Package
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.desktop_files import DesktopEntry
from agent.sensing.installed import Described, facts_of, installed_applications
from contract.weighing import weigh

POEZIO = """<?xml version="1.0" encoding="UTF-8"?>
<component type="console-application">
  <id>io.poez.Poezio</id>
  <name>Poezio</name>
  <summary xml:lang="de">Ein Client</summary>
  <summary>Poezio is a free console XMPP client</summary>
  <description><p>It tries to look like the most famous IRC clients.</p><category>Game</category></description>
  <categories>
    <category>ConsoleOnly</category>
    <category>InstantMessaging</category>
    <category>Network</category>
  </categories>
  <provides>
    <binary>poezio</binary>
    <mediatype>x-scheme-handler/xmpp</mediatype>
    <mediatype>text/plain</mediatype>
  </provides>
</component>
"""
STATUS = """Package: srain-doc
Section: doc
Description: documentation of an IRC client

Package: srain
Status: install ok installed
Section: net
Architecture: amd64
Version: 1.5.0-1
Description: Modern, beautiful IRC client
 Srain is a modern IRC client.
 Section: games

Package: zz
Section: games
Description: a game

"""
ENTRY = "/usr/share/applications/im.srain.Srain.desktop"


def test_a_metainfo_file_tells_categories_schemes_and_summary_in_no_language() -> None:
    assert parse(POEZIO.encode()) == Component(
        ("ConsoleOnly", "InstantMessaging", "Network"), ("xmpp",), "Poezio is a free console XMPP client"
    )
    old = '<component type="desktop"><mimetypes><mimetype>x-scheme-handler/irc</mimetype></mimetypes></component>'
    assert parse(old.encode()).url_schemes == ("irc",)


@pytest.mark.parametrize(
    "text",
    [
        '<component type="addon"><categories><category>Chat</category></categories></component>',
        '<component type="font"><summary>a chat client</summary></component>',
        "<component><categories><category>Chat</category></categories></component>",
        '<html type="desktop"><categories><category>Chat</category></categories></html>',
        '<components><component type="desktop"><summary>a chat client</summary></component></components>',
    ],
)
def test_what_describes_no_application_says_nothing(text: str) -> None:
    assert parse(text.encode()) == NOTHING


BOMB = """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<component type="desktop"><summary>&b;</summary></component>"""
OUTSIDE = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<component type="desktop"><summary>&a;</summary></component>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"<component",
        b'<component type="desktop">',
        b'<?xml version="1.0" encoding="no-such"?><component/>',
        b"<component>\xff</component>",
        BOMB.encode(),
        OUTSIDE.encode(),
    ],
)
def test_what_is_malformed_or_declares_entities_is_refused_in_one_way(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is expat's
        parse(content)
    (tmp_path / "foo.metainfo.xml").write_bytes(content)
    assert component_of("foo", [tmp_path]) == NOTHING


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: POEZIO.replace("XMPP", text).encode())
)
def test_any_bytes_are_a_description_or_refused(content: bytes) -> None:
    try:
        component = parse(content)
    except ValueError:
        return
    assert len(component.summary or "") <= appstream.WORD_LIMIT


def test_how_much_is_taken_is_bounded(tmp_path: Path) -> None:
    many = "".join(f"<category>C{number}</category>" for number in range(1_000))
    text = f'<component type="desktop"><summary>{"x" * 5_000}</summary><categories>{many}</categories></component>'
    told = parse(text.encode())
    assert (len(told.categories), len(told.summary or "")) == (appstream.WORDS_AT_MOST, appstream.WORD_LIMIT)
    large = POEZIO + " " * appstream.FILE_LIMIT_BYTES
    (tmp_path / "large.metainfo.xml").write_text(large)
    assert component_of("large", [tmp_path]) == NOTHING


@pytest.mark.parametrize(
    "suffix", [".metainfo.xml", ".appdata.xml", ".desktop.metainfo.xml", ".desktop.appdata.xml"]
)
def test_a_metainfo_file_is_found_by_the_id_of_the_entry(tmp_path: Path, suffix: str) -> None:
    later = tmp_path / "later"
    later.mkdir()
    (later / f"io.poez.Poezio{suffix}").write_text(POEZIO)
    folders = [tmp_path / "absent", tmp_path, later]
    assert component_of("io.poez.Poezio", folders).url_schemes == ("xmpp",)
    assert component_of("io.poez", folders) == NOTHING
    assert component_of("../later/io.poez.Poezio", [later]) == NOTHING
    (tmp_path / f"io.poez.Poezio{suffix}").write_text('<component type="desktop"/>')
    assert component_of("io.poez.Poezio", folders) == NOTHING, "the first that is found counts"


def test_a_pipe_in_the_place_of_a_metainfo_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "foo.metainfo.xml")
    assert component_of("foo", [tmp_path]) == NOTHING


@pytest.fixture
def dpkg(tmp_path: Path) -> Path:
    folder = tmp_path / "dpkg"
    (folder / "info").mkdir(parents=True)
    (folder / "status").write_text(STATUS)
    (folder / "info" / "srain:amd64.list").write_text(f"/.\n/usr\n{ENTRY}\n/usr/bin/srain\n")
    (folder / "info" / "srain-doc.list").write_text(f"/.\n{ENTRY}.html\n")
    (folder / "info" / "zz.list").write_text(f"{ENTRY}\n")
    return folder


def test_a_package_is_the_one_whose_list_has_the_very_file(dpkg: Path) -> None:
    packages = DebianPackages(dpkg)
    assert packages.of_file(ENTRY, ("srain", "Srain")) == Package("net", "Modern, beautiful IRC client")
    assert packages.of_file(ENTRY, ("sr",)) is not None, "a short name has to be the beginning as a whole"
    assert packages.of_file(ENTRY.removesuffix("p"), ("srain",)) is None
    assert packages.of_file(f"{ENTRY}.html", ("srain",)) == Package("doc", "documentation of an IRC client")
    assert packages.of_file(ENTRY, ("other",)) is None
    assert packages.of_file(ENTRY, ("", "")) is None
    assert packages.of_file("/home/ada/srain.desktop", ("srain",)) is None


def test_no_more_lists_are_read_than_bounded(dpkg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian_packages, "LISTS_AT_MOST", 2)
    for number in range(5):
        (dpkg / "info" / f"sra{number}.list").write_text(f"{ENTRY}\n")
    (dpkg / "status").write_text(STATUS + "Package: sra4\nSection: x\n\n")
    found = DebianPackages(dpkg).of_file(ENTRY, ("srain", "sra4"))
    assert found == Package("x", ""), "a package that is called so comes first"
    monkeypatch.setattr(debian_packages, "LISTS_AT_MOST", 0)
    assert DebianPackages(dpkg).of_file(ENTRY, ("srain",)) is None


def test_where_there_is_no_dpkg_or_it_is_damaged_nothing_is_said(dpkg: Path, tmp_path: Path) -> None:
    assert DebianPackages(tmp_path / "none").of_file(ENTRY, ("srain",)) is None
    (dpkg / "status").write_bytes(b"Package: srain\nSection: \xff\n\n")
    assert DebianPackages(dpkg).of_file(ENTRY, ("srain",)) is None
    (dpkg / "status").unlink()
    assert DebianPackages(dpkg).of_file(ENTRY, ("srain",)) is None


class _Asked(DebianPackages):
    def __init__(self, package: Package | None) -> None:
        super().__init__(Path("/nowhere"))
        self._answer = package
        self.files: list[str] = []

    def of_file(self, file: str, names: tuple[str, ...]) -> Package | None:
        self.files.append(file)
        return self._answer


NET = Package("net", "Modern, beautiful IRC client")


@pytest.mark.parametrize(
    ("entry", "asked", "is_messenger"),
    [
        ({"categories": ("GTK", "Network")}, True, True),
        ({"categories": ("GTK", "Network"), "url_schemes": ("irc",)}, False, True),
        ({"categories": ("Utility",)}, False, False),
        ({"categories": ("Utility",), "descriptions": ("a chat client",)}, True, False),
        ({"categories": ("InstantMessaging",)}, False, True),
        ({"categories": ("Network",), "flatpak_id": "im.srain.Srain"}, False, False),
        ({"categories": ("Network", "Email")}, False, False),
    ],
)  # fmt: skip
def test_the_package_is_asked_for_only_where_it_could_decide(
    entry: dict[str, tuple[str, ...]], *, asked: bool, is_messenger: bool
) -> None:
    packages = _Asked(NET)
    plain: dict[str, object] = {"desktop_id": "im.srain.Srain", "command": ("srain",), "file": ENTRY}
    described = Described([], packages).complete(DesktopEntry(**(plain | entry)))  # type: ignore[arg-type]  # a table
    assert packages.files == ([ENTRY] if asked else [])
    assert weigh(facts_of(described)).is_enough is is_messenger


@pytest.fixture
def share(tmp_path: Path) -> Callable[[str, str], Path]:
    def make(name: str, text: str) -> Path:
        file = tmp_path / "share" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return tmp_path / "share"

    return make


def test_a_process_gets_what_the_metainfo_file_says_and_it_is_read_once(
    share: Callable[[str, str], Path],
) -> None:
    share("metainfo/io.poez.Poezio.metainfo.xml", POEZIO)
    root = share(
        "applications/io.poez.Poezio.desktop",
        "[Desktop Entry]\nType=Application\nExec=poezio\nCategories=Network;\nGenericName=Poezio\n",
    )
    packages = _Asked(None)
    described = Described([root], packages)
    read: list[str] = []

    def describe(entry: DesktopEntry) -> DesktopEntry:
        read.append(entry.desktop_id)
        return described.complete(entry)

    index = DesktopIndex([root / "applications"], lambda _name: None, describe)
    assert read == [], "nothing is read before something starts"
    for _ in range(3):
        entry = index.for_process("/usr/bin/poezio", ("poezio",))
        assert entry is not None
        assert entry.categories == ("Network", "ConsoleOnly", "InstantMessaging")
        assert entry.url_schemes == ("xmpp",)
        assert entry.descriptions == ("Poezio", "Poezio is a free console XMPP client")
        assert index.for_process("/usr/bin/other", ("other",)) is None
    assert (read, packages.files) == (["io.poez.Poezio"], [])
    os.utime(root / "applications", ns=(1, 1))
    index.for_process("/usr/bin/poezio", ("poezio",))
    assert read == ["io.poez.Poezio"] * 2, "a changed folder is read again, and so is what belongs to it"


def test_this_systems_index_reads_beside_the_entries(
    share: Callable[[str, str], Path], tmp_path: Path
) -> None:
    share("metainfo/foo.metainfo.xml", POEZIO)
    root = share(
        "applications/foo.desktop",
        "[Desktop Entry]\nType=Application\nExec=/opt/foo\nMimeType=x-scheme-handler/tel;\n",
    )
    index = installed_applications(
        {"XDG_DATA_HOME": str(root), "XDG_DATA_DIRS": str(tmp_path / "no")}, tmp_path
    )
    entry = index.for_process("/opt/foo", ("/opt/foo",))
    assert entry is not None
    assert entry.url_schemes == ("tel", "xmpp")
