"""`decorum policy show|check`: the policy as people read it; whether a file is one."""

import argparse
import os
from pathlib import Path

from agent.catalogue import load as load_catalogue
from agent.commands import exits
from agent.commands.printing import print_json
from agent.localapi.client import LocalClient
from contract.document import render
from contract.errors import MalformedError
from contract.local import PolicyPage, PolicyQuery, Section
from contract.policy import Policy, parse


def execute(arguments: argparse.Namespace) -> int:
    """Do the one or the other."""
    if arguments.policy_command == "check":
        return _check(arguments.file, as_json=arguments.json)
    return _show(arguments)


def _show(arguments: argparse.Namespace) -> int:
    with LocalClient(arguments.socket, os.environ) as client:
        page = client.ask("policy", PolicyQuery(arguments.language), PolicyPage)
    if arguments.json:
        print_json(page)
    elif page.title is None:
        print("No policy has reached this device yet.")
    else:
        expires = f", in force until {page.expires.astimezone():%Y-%m-%d}" if page.expires else ""
        print(f"{page.title}\nVersion {page.version}, number {page.serial}{expires}")
        _print_sections(page.sections)
    return exits.COMPLIANT if page.title is not None else exits.ATTENTION


def _check(file: Path, *, as_json: bool) -> int:
    policy = parse(_read(file))
    sections = render(policy, policy.language, load_catalogue().name_of)
    if as_json:
        print_json({"id": policy.id, "version": policy.version, "sections": sections})
    else:
        print(f"{file} is a policy: {_title(policy)}, version {policy.version}. People will read:")
        _print_sections(sections)
    return exits.COMPLIANT


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise MalformedError(f"{file} cannot be read ({error.strerror}).", "Check its name.") from error
    except UnicodeDecodeError as error:
        raise MalformedError(f"{file} is not UTF-8 text.", "Save it as UTF-8.") from error


def _title(policy: Policy) -> str:
    return policy.text(policy.title, policy.language)


def _print_sections(sections: tuple[Section, ...]) -> None:
    for section in sections:
        print(f"\n{section.heading}")
        for paragraph in section.paragraphs:
            print(f"  {paragraph}")
