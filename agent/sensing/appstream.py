"""AppStream: what an application's metainfo file adds to its desktop entry (AppStream 1.0, "Metainfo").

The files may be anybody's, so how much is read of them is bounded, none may declare entities, and what is malformed is passed over. None is
looked for before an application starts that nobody lists.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent.sensing import untrusted_xml

FILE_LIMIT_BYTES = 512 * 1024
WORDS_AT_MOST = 50
WORD_LIMIT = 200
_SUFFIXES = (".metainfo.xml", ".appdata.xml", ".desktop.metainfo.xml", ".desktop.appdata.xml")
_TYPES = frozenset({"desktop", "desktop-application", "console-application"})
_SCHEME = "x-scheme-handler/"
_TAKEN = {
    "component/summary": "summary",
    "component/categories/category": "category",
    "component/provides/mediatype": "type",
    "component/provides/mimetype": "type",
    "component/mimetypes/mimetype": "type",
}
_LANGUAGE = "xml:lang"


class Component(msgspec.Struct, frozen=True):
    """What a metainfo file says that matters here."""

    categories: tuple[str, ...] = ()
    url_schemes: tuple[str, ...] = ()
    summary: str | None = None


NOTHING = Component()


def component_of(desktop_id: str, folders: Iterable[Path]) -> Component:
    """Return what the metainfo file of a desktop entry says; the first that is found counts.

    Args:
        desktop_id: without `.desktop`.
        folders: where metainfo files lie, most important first.
    """
    if "/" in desktop_id:
        return NOTHING
    for folder in folders:
        for suffix in _SUFFIXES:
            file = folder / f"{desktop_id}{suffix}"
            try:
                if not file.is_file():
                    continue
                with file.open("rb") as opened:
                    content = opened.read(FILE_LIMIT_BYTES + 1)
                return parse(content) if len(content) <= FILE_LIMIT_BYTES else NOTHING
            except (OSError, ValueError):
                return NOTHING
    return NOTHING


def parse(content: bytes) -> Component:
    """Return what a metainfo file says; nothing of what describes no application.

    Raises:
        ValueError: it is no XML, or declares entities.
    """
    reader = _Reader()
    untrusted_xml.read(content, reader)
    return reader.component() if reader.type in _TYPES else NOTHING


class _Reader:
    """Owns where the parser is, and what was taken so far."""

    def __init__(self) -> None:
        self.type: str | None = None
        self._path: list[str] = []
        self._taking: str | None = None
        self._words: list[str] = []
        self._found: dict[str, list[str]] = {"summary": [], "category": [], "type": []}

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self.type = attributes.get("type", "") if name == "component" else None
        self._path.append(name)
        kind = _TAKEN.get("/".join(self._path)) if len(self._path) <= 3 else None
        self._taking = kind if kind and _LANGUAGE not in attributes else None
        self._words = []

    def text(self, text: str) -> None:
        if self._taking and len(self._words) < WORDS_AT_MOST:
            self._words.append(text)

    def end(self, _: str) -> None:
        self._path.pop()
        if self._taking:
            word = " ".join("".join(self._words).split())[:WORD_LIMIT]
            kept = self._found[self._taking]
            if word and len(kept) < WORDS_AT_MOST:
                kept.append(word)
        self._taking = None

    def component(self) -> Component:
        summary = self._found["summary"]
        return Component(
            categories=tuple(self._found["category"]),
            url_schemes=tuple(
                word.removeprefix(_SCHEME) for word in self._found["type"] if word.startswith(_SCHEME)
            ),
            summary=summary[0] if summary else None,
        )
