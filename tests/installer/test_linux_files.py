"""What is laid down on Linux agrees with what the programs look for. `make test-deb` tries it on a machine."""

import argparse
import configparser
import re
import subprocess
from pathlib import Path

import pytest

from agent.commands.arguments import INSTALLERS_DROP_IN, build_parser
from agent.managed.files import DROP_INS, MANAGED_FILE, Files
from agent.provisioning import REFUSAL_FILE_NAME
from agent.reporting.secret_file import FILE_NAME
from agent.settings import load
from agent.this_user import SERVICE_USER
from contract.places import places_on
from ui.starter import command_of

SYSTEM_STATE = Path(places_on("linux").state)
PROGRAMS = "/usr/lib/decorum"


@pytest.fixture(scope="module")
def linux(checkout: Path) -> Path:
    return checkout / "installer" / "linux"


@pytest.fixture(scope="module")
def debian(checkout: Path) -> Path:
    return checkout / "installer" / "deb" / "debian"


@pytest.fixture(scope="module")
def service(linux: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    parser.read(linux / "decorum.service")
    return dict(parser["Service"])


def test_the_service_is_where_and_who_the_programs_expect(service: dict[str, str]) -> None:
    assert service["User"] == service["Group"] == SERVICE_USER
    assert f"/var/lib/{service['StateDirectory']}" == str(SYSTEM_STATE)
    assert f"/run/{service['RuntimeDirectory']}" == str(Path(places_on("linux").socket).parent)
    assert (service["StateDirectoryMode"], service["RuntimeDirectoryMode"]) == ("0700", "0755")
    program, *words = service["ExecStart"].split()
    assert program == f"{PROGRAMS}/decorum"
    assert build_parser().parse_args(words).scope == "system"


def test_every_capability_has_its_reason_and_nothing_more_can_be_had(
    linux: Path, service: dict[str, str]
) -> None:
    text = (linux / "decorum.service").read_text()
    capabilities = service["AmbientCapabilities"].split()
    assert service["CapabilityBoundingSet"].split() == capabilities
    assert [name for name in capabilities if not re.search(rf"^# {name}: \w", text, re.MULTILINE)] == []
    assert service["NoNewPrivileges"] == "yes"


def test_the_user_is_made_by_its_name(linux: Path, debian: Path) -> None:
    assert f"\nu {SERVICE_USER} " in (linux / "sysusers.conf").read_text()
    for script in ("decorum.postinst", "decorum.postrm"):
        assert str(SYSTEM_STATE) in (debian / script).read_text()


def test_the_package_chooses_the_file_for_the_key_and_others_may_choose_otherwise(
    linux: Path, tmp_path: Path
) -> None:
    (tmp_path / DROP_INS).mkdir()
    name = "00-service.toml"
    (tmp_path / DROP_INS / name).write_text((linux / name).read_text())
    settings = load(None, Files(tmp_path / "settings.toml", tmp_path.stat().st_uid))
    assert settings.key_store == "file"
    assert {name for name, value in settings.values.items() if value.origin == "managed"} == {"key_store"}
    assert name < INSTALLERS_DROP_IN.name


def test_the_scripts_speak_of_the_files_that_the_programs_write(debian: Path) -> None:
    postinst, postrm = ((debian / f"decorum.{name}").read_text() for name in ("postinst", "postrm"))
    assert f"{SYSTEM_STATE / FILE_NAME}" in postinst
    assert f"rm -f {INSTALLERS_DROP_IN}\n" in postrm
    assert str(MANAGED_FILE.parent) in postrm
    assert build_parser().parse_args(["provision"]).drop_in == str(INSTALLERS_DROP_IN)
    assert REFUSAL_FILE_NAME != FILE_NAME


@pytest.mark.parametrize("name", ["preinst", "postinst", "postrm"])
def test_a_script_can_be_read_by_every_shell(debian: Path, name: str) -> None:
    text = (debian / f"decorum.{name}").read_text()
    assert text.startswith("#!/bin/sh\nset -e\n")
    assert "#DEBHELPER#" in text
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("decorum-tray.desktop", ["decorum-tray", "--show", "status"]),
        ("autostart.desktop", ["decorum-tray"]),
    ],
)
def test_a_desktop_starts_the_tray(linux: Path, name: str, command: list[str]) -> None:
    text = (linux / name).read_text().replace("NoDisplay=true\n", "")
    assert command_of(text) == ("Decorum", command)
    assert "Icon=decorum\n" in text


def test_the_manual_names_every_command(linux: Path) -> None:
    (commands,) = [
        action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    named = re.findall(r"^\.TP\n\.B ([\w-]+)$", (linux / "decorum.1").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(commands.choices)
