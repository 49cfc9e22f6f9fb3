"""Runs named actors side by side until one ends or the program is asked to, then ends them all within bounded time."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

GRACE_SECONDS = 3.0
"""How long an actor may take to end before the log names it and the program ends without it."""
_log = logging.getLogger(__name__)


async def run_actors(
    actors: Mapping[str, Coroutine[Any, Any, None]], stop: asyncio.Event, grace_seconds: float = GRACE_SECONDS
) -> bool:
    """Run the actors until `stop` is set or one of them ends; tell whether they ended because they were asked to.

    An actor is never expected to end by itself: the first that does is named in the log, with its error.
    """
    tasks = {asyncio.create_task(actor, name=name) for name, actor in actors.items()}
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    ended = {task for task in tasks if task.done()}
    for task in ended:
        _log.error("the actor %s ended first", task.get_name(), exc_info=_error_of(task))
    stopping.cancel()
    for task in tasks - ended:
        task.cancel()
    if tasks - ended:
        _, refusing = await asyncio.wait(tasks - ended, timeout=grace_seconds)
        for task in refusing:
            _log.error("the actor %s refuses to stop", task.get_name())
    return not ended


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
