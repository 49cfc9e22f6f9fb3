"""The lane: requests of one kind that wait at the same moment are answered together, beside all others.

Nobody waits to be joined: who comes while nothing is under way goes at once, alone; who comes meanwhile goes with the next lot. So the
busier the server, the more share one transaction. What the lane does not answer goes the way of every other request.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Environ = Mapping[str, Any]
"""A request as PEP 3333 has it."""
Together = Callable[[Sequence[Environ]], Sequence[bytes | None]]
"""Answers requests; None for each that has to go the usual way, as all do if it breaks."""
TOGETHER_AT_MOST = 32
WORTH_A_LOT = 8
"""How many must wait before another lot sets out beside one that is under way: each costs a transaction."""

_Waiting = tuple[Environ, "asyncio.Future[bytes | None]"]


class Lane:
    """Owns what waits, and the threads that answer it; lives on one event loop, so that nothing here needs a lock.

    Args:
        path: of the requests that it takes.
        together: answers them; runs in a thread.
        lots: how many lots may be under way at the same time.
        at_most: how many requests a lot may have.
    """

    def __init__(self, path: str, together: Together, lots: int, at_most: int = TOGETHER_AT_MOST) -> None:
        self.path, self._together, self._lots, self._at_most = path, together, lots, at_most
        self._threads = ThreadPoolExecutor(lots, thread_name_prefix="lane")
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0

    async def answer(self, request: Environ) -> bytes | None:
        """Return the body of the answer; None if the request has to go the usual way."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        self._set_out()
        return await answer

    def _set_out(self) -> None:
        enough = WORTH_A_LOT if self._under_way else 1
        if self._under_way == self._lots or len(self._waiting) < enough:
            return
        lot = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_most))]
        self._under_way += 1
        work = asyncio.get_running_loop().run_in_executor(
            self._threads, self._together, [request for request, _ in lot]
        )
        work.add_done_callback(lambda done: self._arrived(lot, done))

    def _arrived(self, lot: Sequence[_Waiting], done: "asyncio.Future[Sequence[bytes | None]]") -> None:
        self._under_way -= 1
        is_broken = done.cancelled() or done.exception() is not None
        for (_, waiting), answer in zip(lot, [None] * len(lot) if is_broken else done.result(), strict=True):
            if not waiting.done():  # who asked may be gone
                waiting.set_result(answer)
        self._set_out()
