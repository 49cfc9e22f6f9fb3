"""`decorum run`: the daemon in the foreground."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

from agent.commands import exits
from agent.commands.arguments import scope_of, settings_file_of, socket_of, state_of
from agent.settings import load

STARTS_AT_MOST = 5
"""A state that is found damaged while the agent runs is set aside by starting anew; a disk that damages each is given up."""


def execute(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    from agent.clock import SystemClock  # noqa: PLC0415 - --help needs none of this
    from agent.credentials.interface import choose  # noqa: PLC0415
    from agent.reporting.transport import HttpTransport  # noqa: PLC0415
    from agent.rescue import is_damaged  # noqa: PLC0415
    from agent.runtime import Agent, Options, Surroundings  # noqa: PLC0415
    from agent.selflimit import Meter  # noqa: PLC0415
    from agent.sensing.desktop_entries import DesktopIndex, standard_folders  # noqa: PLC0415
    from agent.sensing.this_system import process_source  # noqa: PLC0415
    from agent.store import STATE_FILE  # noqa: PLC0415

    settings = load(settings_file_of(arguments))
    options = Options(state=state_of(arguments), socket=socket_of(arguments), scope=scope_of(arguments))
    clock = SystemClock()
    outside = Surroundings(
        clock=clock,
        processes=process_source(),
        entries=DesktopIndex(standard_folders(os.environ, Path.home())),
        credentials=choose(settings.key_store, options.state),
        transport=HttpTransport(),
        usage=Meter(clock),
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows ends the program by other means
            loop.add_signal_handler(number, stop.set)
    for _ in range(STARTS_AT_MOST):
        agent = Agent(options, settings, outside)
        try:
            was_asked = await agent.run(stop)
        finally:
            agent.close()
        if was_asked:
            return exits.COMPLIANT
        if not is_damaged(options.state / STATE_FILE):
            break
    return exits.FAULT
