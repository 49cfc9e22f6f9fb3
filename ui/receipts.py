"""What became of reminders, told to the agent: kept until the agent has it, and told again after it was away."""

from typing import Literal

from PySide6.QtCore import QObject

from contract.local import Nothing, ReminderAnswer
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.link_state import LinkState

Outcome = Literal["shown", "acknowledged", "deferred"]
KEPT_AT_MOST = 100


class Receipts(QObject):
    """Owns the answers that the agent has not confirmed, in their order."""

    def __init__(self, link: AgentLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._unconfirmed: dict[ReminderAnswer, None] = {}
        link.state_changed.connect(self._on_link)

    @property
    def unconfirmed(self) -> tuple[ReminderAnswer, ...]:
        """What the agent may not have heard."""
        return tuple(self._unconfirmed)

    def tell(self, reminder: str, outcome: Outcome) -> None:
        """Tell the agent, now or as soon as it is there."""
        answer = ReminderAnswer(reminder, outcome)
        if answer in self._unconfirmed:
            return
        self._unconfirmed[answer] = None
        while len(self._unconfirmed) > KEPT_AT_MOST:
            del self._unconfirmed[next(iter(self._unconfirmed))]
        self._send(answer)

    def _send(self, answer: ReminderAnswer) -> None:
        self._link.ask(
            "reminder.answer",
            answer,
            lambda _: self._forget(answer, Nothing()),
            lambda failure: self._forget(answer, failure),
        )

    def _forget(self, answer: ReminderAnswer, reply: Nothing | Failure) -> None:
        """Let go of an answer that the agent took, or will never take; one that it did not hear stays."""
        if isinstance(reply, Nothing) or reply.code is not None:
            self._unconfirmed.pop(answer, None)

    def _on_link(self, state: LinkState) -> None:
        if state.kind == "connected":
            for answer in self.unconfirmed:
                self._send(answer)
