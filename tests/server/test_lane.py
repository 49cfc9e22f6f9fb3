"""The lane: who comes meanwhile goes together, nobody waits to be joined, and what it does not answer goes the usual way."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from server.gate import Gate
from server.lane import WORTH_A_LOT, Environ, Lane
from tests.server.test_attack_gate import FakeExchange, FakeScope

PATH = "/agent/v1/check-in"


class Desk:
    """Answers lots, each only when it is told to; remembers which came together."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []
        self.came = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.unanswered: set[int] = set()

    def together(self, requests: Sequence[Environ]) -> list[bytes | None]:
        numbers = [int(request["number"]) for request in requests]
        self.lots.append(numbers)
        self.came.release()
        assert self.go.acquire(timeout=10)
        return [None if number in self.unanswered else str(number).encode() for number in numbers]


def run(story: Callable[[Desk], Awaitable[None]]) -> list[list[int]]:
    desk = Desk()
    asyncio.run(asyncio.wait_for(story(desk), 20))
    return desk.lots


async def arrive(lane: Lane, *numbers: int) -> "list[asyncio.Task[bytes | None]]":
    tasks = [asyncio.ensure_future(lane.answer({"number": number})) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def under_way(desk: Desk) -> None:
    assert await asyncio.to_thread(desk.came.acquire, timeout=10)


def test_who_comes_first_goes_at_once_and_who_comes_meanwhile_goes_together() -> None:
    async def story(desk: Desk) -> None:
        lane = Lane(PATH, desk.together, lots=1)
        first = await arrive(lane, 1)
        await under_way(desk)
        later = await arrive(lane, 2, 3, 4)
        desk.go.release()
        assert await first[0] == b"1"
        desk.go.release()
        assert await asyncio.gather(*later) == [b"2", b"3", b"4"]

    assert run(story) == [[1], [2, 3, 4]]


def test_a_lot_is_bounded_and_nobody_is_left_behind() -> None:
    async def story(desk: Desk) -> None:
        lane = Lane(PATH, desk.together, lots=1, at_most=2)
        tasks = await arrive(lane, 1, 2, 3, 4)
        for _ in range(3):
            desk.go.release()
        assert await asyncio.gather(*tasks) == [b"1", b"2", b"3", b"4"]

    assert run(story) == [[1], [2, 3], [4]]


def test_a_second_lot_sets_out_beside_the_first_once_it_is_worth_it() -> None:
    numbers = list(range(2, 2 + WORTH_A_LOT))

    async def story(desk: Desk) -> None:
        lane = Lane(PATH, desk.together, lots=2)
        tasks = await arrive(lane, 1)
        await under_way(desk)
        tasks += await arrive(lane, *numbers[:-1])
        assert desk.lots == [[1]]
        tasks += await arrive(lane, numbers[-1])
        await under_way(desk)
        tasks += await arrive(lane, 90, 91, 92, 93)
        assert desk.lots == [[1], numbers], "no more than two are under way"
        for _ in range(3):
            desk.go.release()
        await asyncio.gather(*tasks)

    assert run(story) == [[1], numbers, [90, 91, 92, 93]]


def test_who_is_gone_meanwhile_harms_nobody() -> None:
    async def story(desk: Desk) -> None:
        lane = Lane(PATH, desk.together, lots=1)
        gone, stays = await arrive(lane, 1, 2)
        await under_way(desk)
        gone.cancel()
        desk.go.release()
        desk.go.release()
        assert await stays == b"2"
        last = await arrive(lane, 3)
        desk.go.release()
        assert await last[0] == b"3"

    assert run(story) == [[1], [2], [3]]


def _application(request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("404 Not Found", [])
    return [b"usual ", request["wsgi.input"].read()]


class Broken(BaseException):
    """What nobody foresaw."""


def test_what_broke_goes_the_usual_way_and_the_lane_goes_on() -> None:
    def breaks(_requests: Sequence[Environ]) -> list[bytes | None]:
        raise Broken

    async def story() -> None:
        lane = Lane(PATH, breaks, lots=1)
        assert await lane.answer({"number": 1}) is None
        assert await lane.answer({"number": 2}) is None

    asyncio.run(asyncio.wait_for(story(), 20))


def _asked(path: str, answer: bytes | None) -> tuple[int, bytes]:
    scope, exchange = FakeScope(("content-length", "5")), FakeExchange(b"hello")
    scope.path = path

    def together(requests: Sequence[Environ]) -> list[bytes | None]:
        return [answer for _ in requests]

    asyncio.run(Gate(_application, 1, lane=Lane(PATH, together, lots=1)).answer(scope, exchange))
    (told,) = exchange.told
    return told


def test_the_gate_gives_the_lane_what_is_its_own_and_the_rest_to_the_application() -> None:
    assert _asked(PATH, b"{}") == (200, b"{}")
    assert _asked("/agent/v1/enrol", b"{}") == (404, b"usual hello")


def test_what_the_lane_does_not_answer_reaches_the_application_whole() -> None:
    assert _asked(PATH, None) == (404, b"usual hello")
