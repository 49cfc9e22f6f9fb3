"""A busy day leaves nothing behind in the tray: counted in objects, never in megabytes."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.fakes.busy_screen import BusyScreen

OBJECTS_AT_MOST = 150
"""Two hours make hundreds of widgets and thousands of objects; so few are chance."""


@pytest.mark.timeout(300)
def test_the_tray_holds_no_more_after_more_hours(qapp: QApplication, tmp_path: Path) -> None:
    with BusyScreen(qapp, tmp_path, every_minutes=6) as day:
        day.live(2)  # after two hours everything has been seen once, in both themes
        early = day.held()
        day.live(2)
        late = day.held()
    assert day.snapshots > 40
    assert (day.answers, day.openings, day.connections) == (8, 48, 9)
    assert late.widgets == early.widgets
    assert late.top_level == early.top_level
    assert late.qt_objects == early.qt_objects
    assert late.objects - early.objects <= OBJECTS_AT_MOST
