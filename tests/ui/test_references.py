"""Qt for Python gives back every reference that it takes; one that does not ends the tray after some hundred signals."""

import sys

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QLabel

TIMES = 200
TOLERATED = 50
"""References come and go with what else happens; a lost one for each call would be four times as many."""


class Speaker(QObject):
    """Has something to say."""

    said = Signal(str, object)


def held() -> tuple[int, ...]:
    """Return the references to what calls return all the time. From Python 3.12 on these numbers never change."""
    return tuple(sys.getrefcount(one) for one in (None, True, False))


def test_calls_and_signals_keep_none_true_and_false_alive(qapp: QApplication) -> None:
    speaker, label = Speaker(), QLabel()
    heard: list[str] = []
    speaker.said.connect(lambda text, _: heard.append(text))
    before = held()
    for number in range(TIMES):
        speaker.said.emit(str(number), None)
        label.setText(str(number))
        QTimer.singleShot(0, speaker, label.update)
        qapp.processEvents()
    assert len(heard) == TIMES
    assert all(after >= earlier - TOLERATED for earlier, after in zip(before, held(), strict=True))
