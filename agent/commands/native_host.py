"""`decorum native-host`: what browsers start to tell the agent which messengers' pages are open."""

import argparse
import os
import sys

from agent.commands import exits
from agent.commands.arguments import settings_file_of
from agent.localapi.client import LocalClient
from agent.native_host import NativeHost, check_caller
from agent.settings import load


def execute(arguments: argparse.Namespace) -> int:
    """Pass on until the browser ends."""
    check_caller(arguments.words, load(settings_file_of(arguments)).web_extension)
    NativeHost(
        sys.stdin.buffer, lambda: LocalClient(arguments.socket, os.environ), browser_pid=os.getppid()
    ).run()
    return exits.COMPLIANT
