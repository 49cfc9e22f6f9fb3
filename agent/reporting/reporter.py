"""The rhythm of checking in: regularly, soon after something happened, later and later while the server does not answer."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import msgspec

from agent.catalogue_shelf import CatalogueShelf
from agent.clock import Clock
from agent.errors import (
    AgentError,
    CredentialError,
    DistrustError,
    RefusedError,
    StateError,
    UnreachableError,
)
from agent.policy_shelf import PolicyShelf
from agent.problems import Problems
from agent.reporting.background import in_background
from agent.reporting.backoff import Backoff
from agent.reporting.check_in import CheckIns
from agent.reporting.enrolment import Enrolment, current_enrolment
from agent.reporting.leaving import LEFT_FACT
from agent.reporting.outbox import Outbox
from agent.reporting.transport import CHECK_IN_PATH, Transport
from agent.store import Store
from contract.local import ServerState
from contract.messages import Acknowledgement

TOGETHER_SECONDS = 0.15
"""What happens within this time goes in one check-in."""
APART_SECONDS = 0.5
"""No two check-ins are closer than this, whoever asks."""
_SPREAD = "spread_seconds"
NOT_ENROLLED_SECONDS = 2.0
"""How often it is looked whether somebody has enrolled the device."""


class Rhythm(msgspec.Struct, frozen=True):
    """How often to check in when nothing happens.

    Args:
        seconds: the device's setting.
        is_fixed: whether the administrator fixed it, so that the server's wish does not count.
    """

    seconds: int
    is_fixed: bool

    def after(self, acknowledgement: Acknowledgement) -> float:
        """Return the seconds until the next regular check-in."""
        return float(self.seconds if self.is_fixed else acknowledgement.next_check_in_seconds)


class Reporter:
    """Owns when to check in, and what is known of the server."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        shelf: PolicyShelf,
        catalogues: CatalogueShelf,
        check_ins: CheckIns,
        transport: Transport,
        backoff: Backoff,
        clock: Clock,
        rhythm: Rhythm,
        problems: Problems,
        on_enrolled: Callable[[Enrolment], None],
        on_policy: Callable[[], None],
        on_catalogue: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        self._store, self._outbox, self._shelf, self._check_ins = store, outbox, shelf, check_ins
        self._catalogues, self._on_catalogue = catalogues, on_catalogue
        self._transport, self._backoff, self._clock, self._rhythm = transport, backoff, clock, rhythm
        self._problems, self._on_enrolled = problems, on_enrolled
        self._on_policy, self._on_change = on_policy, on_change
        self._signal = asyncio.Event()
        self._has_news = self._is_asked = False
        self.left = asyncio.Event()
        """Set once this device has left its server: there is nothing more to do."""
        self.enrolment: Enrolment | None = current_enrolment(store)
        self.server: ServerState = "not_enrolled" if self.enrolment is None else "connecting"
        self.last_contact: datetime | None = None

    def wake(self) -> None:
        """Say that something waits to be reported."""
        self._has_news = True
        self._signal.set()

    def ask(self) -> None:
        """Check in because a person asks, even while waiting for a server that did not answer."""
        self._is_asked = True
        self._signal.set()

    async def run(self) -> None:
        """Check in until cancelled."""
        self._backoff.spread_seconds = int(self._store.fact(_SPREAD) or 0)
        await self._wait(self._backoff.at_start(), is_patient=True)
        while True:
            self._has_news = self._is_asked = False
            if self._store.fact(LEFT_FACT):
                self.left.set()
                await asyncio.Event().wait()
            if self.enrolment is None and not self._notice_enrolment():
                await self._wait(NOT_ENROLLED_SECONDS, is_patient=True)
                continue
            seconds = await self._check_in_once()
            await asyncio.sleep(APART_SECONDS)
            await self._wait(seconds, is_patient=self.server != "reachable")
            await asyncio.sleep(TOGETHER_SECONDS)

    def _notice_enrolment(self) -> bool:
        self.enrolment = current_enrolment(self._store)
        if self.enrolment is None:
            return False
        self._tell("connecting")
        self._on_enrolled(self.enrolment)
        return True

    async def _check_in_once(self) -> float:
        """Check in; return the seconds until the next."""
        enrolment = self.enrolment
        if enrolment is None:
            return NOT_ENROLLED_SECONDS
        serial, version = self._shelf.serial, self._catalogues.version
        try:
            prepared = self._check_ins.prepare(enrolment)
            url = enrolment.server_url + CHECK_IN_PATH
            answer = await in_background(lambda: self._transport.post(url, prepared.request), "check-in")
            acknowledgement = self._check_ins.apply(prepared, answer)
        except UnreachableError as error:
            self._tell("unreachable")
            return self._backoff.after_failure(error.retry_after_seconds)
        except RefusedError as error:
            self._fail("server", error, "refused")
            return self._backoff.after_failure(error.retry_after_seconds)
        except DistrustError as error:
            self._fail("server", error, "refused")
            return self._backoff.after_failure()
        except (CredentialError, StateError) as error:
            self._fail("reporting", error, self.server)
            return self._backoff.after_failure()
        self._backoff.succeeded()
        self.last_contact = self._clock.now()
        for code in ("server", "reporting"):
            self._problems.clear(code)
        if self._catalogues.version != version:
            self._on_catalogue()
        if self._shelf.serial != serial:
            self._on_policy()
        self._tell("reachable", is_news=True)
        self._heed_spread(acknowledgement)
        if self._check_ins.has_more_to_say() or self._outbox.count_due(self._check_ins.time()):
            return self._backoff.more()
        return self._until_next(self._backoff.regular(self._rhythm.after(acknowledgement)))

    def _until_next(self, regular_seconds: float) -> float:
        """Return the seconds until the next regular check-in, or until a waiting report's hour is over."""
        due, now = self._outbox.next_due(), self._check_ins.time()
        if due is None or now is None:
            return regular_seconds
        return max(0.0, min(regular_seconds, (due - now).total_seconds()))

    def _heed_spread(self, acknowledgement: Acknowledgement) -> None:
        """Remember what the server asked for, so that it holds when this device is next switched on."""
        if acknowledgement.spread_seconds != self._backoff.spread_seconds:
            self._backoff.spread_seconds = acknowledgement.spread_seconds
            with contextlib.suppress(StateError), self._store.transaction():
                self._store.remember(_SPREAD, str(acknowledgement.spread_seconds))

    def _fail(self, code: str, error: AgentError, server: ServerState) -> None:
        is_new = self._problems.report(code, error)
        self._tell(server, is_news=is_new)

    def _tell(self, server: ServerState, *, is_news: bool = False) -> None:
        if server != self.server or is_news:
            self.server = server
            self._on_change()

    async def _wait(self, seconds: float, *, is_patient: bool) -> None:
        """Wait, unless there is news; a patient wait only ends when a person asks."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (self._is_asked or (self._has_news and not is_patient)):
                    self._signal.clear()
                    await self._signal.wait()
