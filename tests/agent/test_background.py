"""A blocking call beside the loop: its result, its error, and its end when nobody waits any more."""

import asyncio
import threading

import pytest

from agent.reporting.background import in_background


def test_its_result_and_its_error_come_back() -> None:
    assert asyncio.run(in_background(lambda: 42, "a call")) == 42
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_background(lambda: 1 / 0, "a call"))


def test_the_program_ends_although_the_call_does_not() -> None:
    release = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_background(release.wait, "held")

    asyncio.run(give_up())
    held = next(thread for thread in threading.enumerate() if thread.name == "held")
    assert held.daemon
    release.set()
    held.join(5)
    assert not held.is_alive()
