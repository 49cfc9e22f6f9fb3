r"""Version information: how an executable of Windows describes itself (Microsoft, "VS_VERSIONINFO structure" and those it links to).

A node has its length, the length of its value, its type and its name in UTF-16 with a zero behind; value and nodes below begin at multiples of
four. The strings stand three levels below the first node, once for each language:

>>> def node(name, value=b"", below=b"", of_text=1, words=0):
...     head = name.encode("utf-16-le") + b"\0\0"
...     head += bytes(-(6 + len(head)) % 4) + value
...     body = head + (bytes(-(6 + len(head)) % 4) + below if below else b"")
...     return b"".join(number.to_bytes(2, "little") for number in (6 + len(body), words or len(value), of_text)) + body
>>> text = "Foo chat client\0".encode("utf-16-le")
>>> told = node("FileDescription", text, words=len(text) // 2)
>>> block = node("VS_VERSION_INFO", bytes(52), node("StringFileInfo", below=node("040904b0", below=told)), of_text=0)
>>> parse(block)
('Foo chat client',)
"""

import struct
from collections.abc import Iterator
from itertools import islice

BLOCK_LIMIT_BYTES = 64 * 1024
"""No node can be longer, since its length is written in 16 bits."""
TEXTS_AT_MOST = 20
_HEAD = struct.Struct("<HHH")
_TOLD = frozenset({"FileDescription", "ProductName"})

_Node = tuple[str, bytes, int, int]
"""Its name, its value, and where what stands below it begins and ends."""


def parse(untrusted_block: bytes) -> tuple[str, ...]:
    """Return the descriptions and names of the product, in the order in which they stand; none for what is of another form."""
    block = untrusted_block[:BLOCK_LIMIT_BYTES]
    return tuple(dict.fromkeys(islice(_texts(block), TEXTS_AT_MOST)))


def _texts(block: bytes) -> Iterator[str]:
    for name, _, begin, end in islice(_nodes(block, 0, len(block)), 1):
        if name != "VS_VERSION_INFO":
            return
        for kind, _, first, last in _nodes(block, begin, end):
            if kind != "StringFileInfo":
                continue
            for _, _, opens, closes in _nodes(block, first, last):
                for key, value, _, _ in _nodes(block, opens, closes):
                    text = value.decode("utf-16-le", "replace").partition("\0")[0].strip()
                    if key in _TOLD and text:
                        yield text


def _nodes(block: bytes, begin: int, end: int) -> Iterator[_Node]:
    while begin + _HEAD.size <= end:
        length, value_length, is_text = _HEAD.unpack_from(block, begin)
        last = begin + length
        zero = _zero(block, begin + _HEAD.size, last)
        if last > end or zero is None:
            return
        name = block[begin + _HEAD.size : zero].decode("utf-16-le", "replace")
        value = _aligned(zero + 2)
        below = min(value + value_length * (2 if is_text else 1), last)
        yield name, block[value:below], _aligned(below), last
        begin = _aligned(last)


def _zero(block: bytes, begin: int, end: int) -> int | None:
    """Return where a name ends; None where it does not."""
    found = begin - 1
    while (found := block.find(b"\0\0", found + 1, end)) >= 0:
        if (found - begin) % 2 == 0:
            return found
    return None


def _aligned(offset: int) -> int:
    return offset + -offset % 4
