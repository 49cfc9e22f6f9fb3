"""A page of running text, as the policy and the notice are: blocks in reading order."""

from collections.abc import Sequence
from typing import Literal

import msgspec

BlockKind = Literal["title", "heading", "strong", "text", "muted", "item"]


class Block(msgspec.Struct, frozen=True):
    """A paragraph; `is_marked` if it is the one that was looked for."""

    kind: BlockKind
    text: str
    is_marked: bool = False


class Page(msgspec.Struct, frozen=True):
    """A whole page."""

    blocks: tuple[Block, ...]


def find(blocks: Sequence[Block], needles: Sequence[str]) -> int | None:
    """Return the number of the block that holds the first needle which is found at all; None if none is.

    >>> find((Block("heading", "Slack"), Block("text", "Slack may be used.")), ("absent", "slack"))
    1
    """
    for needle in needles:
        wanted = needle.casefold()
        for number, block in enumerate(blocks):
            if block.kind in {"text", "item"} and wanted in block.text.casefold():
                return number
    return None


def marked(page: Page, number: int | None) -> Page:
    """Return the page with one block marked."""
    if number is None:
        return page
    blocks = list(page.blocks)
    blocks[number] = msgspec.structs.replace(blocks[number], is_marked=True)
    return Page(tuple(blocks))
