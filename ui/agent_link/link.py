"""The link to the agent: tries each place, greets, subscribes, and looks again, ever more patiently, when it is away."""

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from contract import wire
from contract.errors import MalformedError
from contract.local import LINE_LIMIT_BYTES, Hello, HelloReply, Nothing, Reminder, Snapshot
from contract.version import LOCAL_VERSION
from ui.agent_link.backoff import Backoff
from ui.agent_link.conversation import NOT_CONNECTED, Conversation, Failure, Otherwise, Then, Trusts
from ui.link_state import LinkKind, LinkState

_TELLING: tuple[LinkKind, ...] = (
    "absent",
    "silent",
    "refused",
    "malformed",
    "agent_older",
    "agent_newer",
    "untrusted",
)
"""Of several places that failed, the reason that stands last here is told."""
_VERSION_CODES = {-32602, -32002}
"""How an agent answers a greeting in a version that it does not speak."""


class AgentLink(QObject):
    """Owns the one connection and when the next is tried.

    Args:
        places: the sockets to try, the likeliest first.
        trusts: tells whether the user who listens at a place may be the agent.
        parent: the owner.
    """

    snapshot_came = Signal(object)
    reminder_came = Signal(object)
    state_changed = Signal(object)

    def __init__(self, places: Sequence[str], trusts: Trusts, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._places, self._trusts = tuple(places), trusts
        self.state = LinkState("connecting")
        self._conversation: Conversation | None = None
        self._is_greeted = False
        self._failed: list[LinkState] = []
        self._untried: list[str] = []
        self._backoff = Backoff()
        self._held = QElapsedTimer()
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._start_round)
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._try_next)

    def start(self) -> None:
        """Look for the agent, now and whenever it is away."""
        self._again.start(0)

    def stop(self) -> None:
        """Hang up for good."""
        self._again.stop()
        self._hang_up()

    def retry(self) -> None:
        """Look for the agent at once, because a person asks."""
        if self.state.kind != "connected":
            self._backoff.reset()
            self._hang_up()
            self._again.start(0)

    def ask(self, method: str, params: object, then: Then, otherwise: Otherwise) -> None:
        """Ask the agent; exactly one of the two is called, later (see `Conversation.ask`)."""
        if self._conversation is None or self.state.kind != "connected":
            QTimer.singleShot(0, self, lambda: otherwise(NOT_CONNECTED))
        else:
            self._conversation.ask(method, params, then, otherwise)

    def _start_round(self) -> None:
        self._failed, self._untried = [], list(self._places)
        self._try_next()

    def _try_next(self) -> None:
        if not self._untried:
            self._change(max(self._failed, key=lambda state: _TELLING.index(state.kind)))
            self._wait()
            return
        self._is_greeted = False
        self._conversation = Conversation(self._untried.pop(0), self._trusts, self)
        self._conversation.opened.connect(self._greet)
        self._conversation.told.connect(self._hear)
        self._conversation.ended.connect(self._on_ended)
        self._conversation.open()

    def _greet(self) -> None:
        if self._conversation is not None:
            self._conversation.ask("hello", Hello(LOCAL_VERSION), self._subscribe, self._on_refusal)

    def _subscribe(self, reply: HelloReply) -> None:
        if self._conversation is None:
            return
        if reply.version != LOCAL_VERSION:
            kind: LinkKind = "agent_older" if reply.version < LOCAL_VERSION else "agent_newer"
            self._conversation.end(kind, f"The agent {reply.agent} speaks version {reply.version}.")
            return
        agent = reply.agent
        self._conversation.ask(
            "subscribe", Nothing(), lambda snapshot: self._on_subscribed(agent, snapshot), self._on_refusal
        )

    def _on_subscribed(self, agent: str, snapshot: Snapshot) -> None:
        self._is_greeted = True
        self._held.start()
        self._change(LinkState("connected", agent=agent))
        self.snapshot_came.emit(snapshot)

    def _on_refusal(self, failure: Failure) -> None:
        if self._conversation is None:
            return
        if failure.code is None:
            self._conversation.end("silent", failure.sentence)
        elif failure.code in _VERSION_CODES:
            self._conversation.end("agent_older", failure.sentence)
        else:
            self._conversation.end("refused", failure.sentence)

    def _hear(self, method: str, params: msgspec.Raw) -> None:
        try:
            if method == "snapshot":
                self.snapshot_came.emit(wire.decode(Snapshot, bytes(params), limit_bytes=LINE_LIMIT_BYTES))
            elif method == "reminder":
                self.reminder_came.emit(wire.decode(Reminder, bytes(params), limit_bytes=LINE_LIMIT_BYTES))
        except MalformedError as error:
            if self._conversation is not None:
                self._conversation.end("malformed", error.detail)

    def _on_ended(self, ending: LinkState) -> None:
        self._drop()
        if not self._is_greeted:
            self._failed.append(ending)
            self._next.start(0)
            return
        was_good = self._backoff.held(self._held.elapsed() / 1000)
        if ending.kind != "absent":
            self._change(ending)
        elif not was_good:
            self._change(LinkState("connecting"))
        # Else it is mostly an agent that starts again: nothing is said unless the first look for it fails.
        self._wait()

    def _wait(self) -> None:
        self._again.start(round(self._backoff.next_seconds() * 1000))

    def _hang_up(self) -> None:
        self._next.stop()
        conversation = self._drop()
        if conversation is not None:
            conversation.ended.disconnect(self._on_ended)
            conversation.end("absent")

    def _drop(self) -> Conversation | None:
        conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.deleteLater()
        return conversation

    def _change(self, state: LinkState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
