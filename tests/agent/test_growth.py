"""A busy day leaves nothing behind: after 24 hours the agent holds what it held after four."""

import tracemalloc
from pathlib import Path

import pytest

from tests.fakes.busy_day import BusyDay

OBJECTS_AT_MOST, BYTES_AT_MOST = 150, 64 * 1024
DATABASE_A_DAY_BYTES = 24 * 1024 * 1024


@pytest.mark.timeout(300)
def test_nothing_grows_over_a_busy_day(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        with BusyDay(tmp_path) as day:
            day.live(4)
            early = day.level()
            day.live(20)
            late = day.level()
            assert day.outcomes > 200, "messengers came and went"
            assert day.lines > 500, "trays were told of it"
            assert (
                day.agent._store.execute(
                    "SELECT count(*) FROM reminder WHERE outcome = 'acknowledged'"
                ).fetchone()[0]
                > 0
            )
            assert late.objects - early.objects <= OBJECTS_AT_MOST
            assert late.traced_bytes - early.traced_bytes <= BYTES_AT_MOST
            assert late.database_bytes <= DATABASE_A_DAY_BYTES
            assert [day.count(table) for table in ("outbox", "open_sighting")] == [0, 0]
            assert day.count("acknowledgement") <= 1000
    finally:
        tracemalloc.stop()
