"""What a program of Windows says of itself; Windows itself is a table of files here."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sensing import appx_manifest, version_info
from agent.sensing.appx_manifest import Manifest, family_of
from agent.sensing.windows_applications import WindowsApplications
from agent.sensing.windows_descriptions import KEPT_AT_MOST, LINE_LIMIT, WindowsDescriptions
from agent.sensing.windows_source import Asked, WindowsSource
from contract.catalogue import Catalogue
from contract.evidence import Match
from contract.facts import ProcessFacts
from contract.matching import Matcher
from tests.agent.test_platforms import ADA, FakeWinReg

FAMILY = family_of("Acme.FooChat", "CN=Acme, O=Acme, C=DE")
FOLDER = rf"C:\Program Files\WindowsApps\Acme.FooChat_1.2.0.0_x64__{FAMILY.partition('_')[2]}"
FOO = rf"{FOLDER}\app\Foo.exe"
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10"
    xmlns:uap="http://schemas.microsoft.com/appx/manifest/uap/windows10"
    xmlns:uap3="http://schemas.microsoft.com/appx/manifest/uap/windows10/3">
  <Identity Name="Acme.FooChat" Publisher="CN=Acme, O=Acme, C=DE" Version="1.2.0.0"/>
  <Properties><DisplayName>Foo</DisplayName><Description>Foo, a  chat client
    for teams</Description><Logo>foo.png</Logo></Properties>
  <Applications>
    <Application Id="Other" Executable="app\\Other.exe">
      <uap:VisualElements DisplayName="Other" Description="irc client"/>
      <Extensions><uap:Extension><uap:Protocol Name="irc"/></uap:Extension></Extensions>
    </Application>
    <Application Id="Foo" Executable="app/Foo.exe">
      <uap:VisualElements DisplayName="Foo" Description="ms-resource:AppDescription"/>
      <Extensions>
        <uap3:Extension Category="windows.protocol"><uap3:Protocol Name="foo"/></uap3:Extension>
        <uap:Extension Category="windows.protocol"><uap:Protocol Name="sip"><uap:DisplayName>x</uap:DisplayName></uap:Protocol>
        </uap:Extension>
        <uap:Extension Category="windows.fileTypeAssociation"><uap:FileTypeAssociation Name="tg"/></uap:Extension>
      </Extensions>
    </Application>
  </Applications>
</Package>
"""
"""In the form of Microsoft's schema, with the parts that matter and some that do not."""


def _node(name: str, value: bytes = b"", below: bytes = b"", *, is_text: int = 1, words: int = 0) -> bytes:
    """Return a node as resource compilers write it (Microsoft, "VS_VERSIONINFO structure")."""
    head = name.encode("utf-16-le") + b"\0\0"
    head += bytes(-(6 + len(head)) % 4) + value
    body = head + (bytes(-(6 + len(head)) % 4) + below if below else b"")
    sizes = (6 + len(body), words or len(value), is_text)
    return b"".join(number.to_bytes(2, "little") for number in sizes) + body


def _block(*texts: tuple[str, str], in_bytes: bool = False) -> bytes:
    strings = b""
    for name, text in texts:
        value = f"{text}\0".encode("utf-16-le")
        node = _node(name, value, words=len(value) if in_bytes else len(value) // 2)
        strings += node + bytes(-len(node) % 4)
    table = _node("StringFileInfo", below=_node("040904b0", below=strings))
    other = _node("VarFileInfo", below=_node("Translation", bytes(4), is_text=0))
    below = other + bytes(-len(other) % 4) + table
    return _node("VS_VERSION_INFO", bytes(52), below, is_text=0)


TOLD = _block(
    ("CompanyName", "Acme"),
    ("FileDescription", "Foo group chat"),
    ("FileVersion", "1.2"),
    ("ProductName", "Foo"),
)


class Files:
    """Files of manifests and version information; what is asked for is kept."""

    def __init__(self) -> None:
        self.manifests: dict[str, bytes] = {}
        self.versions: dict[str, bytes] = {}
        self.asked: list[str] = []

    def manifest(self, path: str) -> bytes:
        self.asked.append(path)
        if path not in self.manifests:
            raise FileNotFoundError(path)
        return self.manifests[path]

    def version(self, path: str) -> bytes:
        self.asked.append(path)
        if path not in self.versions:
            raise PermissionError(path)
        return self.versions[path]


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def descriptions(files: Files) -> WindowsDescriptions:
    return WindowsDescriptions(files.manifest, files.version)


def _facts(
    exe: str | None = FOO, family: str | None = FAMILY, schemes: tuple[str, ...] | None = None
) -> ProcessFacts:
    return ProcessFacts(platform="windows", exe=exe, package_family=family, url_schemes=schemes)


def _match(facts: ProcessFacts) -> Match | None:
    return Matcher(Catalogue({})).match(facts)


def test_a_manifest_tells_the_links_and_the_descriptions_of_the_program_that_runs() -> None:
    told = appx_manifest.parse(MANIFEST.encode(), r"APP\foo.exe")
    assert told == Manifest(FAMILY, ("Foo", "Foo, a  chat client\n    for teams"), ("foo", "sip"))
    other = appx_manifest.parse(MANIFEST.encode(), r"app\Other.exe")
    assert other.url_schemes == ("irc",)
    assert other.descriptions[:2] == ("irc client", "Other")


def test_a_program_that_the_manifest_does_not_start_says_nothing() -> None:
    assert appx_manifest.parse(MANIFEST.encode(), r"app\helper.exe") == Manifest(FAMILY)
    assert appx_manifest.parse(b"<Bundle><Identity Name='a' Publisher='b'/></Bundle>", "a.exe") == Manifest(
        ""
    )


def test_a_family_is_made_of_name_and_publisher_as_windows_makes_it() -> None:
    assert (
        family_of("0B67C87C.RocketChat", "CN=BBFF7141-7CAF-4FCD-8930-083FCDE6E854")
        == "0B67C87C.RocketChat_g9vc3nvqbdxh8"
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "Foo",
        MANIFEST[:-20],
        MANIFEST.replace("utf-8", "utf-99"),
        MANIFEST.replace("<Package", '<!DOCTYPE p [<!ENTITY a "chat client">]><Package', 1),
        MANIFEST.replace("<Package", '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///c:/x">]><Package', 1),
    ],
    ids=["empty", "text", "cut", "coding", "entity", "file"],
)
def test_a_manifest_of_another_form_or_with_entities_is_refused_in_one_way(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        appx_manifest.parse(content.encode(), r"app\Foo.exe")


def test_how_much_a_manifest_says_is_bounded() -> None:
    many = "".join(f'<Extension><Protocol Name="s{number}"/></Extension>' for number in range(5_000))
    content = f'<Package><Applications><Application Executable="a.exe"><Extensions>{many}</Extensions></Application></Applications></Package>'
    assert len(appx_manifest.parse(content.encode(), "a.exe").url_schemes) == appx_manifest.WORDS_AT_MOST
    deep = "<a>" * 50_000 + "</a>" * 50_000
    assert appx_manifest.parse(deep.encode(), "a.exe") == Manifest("")


def test_version_information_tells_description_and_product() -> None:
    assert version_info.parse(TOLD) == ("Foo group chat", "Foo")
    assert version_info.parse(TOLD + bytes(5_000)) == ("Foo group chat", "Foo")


def test_lengths_of_values_in_bytes_are_read_as_well() -> None:
    # Some compilers write bytes where the documentation wants words.
    told = version_info.parse(_block(("FileDescription", "Foo"), ("ProductName", "Bar"), in_bytes=True))
    assert told == ("Foo", "Bar")


def test_how_much_version_information_says_is_bounded() -> None:
    many = _block(*(("ProductName", f"{number}") for number in range(900)))
    assert len(version_info.parse(many)) == version_info.TEXTS_AT_MOST


def test_version_information_that_is_cut_anywhere_is_read_as_far_as_it_goes() -> None:
    whole = set(version_info.parse(TOLD))
    assert [
        length for length in range(len(TOLD)) if not set(version_info.parse(TOLD[:length])) <= whole
    ] == []
    assert version_info.parse(TOLD.replace("VS_".encode("utf-16-le"), "XX_".encode("utf-16-le"))) == ()


@given(st.lists(st.tuples(st.integers(0, len(TOLD) - 1), st.integers(0, 255)), max_size=30))
def test_no_version_information_makes_it_fail(changes: list[tuple[int, int]]) -> None:
    block = bytearray(TOLD)
    for place, value in changes:
        block[place] = value
    for text in version_info.parse(bytes(block)):
        assert text.encode()


def test_a_packaged_messenger_that_nobody_lists_is_known_by_its_manifest(
    files: Files, descriptions: WindowsDescriptions
) -> None:
    files.manifests[rf"{FOLDER}\AppxManifest.xml"] = MANIFEST.encode()
    source = WindowsSource(
        Asked(lambda _: FOO, lambda _: FAMILY, lambda _: ADA),
        WindowsApplications(FakeWinReg({})),
        descriptions,
    )
    facts = source.read(source.key(os.getpid())).facts
    assert facts.descriptions == ("Foo", "Foo, a chat client for teams")
    match = _match(facts)
    assert match is not None
    assert (match.messenger, match.listed) == ("unlisted:foo", False)
    assert [evidence.sentence.partition(":")[0] for evidence in match.evidence] == [
        "Foo.exe opens sip links",
        "Foo.exe is described as “Foo, a chat client for teams”",
    ]


@pytest.mark.parametrize("family", [None, "Acme.FooChat_8wekyb3d8bbwe", "MSTeams_8wekyb3d8bbwe"])
def test_a_manifest_counts_for_no_other_package_than_its_own(
    files: Files, descriptions: WindowsDescriptions, family: str | None
) -> None:
    files.manifests[rf"{FOLDER}\AppxManifest.xml"] = MANIFEST.encode()
    assert descriptions.complete(_facts(family=family)) == _facts(family=family)


def test_a_manifest_of_another_form_says_nothing(files: Files, descriptions: WindowsDescriptions) -> None:
    files.manifests[rf"{FOLDER}\AppxManifest.xml"] = b"<Package>"
    assert descriptions.complete(_facts()) == _facts()


def test_a_file_is_asked_where_its_links_speak_for_a_messenger_too_little(
    files: Files, descriptions: WindowsDescriptions
) -> None:
    exe = r"C:\Program Files\Foo\foo.exe"
    files.versions[exe] = TOLD
    facts = descriptions.complete(_facts(exe, None, ("sip",)))
    assert facts.descriptions == ("Foo group chat", "Foo")
    match = _match(facts)
    assert match is not None
    assert [evidence.kind for evidence in match.evidence] == ["url_scheme", "description"]
    assert _match(_facts(exe, None, ("sip",))) is None


@pytest.mark.parametrize(
    ("exe", "schemes"),
    [
        (r"C:\Program Files\Foo\foo.exe", None),
        (r"C:\Program Files\Foo\foo.exe", ("xmpp",)),
        (r"C:\Program Files\Foo\foo.exe", ("sip", "https")),
        (r"C:\Program Files\Foo\foo.exe", ("foo",)),
        (r"\\server\share\foo.exe", ("sip",)),
        (r"\\.\pipe\foo", ("sip",)),
        (None, ("sip",)),
    ],
    ids=["no links", "enough", "against", "nothing", "network", "pipe", "no path"],
)
def test_no_file_is_asked_where_it_could_decide_nothing(
    files: Files, descriptions: WindowsDescriptions, exe: str | None, schemes: tuple[str, ...] | None
) -> None:
    facts = _facts(exe, None, schemes)
    assert descriptions.complete(facts) == facts
    assert files.asked == []


def test_a_manifest_that_describes_the_program_spares_the_file(
    files: Files, descriptions: WindowsDescriptions
) -> None:
    manifest = rf"{FOLDER}\AppxManifest.xml"
    # Too little for a messenger still; but of descriptions only the strongest counts, and there is one.
    files.manifests[manifest] = MANIFEST.replace('"sip"', '"tel"').encode()
    assert _match(descriptions.complete(_facts())) is None
    assert files.asked == [rf"{FOLDER}\app\AppxManifest.xml", manifest]


def test_a_program_is_asked_once_however_many_of_its_processes_start(
    files: Files, descriptions: WindowsDescriptions
) -> None:
    first = descriptions.complete(_facts())
    asked = len(files.asked)
    assert asked > 1
    assert descriptions.complete(_facts(FOO.upper())).descriptions == first.descriptions
    assert len(files.asked) == asked
    for number in range(KEPT_AT_MOST):
        descriptions.complete(_facts(rf"C:\{number}\foo.exe"))
    asked = len(files.asked)
    descriptions.complete(_facts())
    assert len(files.asked) > asked


def test_what_is_said_is_one_short_line(files: Files, descriptions: WindowsDescriptions) -> None:
    exe = r"C:\foo.exe"
    files.versions[exe] = _block(("FileDescription", "a\x1b[2J\r\nchat\u202e client" + " x" * 500))
    [line] = descriptions.complete(_facts(exe, None, ("sip",))).descriptions or ()
    assert line.isprintable()
    assert line.startswith("a [2J chat client x")
    assert len(line) <= LINE_LIMIT
