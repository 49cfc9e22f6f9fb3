"""The run's own strictness (tests/conftest.py), tried on a suite that breaks each rule once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BREAKING_SUITE = """
import logging, os, time
from pathlib import Path
import pytest

def test_warning_unexpected():
    logging.getLogger("agent").warning("disk is full")

def test_info_is_no_warning():
    logging.getLogger("agent").info("all is well")

@pytest.mark.expected_warnings("disk is f")
def test_warning_expected():
    logging.getLogger("agent").warning("disk is full")

@pytest.mark.expected_warnings("disk is full")
def test_warning_expected_other_came():
    logging.getLogger("agent").error("disk is full")
    logging.getLogger("agent").error("network is down")

@pytest.mark.expected_warnings("disk is full")
def test_warning_expected_none_came():
    pass

def test_skip_inside():
    pytest.skip("no time")

@pytest.mark.skipif("True", reason="no wish")
def test_skip_mark():
    pass

@pytest.mark.xfail(reason="not yet")
def test_xfail_is_no_skip():
    raise AssertionError

def test_python_warning():
    import warnings
    warnings.warn("old", DeprecationWarning)

def test_qt_message():
    from PySide6.QtCore import qWarning
    qWarning("painting outside")

def test_place(machine_environment):
    assert "HTTPS_PROXY" not in os.environ and machine_environment["HTTPS_PROXY"] == "there"
    assert os.environ["HOME"] != machine_environment["HOME"]
    assert Path.home().stat().st_mode & 0o777 == 0o700
    assert "DISPLAY" not in os.environ and time.tzname == ("UTC", "UTC")
"""

VERDICTS = {
    "test_warning_unexpected": "ERROR",
    "test_info_is_no_warning": "PASSED",
    "test_warning_expected": "PASSED",
    "test_warning_expected_other_came": "ERROR",
    "test_warning_expected_none_came": "ERROR",
    "test_skip_inside": "FAILED",
    "test_skip_mark": "ERROR",
    "test_xfail_is_no_skip": "XFAIL",
    "test_python_warning": "FAILED",
    "test_qt_message": "FAILED",
    "test_place": "PASSED",
}


@pytest.fixture
def copied_house(tmp_path: Path, checkout: Path) -> Path:
    (tmp_path / "tests").mkdir()
    shutil.copy(checkout / "tests/conftest.py", tmp_path / "tests")
    shutil.copy(checkout / "pyproject.toml", tmp_path)
    return tmp_path


def run_suite(house: Path, *options: str) -> dict[str, set[str]]:
    environment = os.environ | {"DISPLAY": ":77", "TZ": "Asia/Tokyo", "HTTPS_PROXY": "there"}
    command = [sys.executable, "-m", "pytest", "-rA", *options]
    done = subprocess.run(
        command, cwd=house, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    verdicts: dict[str, set[str]] = {}
    for line in done.stdout.partition("short test summary")[2].splitlines():
        verdict, _, rest = line.partition(" ")
        verdicts.setdefault(rest.partition("::")[2].partition(" ")[0], set()).add(verdict)
    return verdicts


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "parallel"])
def test_each_rule_fails_who_breaks_it(copied_house: Path, options: tuple[str, ...]) -> None:
    (copied_house / "tests/test_breaking.py").write_text(BREAKING_SUITE)
    verdicts = run_suite(copied_house, *options)
    for name, verdict in VERDICTS.items():
        assert verdict in verdicts[name], (name, verdicts[name])


def test_a_module_that_skips_itself_fails_the_run(copied_house: Path) -> None:
    (copied_house / "tests/test_absent.py").write_text(
        "import pytest\npytest.importorskip('absent_module')\n"
    )
    command = [sys.executable, "-m", "pytest"]
    done = subprocess.run(command, cwd=copied_house, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode not in {0, 5}
    assert "A skip proves nothing" in done.stdout
