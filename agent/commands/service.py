"""`decorum service`: has this system start the agent by itself, or no more."""

import argparse
import sys
from pathlib import Path

from agent.commands import exits
from agent.commands.arguments import scope_of
from agent.errors import ServiceError
from agent.service.program import program_of, this_interpreter


def execute(arguments: argparse.Namespace) -> int:
    """Do it on this system, and say what is so now."""
    if sys.platform == "win32":
        return _on_windows(arguments)
    elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return _on_macos(arguments)
    else:
        raise ServiceError(
            "On Linux systemd starts the agent.", "Install Decorum's package, which brings its unit."
        )


if sys.platform == "win32":

    def _on_windows(arguments: argparse.Namespace) -> int:
        from agent.service import windows_logon, windows_service, windows_setup  # noqa: PLC0415 - Windows only

        action = arguments.service_command
        if scope_of(arguments) == "user":
            program = program_of(this_interpreter(), may_be_environment=True)
            if action == "run":
                windows_logon.start(program)
            elif action == "remove":
                windows_logon.remove()
                print("The agent starts no more when you log on. The one that runs ends when you log off.")
            else:
                windows_logon.install(program)
                print("The agent runs, and starts whenever you log on.")
            return exits.COMPLIANT
        if action == "run":
            return windows_service.run()
        if action == "remove":
            windows_setup.remove()
            print("The service is gone. Its state is still there.")
            return exits.COMPLIANT
        for refused in windows_setup.install():
            print(f"Windows did not take {refused}.", file=sys.stderr)
        print("The service runs, and starts with Windows.")
        return exits.COMPLIANT


if sys.platform == "darwin":

    def _on_macos(arguments: argparse.Namespace) -> int:
        from agent.service.launchd_jobs import Jobs  # noqa: PLC0415 - macOS only
        from agent.this_user import own_uid  # noqa: PLC0415 - as above

        if arguments.service_command == "run":
            raise ServiceError("launchd starts `decorum run` itself.", "Run `decorum run`.")
        jobs = Jobs(scope_of(arguments), own_uid(), Path.home())
        if arguments.service_command == "remove":
            jobs.remove()
            print("The agent is stopped, and starts no more. Its state is still there.")
        else:
            jobs.install(program_of(this_interpreter(), may_be_environment=True))
            print("The agent runs, and starts by itself.")
        return exits.COMPLIANT
