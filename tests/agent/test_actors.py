"""Actors: the first that ends is named, the others are ended, one that refuses is named too."""

import asyncio

import pytest

from agent.actors import run_actors


async def _forever() -> None:
    await asyncio.Event().wait()


async def _fails() -> None:
    raise ValueError("broken")


async def _refuses() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling() > 1:  # type: ignore[union-attr]  # runs in a task
                raise


def test_they_end_when_asked_to() -> None:
    async def run() -> bool:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, stop.set)
        return await run_actors({"one": _forever(), "two": _forever()}, stop)

    assert asyncio.run(run()) is True


@pytest.mark.expected_warnings("the actor bad ended first")
def test_the_first_that_ends_is_named_and_ends_all() -> None:
    assert asyncio.run(run_actors({"good": _forever(), "bad": _fails()}, asyncio.Event())) is False


@pytest.mark.expected_warnings("the actor stubborn refuses to stop")
def test_one_that_refuses_to_stop_is_named_and_not_waited_for() -> None:
    async def run() -> bool:
        stop = asyncio.Event()
        stop.set()
        return await run_actors({"stubborn": _refuses()}, stop, grace_seconds=0.05)

    assert asyncio.run(run()) is True
