"""Leaving: the owner of a device takes it out for good; the server erases what it holds, and then the device what it has."""

from agent.clock import Clock
from agent.errors import RefusedError
from agent.reporting.enrolment import Enrolment
from agent.reporting.ledger import Ledger
from agent.reporting.seals import Seals, reply_in
from agent.reporting.transport import LEAVE_PATH, Transport
from agent.store import Store
from contract import wire
from contract.messages import LeaveReply, LeaveRequest, Left, SealedRequest

LEFT_FACT = "left"
"""Remembered once the device has left, so that an agent that runs ends, and no other begins."""


class Leaver:
    """Owns the exchange; erasing what is on the device is the caller's, since it takes this very store along."""

    def __init__(
        self, store: Store, ledger: Ledger, seals: Seals, transport: Transport, clock: Clock
    ) -> None:
        self._store, self._ledger, self._seals = store, ledger, seals
        self._transport, self._clock = transport, clock

    def leave(self, enrolment: Enrolment) -> Left | None:
        """Have the server erase everything about this device; None where it knows nothing of it any more.

        Raises:
            UnreachableError: no answer; nothing has changed here.
            RefusedError: the server does not erase it, and says why.
            DistrustError: the answer does not hold.
            CredentialError: the device's key cannot be read.
        """
        now = self._clock.now()
        request = LeaveRequest(at=now)
        sealed = self._seals.sealed(request, "leave-request", enrolment)
        number = self._ledger.write_leaving(wire.encode(request), now)
        body = wire.encode(SealedRequest(sealed=sealed))
        try:
            answer = self._transport.post(enrolment.server_url + LEAVE_PATH, body)
        except RefusedError as error:
            if error.reason == "device_unknown":
                return None  # an answer that was lost on its way
            raise
        reply = reply_in(LeaveReply, answer)
        left, _ = self._seals.opened(
            Left, "left", reply.sealed, reply.certificates, enrolment, wire.digest(sealed.encode())
        )
        self._ledger.acknowledge(number, self._clock.now())
        return left

    def remember(self) -> None:
        """Take note that this device has left."""
        with self._store.transaction():
            self._store.remember(LEFT_FACT, self._clock.now().isoformat())
