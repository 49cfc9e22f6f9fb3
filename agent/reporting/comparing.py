"""Asks the server what it holds of this device, when a person wants to know, and compares it with the ledger."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from agent.clock import Clock
from agent.errors import AgentError, RefusedError
from agent.reporting.background import in_background
from agent.reporting.comparison import Comparer
from agent.reporting.enrolment import Enrolment
from agent.reporting.ledger import Ledger
from agent.reporting.seals import Seals, reply_in
from agent.reporting.transport import HOLDINGS_PATH, Transport
from contract import wire
from contract.local import ComparisonPage, LedgerComparison, Problem
from contract.messages import (
    Holdings,
    HoldingsReply,
    HoldingsRequest,
    SealedRequest,
)

APART_SECONDS = 1.0
"""Between two parts, so that the server never takes it for haste."""
PARTS_AT_MOST = 10_000


class Comparing:
    """Owns the one comparison that goes on, and what came of the last.

    Args:
        enrolment: tells with whom this device is enrolled now.
        time: tells the time as well as this device knows it; None on a clock in doubt.
    """

    def __init__(
        self,
        ledger: Ledger,
        seals: Seals,
        transport: Transport,
        clock: Clock,
        enrolment: Callable[[], Enrolment | None],
        time: Callable[[], datetime | None],
    ) -> None:
        self._ledger, self._seals, self._transport, self._clock = ledger, seals, transport, clock
        self._enrolment, self._time = enrolment, time
        self._wanted = asyncio.Event()
        self._result: LedgerComparison | None = None
        self._problem: Problem | None = None

    def begin(self) -> None:
        """Compare anew; one that goes on already is the one."""
        if not self._wanted.is_set():
            self._result = self._problem = None
            self._wanted.set()

    @property
    def page(self) -> ComparisonPage:
        """What is known by now."""
        return ComparisonPage(is_running=self._wanted.is_set(), result=self._result, problem=self._problem)

    async def run(self) -> None:
        """Compare whenever it is asked for, until cancelled."""
        while True:
            await self._wanted.wait()
            await self.once()

    async def once(self) -> None:
        """Compare once; what goes wrong is told to whoever asked."""
        try:
            self._result = await self._compare()
        except AgentError as error:
            self._problem = Problem("ledger_comparison", f"{error.title}: {error.detail}", error.remedy)
        self._wanted.clear()

    async def _compare(self) -> LedgerComparison:
        enrolment = self._enrolment()
        if enrolment is None:
            raise AgentError("This device is not enrolled, so no server holds anything of it.", "Enrol it.")
        comparer = Comparer(self._ledger.written())
        after = 0
        for number in range(PARTS_AT_MOST):
            if number:
                await asyncio.sleep(APART_SECONDS)
            part = await self._part(enrolment, after)
            comparer.take(part)
            if part.more_after is None or part.more_after <= after:
                break
            after = part.more_after
        comparer.catch_up(self._ledger.written(comparer.last))
        return comparer.outcome(self._clock.now())

    async def _part(self, enrolment: Enrolment, after: int) -> Holdings:
        now = self._clock.now()
        request = HoldingsRequest(after=after, at=self._time() or now)
        sealed = self._seals.sealed(request, "holdings-request", enrolment)
        number = self._ledger.write_question(wire.encode(request), now)
        body = wire.encode(SealedRequest(sealed=sealed))
        url = enrolment.server_url + HOLDINGS_PATH
        try:
            answer = await in_background(lambda: self._transport.post(url, body), "holdings")
        except RefusedError as error:
            if error.reason != "path_unknown":
                raise
            raise AgentError(
                "Your company's server is of a version that does not tell what it holds.",
                "Ask your administrator to update it.",
            ) from error
        reply = reply_in(HoldingsReply, answer)
        told, _ = self._seals.opened(
            Holdings, "holdings", reply.sealed, reply.certificates, enrolment, wire.digest(sealed.encode())
        )
        self._ledger.acknowledge(number, self._clock.now())
        return told
