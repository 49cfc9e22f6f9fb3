"""Reading XML that anybody may have written, with Python's own expat: nothing in it is expanded, and nothing else is read for it."""

from typing import Protocol


class Reader(Protocol):
    """Takes what it wants while a file is read from its beginning to its end."""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """Take note that an element begins."""

    def text(self, text: str) -> None:
        """Take text within it."""

    def end(self, name: str) -> None:
        """Take note that it ends."""


def read(content: bytes, reader: Reader) -> None:
    """Hand a file to a reader, piece by piece.

    Raises:
        ValueError: it is no XML, or declares entities.
    """
    from xml.parsers import expat  # noqa: PLC0415 - most agents never meet such a file

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def _refuse(*_: object) -> None:
    raise ValueError("it declares entities")
