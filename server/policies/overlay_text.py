r"""Changing an overlay's text by a few words, so that everything else in it stays as it was written, remarks included. Pure.

>>> text = with_never('# Ours\n[acme]\nname = "Acme"\n', "unlisted:dialer")
>>> print(text, end="")
# Ours
never = ["unlisted:dialer"]
<BLANKLINE>
[acme]
name = "Acme"
>>> print(without_never(text, "unlisted:dialer"), end="")
# Ours
never = []
<BLANKLINE>
[acme]
name = "Acme"
"""

from collections.abc import Iterable, Iterator

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Table

from contract.errors import MalformedError
from contract.evidence import KnownBy
from contract.overlay import ALSO_SEEN, NEVER

SOURCE = "reported by devices"
"""What stands as the source of a row that was added here."""
_SEEN = "seen"


def with_never(text: str, messenger: str) -> str:
    """Return the overlay with an unlisted messenger named as none.

    Raises:
        MalformedError: the overlay cannot be changed by a program.
    """
    document = _read(text)
    if NEVER not in document:
        document[NEVER] = tomlkit.array()
    never = document[NEVER]
    if not isinstance(never, Array):
        raise _odd(f"{NEVER} is the id of a messenger there.")
    if messenger not in never.unwrap():
        never.append(messenger)
    return _written(document)


def without_never(text: str, messenger: str) -> str:
    """Return the overlay without that.

    Raises:
        MalformedError: as `with_never`.
    """
    document = _read(text)
    never = document.get(NEVER)
    if isinstance(never, Array) and messenger in never.unwrap():
        never.remove(messenger)
    return _written(document)


def with_messenger(
    text: str, messenger: str, fields: Iterable[tuple[str, str]], ways: Iterable[KnownBy]
) -> str:
    """Return the overlay with a messenger of its own, or with more rows for one that it or the list has.

    Args:
        text: the overlay.
        messenger: its id.
        fields: what a new one has beside its rows; empty for one that is listed.
        ways: how it shows itself.

    Raises:
        MalformedError: as `with_never`.
    """
    document = _read(text)
    given = tuple(fields)
    if messenger not in document:
        document[messenger] = tomlkit.table()
        for name, value in given:
            document[messenger][name] = value
    table = document[messenger]
    if not isinstance(table, Table):
        raise _odd(f"{messenger} is no table there.")
    key = _SEEN if given or _SEEN in table else ALSO_SEEN
    if key not in table:
        table[key] = tomlkit.array()
    found = table[key]
    if not isinstance(found, Array):
        raise _odd(f"{messenger}.{key} is no list there.")
    for way in ways:
        row = tomlkit.array()
        shown = tomlkit.inline_table()
        shown[way.kind] = way.value
        row.extend([way.platform, SOURCE, shown])
        found.append(row)
    found.multiline(multiline=len(found) > 1)
    return _written(document)


def without_ways(text: str, ways: Iterable[KnownBy]) -> str:
    """Return the overlay without the rows that were added here for these; a messenger that is left without any goes along.

    Raises:
        MalformedError: as `with_never`.
    """
    document = _read(text)
    gone = [[way.platform, SOURCE, {way.kind: way.value}] for way in ways]
    for messenger, key, found in list(_lists(document)):
        written = found.unwrap()
        left = [number for number, row in enumerate(written) if row not in gone]
        if len(left) == len(written):
            continue
        if left:
            for number in reversed(range(len(written))):
                if number not in left:
                    found.pop(number)
            continue
        table = document[messenger]
        del table[key]
        # What is written whole is nothing without a row; a correction may still say something else.
        if key == _SEEN or not table:
            del document[messenger]
    return _written(document)


def _lists(document: tomlkit.TOMLDocument) -> Iterator[tuple[str, str, Array]]:
    for messenger, table in document.items():
        if isinstance(table, Table):
            for key in (_SEEN, ALSO_SEEN):
                found = table.get(key)
                if isinstance(found, Array):
                    yield messenger, key, found


def _read(text: str) -> tomlkit.TOMLDocument:
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise _odd(f"{error}.") from error
    if any(isinstance(table, AoT) for table in document.values()):
        raise _odd("It has a list of tables.")
    return document


def _written(document: tomlkit.TOMLDocument) -> str:
    """Return the text, without the blank lines that a table at its end leaves behind."""
    text = document.as_string().rstrip("\n")
    return f"{text}\n" if text else ""


def _odd(detail: str) -> MalformedError:
    return MalformedError(
        f"The overlay cannot be changed here: {detail}",
        "Change its file, and publish it with `decorum-server catalogue publish --overlay FILE`.",
    )
