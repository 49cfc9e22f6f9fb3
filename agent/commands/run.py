"""`decorum run`: the daemon in the foreground."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from agent.commands import exits
from agent.commands.arguments import scope_of, settings_file_of, socket_of, state_of, work_of
from agent.settings import load

_log = logging.getLogger(__name__)
STARTS_AT_MOST = 5
"""A state that is found damaged while the agent runs is set aside by starting anew; a disk that damages each is given up."""


def execute(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    return asyncio.run(serve(arguments, _hear_signals))


def _hear_signals(end: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(
            NotImplementedError
        ):  # on Windows Ctrl-C cancels, and a service is told otherwise
            asyncio.get_running_loop().add_signal_handler(number, end)


async def serve(arguments: argparse.Namespace, hear_stop: Callable[[Callable[[], None]], None]) -> int:
    """Run the agent until it is asked to stop, and return the exit code.

    Args:
        arguments: as of `decorum run`.
        hear_stop: gets what ends it, to be called in this loop.

    Raises:
        DecorumError: it cannot run here.
    """
    from agent.clock import SystemClock  # noqa: PLC0415 - --help needs none of this
    from agent.credentials.interface import choose  # noqa: PLC0415
    from agent.managed import managed_source  # noqa: PLC0415
    from agent.managed.files import stamp_of  # noqa: PLC0415
    from agent.provisioning import refusal_in  # noqa: PLC0415
    from agent.reporting.transport import HttpTransport  # noqa: PLC0415
    from agent.reporting.wishes import kept  # noqa: PLC0415
    from agent.rescue import is_damaged  # noqa: PLC0415
    from agent.runtime import Agent, Options, Surroundings  # noqa: PLC0415
    from agent.selflimit import Meter  # noqa: PLC0415
    from agent.sensing.folder_watch import SystemFolderWatch  # noqa: PLC0415
    from agent.sensing.installed import installed_applications  # noqa: PLC0415
    from agent.sensing.signals.this_system import signal_source  # noqa: PLC0415
    from agent.sensing.this_system import applications, events_offered, process_source  # noqa: PLC0415
    from agent.service.systemd import Systemd  # noqa: PLC0415
    from agent.settings_watch import SettingsPlace  # noqa: PLC0415
    from agent.store import STATE_FILE  # noqa: PLC0415

    file, managed, state = settings_file_of(arguments), managed_source(), state_of(arguments)
    refusal = refusal_in(state)
    if refusal is not None:
        _log.warning(
            "nothing of what the installer was given was taken: %s %s", refusal.detail, refusal.remedy
        )
    settings = load(file, managed, kept(state))
    options = Options(
        state=state, socket=socket_of(arguments), scope=scope_of(arguments), work=work_of(arguments)
    )
    clock, processes = SystemClock(), process_source()
    entries = installed_applications(os.environ, Path.home())
    outside = Surroundings(
        clock=clock,
        processes=processes,
        signals=signal_source(processes),
        starts=events_offered(),
        entries=entries,
        applications=applications(entries, os.environ, Path.home()),
        folder_watch=SystemFolderWatch(),
        download_watch=SystemFolderWatch(),
        export_watch=SystemFolderWatch(),
        credentials=choose(settings.key_store, options.state),
        transport=HttpTransport(),
        usage=Meter(clock),
        settings=SettingsPlace(
            read=lambda: load(file, managed, kept(state)),
            stamp=lambda: (None if file is None else stamp_of(file), managed.stamp(), kept(state)),
        ),
        systemd=Systemd.taken_from(os.environ, os.getpid()),
    )
    stop, asked = asyncio.Event(), asyncio.Event()

    def end() -> None:
        asked.set()
        stop.set()

    hear_stop(end)
    damaged = 0
    while damaged < STARTS_AT_MOST:
        agent = Agent(options, settings, outside)
        try:
            ended_well = await agent.run(stop)
        finally:
            agent.close()
        if asked.is_set() or agent.has_left:
            return exits.COMPLIANT
        if agent.next_settings is not None:
            stop.clear()
            settings = agent.next_settings
            credentials = choose(settings.key_store, options.state)
            outside = msgspec.structs.replace(outside, credentials=credentials)
        elif ended_well or not is_damaged(options.state / STATE_FILE):
            break
        else:
            damaged += 1
    return exits.FAULT
