"""`python -m bench.console_queries ADDRESS ...`: how often each page asks the database, and how long that takes, in one process.

The server is named by its environment, as for `decorum-server`. Printed as JSON: for each address the questions, and milliseconds in
the database of the median visit.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import django
from django.db import connection

VISITS = 7


class Asked:
    """Counts and times what is asked of the database."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.statements: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Ask."""
        began = time.perf_counter()
        try:
            return execute(sql, *rest)
        finally:
            self.milliseconds.append((time.perf_counter() - began) * 1000)
            self.statements.append(sql)


def main(argv: Sequence[str]) -> None:
    django.setup()
    from django.contrib.auth.models import User  # noqa: PLC0415 - models are ready only now
    from django.test import Client  # noqa: PLC0415 - alike

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username="admin"))
    found = {}
    for address in argv:
        visits = [_visit(client, address) for _ in range(VISITS)]
        milliseconds = statistics.median(sum(asked.milliseconds) for asked in visits)
        found[address] = (len(visits[-1].milliseconds), milliseconds)
        took, statement = max(zip(visits[-1].milliseconds, visits[-1].statements, strict=True))
        print(f"{address}: {took:.0f} ms: {statement}", file=sys.stderr)
    print(json.dumps(found))


def _visit(client: Any, address: str) -> Asked:
    asked = Asked()
    with connection.execute_wrapper(asked):
        response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")
    return asked


if __name__ == "__main__":
    main(sys.argv[1:])
