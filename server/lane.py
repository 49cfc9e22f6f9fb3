"""The lane: requests of one kind that wait at the same moment are answered together, by one thread, beside all others.

Nobody waits to be joined: who comes while nothing is under way goes at once and alone; who comes meanwhile goes with the next lot. So
the busier the server, the more share one transaction. What the lane does not answer goes the way of every other request.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Environ = Mapping[str, Any]
"""A request as PEP 3333 has it."""
Together = Callable[[Sequence[Environ]], Sequence[bytes | None]]
"""Answers requests; None for each that has to go the usual way."""
TOGETHER_AT_MOST = 32


class Lane:
    """Owns the thread and what waits for it; lives on one event loop, so that nothing here needs a lock.

    Args:
        path: of the requests that it takes.
        together: answers them; runs in the thread and raises nothing.
        at_most: how many go together.
    """

    def __init__(self, path: str, together: Together, at_most: int = TOGETHER_AT_MOST) -> None:
        self.path, self._together, self._at_most = path, together, at_most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lane")
        self._waiting: deque[tuple[Environ, asyncio.Future[bytes | None]]] = deque()
        self._is_busy = False

    async def answer(self, request: Environ) -> bytes | None:
        """Return the body of the answer; None if the request has to go the usual way."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        self._go()
        return await answer

    def _go(self) -> None:
        if self._is_busy or not self._waiting:
            return
        lot = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_most))]
        requests = [request for request, _ in lot]
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._together, requests)
        self._is_busy = True
        work.add_done_callback(lambda done: self._arrived([answer for _, answer in lot], done))

    def _arrived(
        self,
        waiting: Sequence["asyncio.Future[bytes | None]"],
        done: "asyncio.Future[Sequence[bytes | None]]",
    ) -> None:
        self._is_busy = False
        self._go()
        for one, answer in zip(waiting, done.result(), strict=True):
            if not one.done():  # who waited may have been given up meanwhile
                one.set_result(answer)
