"""What holds for every test: a place of its own, a quiet log, no silent skip, reproducible examples.

* The user's home, runtime folder, screen, session bus and proxies are out of reach; the zone is UTC.
* A log record of WARNING or above fails the test, unless the test expects it:
  `@pytest.mark.expected_warnings("a pattern")`. An expected one that does not come fails, too.
* A skip fails the run, unless it is listed in `ALLOWED_SKIPS`.
"""

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ALLOWED_SKIPS: Mapping[str, str] = {}
"""Start of a test's id → why it may be skipped, and who runs it instead."""

FORESEEN_LOGS: Mapping[tuple[str, int], str] = {
    ("django.request", logging.WARNING): "a 4xx; tests ask for refusals on purpose and assert the status",
}
"""Records that no test needs to expect, each with its reason."""

REMOVED_VARIABLES = re.compile(
    r"(DECORUM(?!_TEST)|XDG|QT|DBUS|LC|DJANGO|PYTHON_KEYRING)_.*|LANGUAGE|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|(.*_)?PROXY",
    re.IGNORECASE,
)

settings.register_profile(
    "default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("default"), derandomize=False, max_examples=5_000)
settings.load_profile("default")

_MACHINE: dict[str, str] = {}
_PLACES: list[Path] = []


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave the user's environment before anything reads it."""
    worker = getattr(config, "workerinput", {})
    _MACHINE.update(worker.get("machine_environment", os.environ))
    place = Path(tempfile.mkdtemp(prefix="decorum-tests-"))
    _PLACES.append(place)
    for name in [name for name in os.environ if REMOVED_VARIABLES.fullmatch(name)]:
        del os.environ[name]
    for name in ("home", "runtime"):
        (place / name).mkdir(mode=0o700)
    os.environ |= {
        "HOME": str(place / "home"),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "TZ": "UTC",
        "XDG_RUNTIME_DIR": str(place / "runtime"),
    }
    time.tzset()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a parallel worker what the machine's own environment was."""
    node.workerinput["machine_environment"] = _MACHINE


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    while _PLACES:
        shutil.rmtree(_PLACES.pop(), ignore_errors=True)


@pytest.fixture(scope="session")
def machine_environment() -> dict[str, str]:
    """The environment as it was before the tests left it: for package downloads, which need the user's own settings."""
    return dict(_MACHINE)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


class _Listener(logging.Handler):
    """Keeps what is logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (record.name, record.levelno) not in FORESEEN_LOGS:
            self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _quiet_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test on a warning that it does not expect, and on an expected one that does not come."""
    patterns = [pattern for mark in request.node.iter_markers("expected_warnings") for pattern in mark.args]
    listener = _Listener()
    logging.getLogger().addHandler(listener)
    yield
    logging.getLogger().removeHandler(listener)
    surprises = [line for line in listener.lines if not any(re.search(pattern, line) for pattern in patterns)]
    if surprises:
        pytest.fail("unexpected in the log:\n  " + "\n  ".join(surprises), pytrace=False)
    for pattern in patterns:
        if not any(re.search(pattern, line) for line in listener.lines):
            pytest.fail(f"expected in the log, but did not come: {pattern}", pytrace=False)


def _is_allowed(node_id: str) -> bool:
    return any(node_id.startswith(start) for start in ALLOWED_SKIPS)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longreprtext
    report.outcome = "failed"
    report.longrepr = (
        f"{reason}\nA skip proves nothing: make it run, or list it in tests/conftest.py with a reason."
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that nobody listed into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not _is_allowed(report.nodeid):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    if report.skipped and not _is_allowed(report.nodeid):
        _refuse_skip(report)
    return report
