"""The help: what each shape means, whom to ask, which versions run."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from contract.version import VERSION
from ui import widgets
from ui.look import Look
from ui.present.picture import Picture
from ui.texts import help as texts
from ui.texts import say

SIZE = QSize(420, 480)


class HelpWindow(QWidget):
    """Owns the texts; those about this device are made anew each time it is opened."""

    def __init__(self, look: Look) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setWindowTitle(say(texts.WINDOW))
        widgets.styled(self, "header")
        self.resize(SIZE)
        whole = widgets.column(2, (3, 3, 3, 3))
        self.setLayout(whole)
        whole.addWidget(widgets.text_label(say(texts.TITLE), "title"))
        for shape, (word, meaning) in texts.SHAPES.items():
            part = widgets.row(2)
            icon = widgets.StateIcon(look, 24)
            icon.show_shape(shape, say(word))
            lines = widgets.column(0)
            lines.addWidget(widgets.text_label(say(word), "strong"))
            lines.addWidget(widgets.text_label(say(meaning), "muted"))
            part.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
            part.addLayout(lines, 1)
            whole.addLayout(part)
        whole.addWidget(widgets.line())
        self._contact = widgets.text_label("")
        self._versions = widgets.text_label("", "muted")
        self._contact.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._versions.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        whole.addWidget(widgets.text_label(say(texts.ASK_HEADING), "heading"))
        whole.addWidget(self._contact)
        whole.addWidget(widgets.text_label(say(texts.TECHNICAL_HEADING), "heading"))
        whole.addWidget(self._versions)
        whole.addStretch(1)
        widgets.on_key(self, "Esc", self.close)

    def show_help(self, picture: Picture) -> None:
        """Say what holds for this device."""
        contact = None if picture.snapshot is None else picture.snapshot.questions_contact
        self._contact.setText(say(texts.ASK, contact=contact) if contact else say(texts.ASK_ADMINISTRATOR))
        if picture.link.agent:
            versions = say(texts.VERSIONS, version=VERSION, agent=picture.link.agent)
        else:
            versions = say(texts.VERSION, version=VERSION)
        self._versions.setText(f"{versions}\n{say(texts.COMMANDS)}")
