import os
from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.managed.files import Files
from agent.settings import load
from contract.ceiling import Ceiling, ProfileCeiling

ABSENT = Path("/nonexistent/settings.toml")


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_without_any_file_the_defaults_hold() -> None:
    settings = load(None, Files(ABSENT))
    assert settings.ceiling == Ceiling()
    assert settings.ownership == "personal"
    assert {value.origin for value in settings.values.values()} == {"default"}


def test_the_administrators_file_wins_over_the_users(tmp_path: Path) -> None:
    own = write(tmp_path, "own.toml", 'highest_rung = "close"\ncheck_in_seconds = 60\n')
    managed = write(tmp_path, "managed.toml", 'highest_rung = "report"\nceiling.company.work = "hour"\n')
    settings = load(own, Files(managed, os.getuid()))
    assert (settings.highest_rung, settings.check_in_seconds) == ("report", 60)
    assert settings.ceiling == Ceiling(company=ProfileCeiling(work="hour"))
    assert settings.values["highest_rung"].origin == "managed"
    assert settings.values["check_in_seconds"].origin == "file"
    assert settings.values["ownership"].origin == "default"


def test_a_number_out_of_bounds_is_brought_to_its_bound_and_said_so(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "own.toml", "check_in_seconds = 1\n"), Files(ABSENT))
    assert settings.check_in_seconds == 5
    assert settings.values["check_in_seconds"].remark == "1 was asked for; 5 to 86400 is taken."


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.toml", Files(ABSENT))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('celing = "exact"\n', "'celing'"),
        ('ceiling = "exact"\n', "ceiling"),
        ("ceiling.company.wrok = 'name'\n", "ceiling"),
        ("check_in_seconds = true\n", "check_in_seconds"),
        ('server_url = "decorum.example.com"\n', "server_url"),
        ("\n\nownership = \n", "line 3"),
        ("a = " + "[" * 50_000, "not TOML"),
        ("check_in_seconds = " + "1" * 5_000, "not TOML"),
    ],
    ids=["unknown", "ceiling", "misspelt ceiling", "type", "address", "no TOML", "nested", "digits"],
)
@pytest.mark.parametrize("layer", ["own", "managed"])
def test_nothing_is_guessed_from_a_file_that_is_wrong(
    tmp_path: Path, layer: str, text: str, words: str
) -> None:
    file = write(tmp_path, "settings.toml", text)
    with pytest.raises(SettingsError) as refused:
        load(file if layer == "own" else None, Files(file if layer == "managed" else ABSENT, os.getuid()))
    assert words in refused.value.detail
    assert refused.value.remedy


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b'server_url = "\xff"')
    with pytest.raises(SettingsError, match="not TOML"):
        load(file, Files(ABSENT))


def test_an_administrators_file_that_cannot_be_read_is_never_taken_as_absent(tmp_path: Path) -> None:
    # A folder in its place: root reads every file, so a mode would not stop the test.
    with pytest.raises(SettingsError, match="cannot be read"):
        load(None, Files(tmp_path))


def test_a_folder_of_the_administrators_that_is_a_file_means_that_there_are_no_settings(
    tmp_path: Path,
) -> None:
    file = write(tmp_path, "decorum", "")
    assert load(None, Files(file / "settings.toml")).ownership == "personal"


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_managed_settings_that_others_may_change_are_refused(tmp_path: Path, mode: int) -> None:
    file = write(tmp_path, "managed.toml", 'ownership = "company"\n')
    assert load(None, Files(file, os.getuid())).ownership == "company"
    file.chmod(mode)
    with pytest.raises(SettingsError, match="can be changed by others"):
        load(None, Files(file, os.getuid()))


def test_managed_settings_in_a_folder_of_somebody_elses_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "managed.toml", 'ownership = "company"\n')
    with pytest.raises(SettingsError, match="chown root"):
        load(None, Files(file, os.getuid() + 1))
    tmp_path.chmod(0o777)
    with pytest.raises(SettingsError, match="can be changed by others"):
        load(None, Files(file, os.getuid()))


def test_an_error_names_its_file(tmp_path: Path) -> None:
    file = write(tmp_path, "own.toml", 'ownership = "nobody"\n')
    with pytest.raises(SettingsError, match=r"own\.toml"):
        load(file, Files(ABSENT))
