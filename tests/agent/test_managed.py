"""Where administrators set things, on each system. The registry is read for real by `make test-windows`; property lists are made here."""

import os
import plistlib
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SettingsError
from agent.managed.files import Files
from agent.managed.layers import Layers
from agent.managed.preferences import Preferences
from agent.managed.registry import PLACE, Registry
from agent.settings import load

WANTED = {
    "server_url": "https://decorum.example.com",
    "check_in_seconds": 600,
    "ceiling": {"company": {"work": "exact"}},
}


class MadeUpRegistry:
    """Behaves as `winreg` does where it is used (Python's documentation, 3.11)."""

    HKEY_LOCAL_MACHINE = "HKLM"
    REG_SZ, REG_DWORD, REG_BINARY, REG_QWORD = 1, 4, 3, 11

    def __init__(self, tree: dict[str, Any] | None) -> None:
        self.tree = tree

    def OpenKey(self, key: Any, sub_key: str) -> Any:  # noqa: N802 - its own name
        if key == "HKLM":
            if self.tree is None or sub_key != PLACE:
                raise FileNotFoundError(2, "not found")
            return self.tree
        return key[sub_key]

    def QueryInfoKey(self, key: dict[str, Any]) -> tuple[int, int, int]:  # noqa: N802 - its own name
        return len(self._keys(key)), len(self._values(key)), 0

    def EnumKey(self, key: dict[str, Any], index: int) -> str:  # noqa: N802 - its own name
        return self._keys(key)[index]

    def EnumValue(self, key: dict[str, Any], index: int) -> tuple[str, Any, int]:  # noqa: N802 - its own name
        name = self._values(key)[index]
        kind = {str: self.REG_SZ, int: self.REG_DWORD, bytes: self.REG_BINARY}[type(key[name])]
        return name, key[name], kind

    def _keys(self, key: dict[str, Any]) -> list[str]:
        return [name for name, value in key.items() if isinstance(value, dict)]

    def _values(self, key: dict[str, Any]) -> list[str]:
        return [name for name, value in key.items() if not isinstance(value, dict)]


def test_the_registry_is_read_with_the_keys_below_it_as_tables() -> None:
    source = Registry(MadeUpRegistry(WANTED))
    assert source.read() == WANTED
    settings = load(None, source)
    assert settings.ceiling.company.work == "exact"
    assert settings.values["check_in_seconds"].origin == "managed"
    assert PLACE in source.places()[0]


def test_without_a_policy_in_the_registry_nothing_is_managed() -> None:
    assert Registry(MadeUpRegistry(None)).read() is None


def test_a_type_that_no_setting_has_is_refused_by_its_place() -> None:
    with pytest.raises(SettingsError, match=r"ceiling.work is of a type"):
        Registry(MadeUpRegistry({"ceiling": {"work": b"x"}})).read()


def test_a_registry_without_end_is_refused() -> None:
    deep: dict[str, Any] = {}
    deep["again"] = deep
    with pytest.raises(SettingsError, match="too deeply"):
        Registry(MadeUpRegistry(deep)).read()


def test_a_change_in_the_registry_shows() -> None:
    made_up = MadeUpRegistry({"ceiling": {"company": {"work": "name"}}})
    source = Registry(made_up)
    before = source.stamp()
    assert source.stamp() == before
    made_up.tree = {"ceiling": {"company": {"work": "exact"}}}
    assert source.stamp() != before


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_managed_preferences_are_read_without_what_the_profile_brings_along(
    tmp_path: Path, form: plistlib.PlistFormat
) -> None:
    file = tmp_path / "org.decorum.agent.plist"
    file.write_bytes(plistlib.dumps(WANTED | {"PayloadUUID": "x", "PayloadVersion": 1}, fmt=form))
    source = Preferences(file)
    assert source.read() == WANTED
    assert load(None, source).check_in_seconds == 600
    before = source.stamp()
    file.write_bytes(plistlib.dumps({}, fmt=form))
    assert source.stamp() != before


@pytest.mark.parametrize("content", [b"", b"no list", b"bplist00" + b"\xff" * 40, plistlib.dumps(["a list"])])
def test_what_is_no_property_list_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.plist"
    file.write_bytes(content)
    with pytest.raises(SettingsError):
        Preferences(file).read()
    assert Preferences(tmp_path / "none").read() is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "decorum"
    (made / "settings.d").mkdir(parents=True)
    for place in (made, made / "settings.d"):
        place.chmod(0o755)
    return made


def files(folder: Path) -> Files:
    return Files(folder / "settings.toml", os.getuid())


def test_drop_ins_win_over_the_file_in_the_order_of_their_names(folder: Path) -> None:
    (folder / "settings.toml").write_text("check_in_seconds = 60\npoll_milliseconds = 500\n")
    (folder / "settings.d" / "20-late.toml").write_text("check_in_seconds = 120\n")
    (folder / "settings.d" / "10-early.toml").write_text('check_in_seconds = 90\nownership = "company"\n')
    (folder / "settings.d" / "notes.txt").write_text("no settings")
    settings = load(None, files(folder))
    assert (settings.check_in_seconds, settings.poll_milliseconds, settings.ownership) == (
        120,
        500,
        "company",
    )


def test_a_drop_in_alone_is_enough(folder: Path) -> None:
    (folder / "settings.d" / "a.toml").write_text('ownership = "company"\n')
    assert load(None, files(folder)).values["ownership"].origin == "managed"


def test_a_drop_in_that_others_may_change_is_refused(folder: Path) -> None:
    drop_in = folder / "settings.d" / "a.toml"
    drop_in.write_text('ownership = "company"\n')
    drop_in.chmod(0o666)
    with pytest.raises(SettingsError, match="can be changed by others"):
        load(None, files(folder))
    drop_in.chmod(0o644)
    drop_in.parent.chmod(0o777)
    with pytest.raises(SettingsError, match=r"settings.d can be changed by others"):
        load(None, files(folder))


def test_every_change_shows_in_the_stamp(folder: Path) -> None:
    source = files(folder)
    stamps = [source.stamp()]
    (folder / "settings.toml").write_text("check_in_seconds = 60\n")
    stamps.append(source.stamp())
    (folder / "settings.d" / "a.toml").write_text("check_in_seconds = 61\n")
    stamps.append(source.stamp())
    (folder / "settings.d" / "a.toml").write_text("check_in_seconds = 612\n")
    stamps.append(source.stamp())
    (folder / "settings.d" / "a.toml").unlink()
    stamps.append(source.stamp())
    assert len({repr(stamp) for stamp in stamps}) == 4
    assert stamps[-1] == stamps[1]


def test_a_misspelt_setting_is_refused_with_the_one_that_was_meant(folder: Path) -> None:
    (folder / "settings.d" / "a.toml").write_text("check_in_second = 60\n")
    with pytest.raises(SettingsError) as refused:
        load(None, files(folder))
    assert refused.value.remedy == "Did you mean 'check_in_seconds'?"
    assert "settings.d" in refused.value.detail


def test_what_mdm_lays_down_wins_over_an_administrators_file(folder: Path, tmp_path: Path) -> None:
    of_administrator = files(folder)
    list_of_mdm = tmp_path / "org.decorum.agent.plist"
    both = Layers(of_administrator, Preferences(list_of_mdm))
    assert both.read() is None
    (folder / "settings.toml").write_text('server_url = "https://a.example.com"\ncheck_in_seconds = 600\n')
    before = both.stamp()
    list_of_mdm.write_bytes(plistlib.dumps({"check_in_seconds": 300}))
    assert both.stamp() != before
    assert both.read() == {"server_url": "https://a.example.com", "check_in_seconds": 300}
    assert both.places() == (*of_administrator.places(), str(list_of_mdm))
