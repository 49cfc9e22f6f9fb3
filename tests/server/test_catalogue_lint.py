from pathlib import Path

import pytest

from server.catalogue import texts
from server.catalogue_lint import lint
from tests.server.conftest import Run

HEAD = 'name = "{name}"\nmaker = "Demo"\nkind = "both"\n'
GOOD_ROW = '["linux", "Debian demo 1", { executable = "demo-im", deb = "demo-im" }]'


def _entry(*rows: str, name: str = "demo", fields: str = "") -> str:
    head = HEAD.format(name=name.title())
    return f"[{name}]\n{head}{fields}seen = [{', '.join(rows)}]\n"


def _said(*entries: str) -> list[str]:
    return [str(finding) for finding in lint({"demo.toml": "\n".join(entries)})]


def test_the_catalogue_that_ships_is_in_order() -> None:
    assert [str(finding) for finding in lint(texts())] == []


def test_a_good_entry_gives_nothing() -> None:
    fields = 'wrapper = true\nbusiness_account = false\ncapture = { native_export = "maker\'s page" }\n'
    fields += 'apart = [["linux", "its manual", ["--dir={folder}"]]]\n'
    assert _said(_entry(GOOD_ROW, fields=fields)) == []


@pytest.mark.parametrize(
    ("row", "place", "problem"),
    [
        ('["linux", { executable = "demo-im" }]', "demo.toml: demo", "Row 1 of seen has no source"),
        ('["linux", " ", { executable = "demo-im" }]', "demo.toml: demo", "Row 1 of seen has no source"),
        (
            '["linux", "https://demo.im/page", { executable = "demo-im" }]',
            "demo.toml: demo",
            "has an address for a source: https://demo.im/page",
        ),
        ('["linux", "Debian demo 1", {}]', "demo.toml: demo", "Row 1 of seen says nothing"),
        ('["linux", "Debian demo 1"]', "demo.toml: demo", "Row 1 of seen is not of the agreed form"),
        ('["amiga", "Debian demo 1", { executable = "demo-im" }]', "demo.toml: demo", "has no platform"),
        ('["linux", "Debian demo 1", { smell = "demo-im" }]', "demo.toml: demo", "linux knows no smell"),
        ('["macos", "Debian demo 1", { deb = "demo-im" }]', "demo.toml: demo", "macos knows no deb"),
        ('["linux", "Debian demo 1", { deb = 5 }]', "demo.toml: demo", "deb has a value that is no text"),
        ('["web", "page", { origin = "demo.im" }]', "web origin demo.im", "not of the form of its kind"),
        ('["web", "page", { origin = "http://demo.im" }]', "web origin http://demo.im", "not of the form"),
        (
            '["web", "page", { origin = "https://demo.im/" }]',
            "web origin https://demo.im/",
            "not of the form",
        ),
        ('["web", "page", { origin = "https://Demo.im" }]', "web origin https://Demo.im", "not of the form"),
        ('["web", "page", { origin = "https://d.*.im" }]', "web origin https://d.*.im", "not of the form"),
        (
            '["web", "page", { start_url = "https://demo.im" }]',
            "web start_url https://demo.im",
            "not of the form",
        ),
        (
            '["windows", "page", { executable = "demo-im" }]',
            "windows executable demo-im",
            "Write a file's name that ends with `.exe`",
        ),
        (
            '["windows", "page", { package_family = "Demo" }]',
            "windows package_family Demo",
            "not of the form",
        ),
        ('["macos", "page", { app_bundle = "Demo" }]', "macos app_bundle Demo", "not of the form"),
        ('["linux", "page", { flatpak_id = "demo" }]', "linux flatpak_id demo", "not of the form"),
        ('["linux", "page", { desktop_id = "demo-im.desktop" }]', "demo-im.desktop", "not of the form"),
        ('["linux", "page", { executable = "bin/demo" }]', "linux executable bin/demo", "not of the form"),
        ('["windows", "page", { uninstall_name = "Demo IM 2.14" }]', "Demo IM 2.14", "without its version"),
        (
            '["windows", "page", { uninstall_name = "Demo IM v2.1 (x64)" }]',
            "Demo IM v2.1",
            "without its version",
        ),
        ('["linux", "page", { executable = "Chat" }]', "linux executable Chat", "Other programs may carry"),
        ('["linux", "page", { script = "electron" }]', "linux script electron", "Other programs may carry"),
        ('["linux", "page", { executable = "java" }]', "linux executable java", "Other programs may carry"),
        (
            '["linux", "page", { executable = "python3" }]',
            "linux executable python3",
            "Other programs may carry",
        ),
        (
            '["linux", "page", { executable = "firefox" }]',
            "linux executable firefox",
            "Other programs may carry",
        ),
        ('["linux", "page", { executable = "line" }]', "linux executable line", "Other programs may carry"),
        (
            '["windows", "page", { executable = "App.exe" }]',
            "windows executable App.exe",
            "Other programs may",
        ),
        (
            '["macos", "page", { app_bundle = "Messenger.app" }]',
            "app_bundle Messenger.app",
            "Other programs may",
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_place(row: str, place: str, problem: str) -> None:
    said = _said(_entry(row))
    assert len(said) == 1
    assert place in said[0]
    assert problem in said[0]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("demo = 5", "It is no table"),
        (_entry(GOOD_ROW).replace('kind = "both"', 'kind = "fun"'), "'fun' is no kind of messenger"),
        (_entry(GOOD_ROW).replace('kind = "both"\n', ""), "It has no kind"),
        (_entry(GOOD_ROW).replace('maker = "Demo"\n', ""), "It has no maker"),
        (_entry(), "It has no seen"),
        (_entry(GOOD_ROW, fields='colour = "red"\n'), "Nothing reads colour"),
        (_entry(GOOD_ROW, fields='wrapper = "yes"\n'), "Its wrapper is neither true nor false"),
        (_entry(GOOD_ROW, fields='capture = "all"\n'), "Its capture is no table"),
        (_entry(GOOD_ROW, fields='capture = { magic = "page" }\n'), "magic is no way to capture"),
        (
            _entry(GOOD_ROW, fields='capture = { native_export = "" }\n'),
            "captured by native_export has no source",
        ),
        (_entry(GOOD_ROW, fields='apart = "--dir"\n'), "Row 1 of apart is not of the agreed form"),
        (
            _entry(GOOD_ROW, fields='apart = [["web", "its page", ["{folder}"]]]\n'),
            "Row 1 of apart is not of the agreed form",
        ),
        (
            _entry(GOOD_ROW, fields='apart = [["linux", "", ["{folder}"]]]\n'),
            "Row 1 of apart has no source",
        ),
        (
            _entry(GOOD_ROW, fields='apart = [["linux", "https://demo.im/x", ["{folder}"]]]\n'),
            "Row 1 of apart has an address for a source",
        ),
        (
            _entry(GOOD_ROW, fields='apart = [["linux", "its manual", ["--dir"]]]\n'),
            "Row 1 of apart names no folder",
        ),
        (
            _entry(GOOD_ROW, fields='client_of = "nobody"\n'),
            "It is a client of nobody, which is no messenger",
        ),
        (_entry(GOOD_ROW, fields='client_of = "demo"\n'), "It is a client of demo, which is no messenger"),
        (_entry(GOOD_ROW).replace("[demo]", "[Demo_IM]"), "Its id is not of the agreed form"),
        ("[demo", "It is not TOML"),
        ("a = " + "[" * 50_000, "It is nested too deeply"),
        ("a = " + "9" * 5_000, "It is not TOML"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(entry: str, problem: str) -> None:
    said = _said(entry)
    assert len(said) == 1
    assert said[0].startswith("demo.toml: ")
    assert problem in said[0]


@pytest.mark.parametrize(
    ("mine", "theirs", "problem"),
    [
        ('"linux", "p", { executable = "demo-im" }', '"linux", "p", { executable = "Demo-IM" }', "claims it"),
        ('"linux", "p", { executable = "demo-im" }', '"linux", "p", { script = "demo-im" }', "claims it"),
        ('"linux", "p", { deb = "demo-im" }', '"linux", "p", { rpm = "demo-im" }', "claims it as deb"),
        (
            '"linux", "p", { desktop_id = "im.demo.Demo" }',
            '"linux", "p", { flatpak_id = "im.demo.demo" }',
            "claims it as desktop_id",
        ),
        (
            '"windows", "p", { executable = "Demo.exe" }',
            '"windows", "p", { executable = "demo.EXE" }',
            "claims",
        ),
        (
            '"web", "p", { origin = "https://*.demo.im" }',
            '"web", "p", { origin = "https://chat.demo.im" }',
            "lies within https://*.demo.im, which demo claims",
        ),
        (
            '"web", "p", { origin = "https://*.demo.im" }',
            '"web", "p", { origin = "https://*.chat.demo.im" }',
            "lies within https://*.demo.im, which demo claims",
        ),
        (
            '"web", "p", { origin = "https://demo.im" }',
            '"web", "p", { start_url = "https://demo.im/talk" }',
            "lies within https://demo.im, which demo claims",
        ),
        (
            '"web", "p", { start_url = "https://demo.im/talk/" }',
            '"web", "p", { start_url = "https://demo.im/talk/of/others" }',
            "lies within https://demo.im/talk/, which demo claims",
        ),
        (
            '"web", "p", { start_url = "https://demo.im/talk/" }',
            '"web", "p", { start_url = "https://demo.im/talk" }',
            "demo claims it as start_url",
        ),
        (
            '"linux", "p", { executable = "secure-messenger-one" }',
            '"linux", "p", { executable = "secure-messenger-two" }',
            "Linux cuts it to secure-messenge, and a name of demo as well",
        ),
    ],
)
def test_what_two_messengers_claim_is_said_of_the_second(mine: str, theirs: str, problem: str) -> None:
    said = _said(_entry(f"[{mine}]"), _entry(f"[{theirs}]", name="other"))
    assert len(said) == 1
    assert said[0].startswith("demo.toml: other: ")
    assert problem in said[0]


def test_neighbours_that_only_look_alike_are_left_alone() -> None:
    one = _entry('["web", "p", { origin = ["https://*.demo.im", "https://demo.com"] }]')
    two = _entry('["web", "p", { origin = ["https://demo.im", "https://notdemo.im"] }]', name="other")
    three = _entry('["web", "p", { start_url = "https://demo.eu/talk" }]', name="third")
    four = _entry('["web", "p", { start_url = "https://demo.eu/talker" }]', name="fourth")
    assert _said(one, two, three, four) == []


def test_an_entry_may_be_wide_and_narrow_itself() -> None:
    row = '["web", "p", { origin = ["https://*.demo.im", "https://a.demo.im"], start_url = "https://a.demo.im/x" }]'
    assert _said(_entry(row)) == []


def test_what_stands_twice_in_an_entry_is_said() -> None:
    assert (
        "It stands twice in this entry" in _said(_entry(GOOD_ROW, '["linux", "p", { deb = "demo-im" }]'))[0]
    )


def test_two_of_one_name_are_said() -> None:
    other = _entry('["linux", "p", { deb = "other-im" }]', name="other").replace('"Other"', '"Demo"')
    assert "demo is called Demo as well" in _said(_entry(GOOD_ROW), other)[0]


def test_a_client_of_a_client_is_said() -> None:
    service = _entry('["linux", "p", { deb = "one-im" }]', name="one")
    client = _entry('["linux", "p", { deb = "two-im" }]', name="two", fields='client_of = "one"\n')
    third = _entry('["linux", "p", { deb = "three-im" }]', name="three", fields='client_of = "two"\n')
    assert _said(service, client) == []
    assert "three: It is a client of two" in _said(service, client, third)[0]


def test_an_id_in_two_files_is_said() -> None:
    findings = lint({"one.toml": _entry(GOOD_ROW), "two.toml": _entry('["linux", "p", { deb = "b-im" }]')})
    assert [str(finding) for finding in findings] == [
        "two.toml: demo: This id stands in one.toml already. Keep one entry."
    ]


def test_the_command_checks_what_ships_without_a_state(run: Run) -> None:
    told = run("catalogue", "lint", folder=None)
    assert (told.returncode, told.stderr) == (0, "")
    assert "consumer.toml" in told.stdout
    assert "nothing to correct" in told.stdout


def test_the_command_checks_a_file_beside_what_ships(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(_entry('["linux", "Debian pidgin 2", { executable = "pidgin" }]'))
    told = run("catalogue", "lint", str(file), folder=None)
    assert told.returncode == 1
    assert told.stdout == (
        "mine.toml: demo: linux executable pidgin: pidgin claims it as executable."
        " Leave it with the one it belongs to.\n"
    )
    assert "1 fault in 1 entry" in told.stderr


def test_a_file_of_a_name_that_ships_is_put_in_its_place(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "secure.toml"
    file.write_text(texts()["secure.toml"])
    assert run("catalogue", "lint", str(file), folder=None).returncode == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"\xff\xfe", "is not text in UTF-8"), (b"x" * 4194305, "too large")],
)
def test_a_file_that_cannot_be_read_is_said(
    run: Run, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "mine.toml"
    if content is not None:
        file.write_bytes(content)
    told = run("catalogue", "lint", str(file), folder=None)
    assert told.returncode == 1
    assert says in told.stderr


def _over(overlay: str, *entries: str) -> list[str]:
    return [str(one) for one in lint({"demo.toml": "\n".join(entries)}, ("acme.toml", overlay))]


OTHER_ROW = '["linux", "Acme IT", { executable = "other-im" }]'


def test_an_overlay_that_adds_corrects_and_takes_over_is_in_order() -> None:
    listed = _entry(GOOD_ROW)
    assert _over(_entry(OTHER_ROW, name="other"), listed) == []
    assert _over(f"[demo]\nalso_seen = [{OTHER_ROW}]\n", listed) == []
    assert _over('never = ["unlisted:x"]\n[demo]\nname = "Demo here"\n', listed) == []
    # Two listed messengers must not claim the same; what the overlay claims is taken from the listed one.
    assert _over(_entry(GOOD_ROW, name="other"), listed) == []


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("[other]\n", "acme.toml: other: It has no seen."),
        ("[demo]\nsmell = 5\n", "acme.toml: demo: Nothing reads smell."),
        ('[demo]\nalso_seen = "x"\n', "acme.toml: demo: Its also_seen is no list of rows."),
        ('[demo]\nseen = "x"\nalso_seen = [[1]]\n', "acme.toml: demo: Its seen is no list of rows."),
        ("[demo]\nalso_seen = [[1]]\n", "acme.toml: demo: Row 2 of seen is not of the agreed form."),
        ('[demo]\nclient_of = "nobody"\n', "acme.toml: demo: It is a client of nobody"),
        (
            '[demo]\nalso_seen = [["linux", "Acme IT", { executable = "chat" }]]\n',
            "acme.toml: demo: linux executable chat: Other programs may carry this name.",
        ),
        ('never = ["demo"]\n', "acme.toml: never: never:"),
        ("never = 5\n", "acme.toml: never: never:"),
        ("demo = 5\n", "acme.toml: demo: It is no table."),
        ("[demo\n", "acme.toml: It is not TOML"),
    ],
)
def test_what_is_wrong_in_an_overlay_is_said_with_its_place(overlay: str, words: str) -> None:
    assert words in "\n".join(_over(overlay, _entry(GOOD_ROW)))


def test_two_entries_of_an_overlay_must_not_claim_the_same() -> None:
    both = _entry(OTHER_ROW, name="one") + _entry(OTHER_ROW, name="two")
    assert any("one claims it as executable" in said for said in _over(both, _entry(GOOD_ROW)))


def test_the_command_checks_an_overlay(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(_entry(OTHER_ROW, name="other"), encoding="utf-8")
    good = run("catalogue", "lint", "--overlay", str(file), folder=None)
    assert (good.returncode, good.stderr) == (0, "")
    assert "acme.toml: nothing to correct." in good.stdout
    file.write_text("[other]\n", encoding="utf-8")
    bad = run("catalogue", "lint", "--overlay", str(file), folder=None)
    assert (bad.returncode, "It has no seen." in bad.stdout) == (1, True)


def test_two_ways_of_one_system_to_run_beside_itself_are_told() -> None:
    rows = '["linux", "its manual", ["-d", "{folder}"]], ["linux", "its page", ["-e", "{folder}"]]'
    said = _said(_entry(GOOD_ROW, fields=f"apart = [{rows}]\n"))
    assert len(said) == 2
    assert "linux has another one" in said[0]
