"""The browsers' extension as this server offers it: signed with a key of the server's own, and the same bytes at each asking.

Browsers fetch it without a session, and what they get tells nothing of anybody. It is made on the first asking, and kept.
"""

from functools import lru_cache
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from extension.crx import extension_id, new_key
from extension.published import File, files
from server import state_folder
from server.errors import ServerError, StateError
from server.identity import KEYS_FOLDER

PREFIX = "/extension/"
KEY_FILE = "extension.pem"
KEPT_SECONDS = 300
"""How long a browser or a proxy may keep an answer."""


def establish(folder: Path) -> None:
    """Make the key, on the first call and only then.

    Raises:
        StateError: it cannot be written.
    """
    file = folder / KEYS_FOLDER / KEY_FILE
    if state_folder.read(file) is None:
        state_folder.create(file, new_key())


def id_in(folder: Path) -> str:
    """Return the extension's id in Chromium browsers.

    Raises:
        StateError: the key is missing or damaged.
    """
    try:
        return extension_id(_key(folder))
    except ValueError as error:
        raise _damaged(folder) from error


def address(url: str) -> str:
    """Return the address of all that is offered."""
    return f"{url}{PREFIX}".rstrip("/")


def answer(request: HttpRequest) -> HttpResponse:
    """Answer a browser."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    if settings.STATE is None:
        return HttpResponse(status=404)
    try:
        offered = offered_in(settings.STATE, settings.CONFIGURATION.url)
    except ServerError as error:
        return HttpResponse(f"{error.title}.\n", status=503, content_type="text/plain; charset=utf-8")
    file = offered.get(request.path_info.removeprefix(PREFIX))
    if file is None:
        return HttpResponse(status=404)
    return HttpResponse(
        file.content,
        content_type=file.content_type,
        headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}", "X-Content-Type-Options": "nosniff"},
    )


def offered_in(folder: Path, url: str) -> dict[str, File]:
    """Return what is offered, by its path.

    Raises:
        StateError: the key is missing or damaged.
    """
    try:
        return _made(_key(folder), url, _catalogues().newest_version())
    except ValueError as error:
        raise _damaged(folder) from error


@lru_cache(maxsize=2)
def _made(key: str, url: str, edition: int) -> dict[str, File]:
    return files(_catalogues().in_use(), key, address(url), edition)


def _catalogues() -> ModuleType:
    from server.policies import catalogues  # noqa: PLC0415 - `migrate` makes the key before Django has started

    return catalogues


def _key(folder: Path) -> str:
    file = folder / KEYS_FOLDER / KEY_FILE
    text = state_folder.read(file)
    if text is None:
        raise StateError(
            f"{file} is missing.", "Run `decorum-server migrate`, or restore it from its backup."
        )
    return text


def _damaged(folder: Path) -> StateError:
    return StateError(
        f"{folder / KEYS_FOLDER / KEY_FILE} is damaged.", "Restore it from its backup; it was left as it is."
    )
