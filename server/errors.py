"""What can go wrong on the server; one class for each decision that a caller can make."""

from contract.errors import DecorumError


class ServerError(DecorumError):
    """Root of the server's own errors."""

    title = "Decorum's server cannot do this"


class ConfigurationError(ServerError):
    """The environment says something that cannot be used."""

    title = "The server is not set up"


class StateError(ServerError):
    """The state folder, or a key in it, cannot be used; nothing is written over it."""

    title = "The state folder cannot be used"


class RequestError(ServerError):
    """A person asked for something that cannot be done."""

    title = "Not done"


class CatalogueFaultsError(ServerError):
    """A catalogue has faults; `findings` has each with its place and what to do."""

    title = "The catalogue is not in order"

    def __init__(self, detail: str, remedy: str, findings: tuple[str, ...]) -> None:
        super().__init__(detail, remedy)
        self.findings = findings


class TooOftenError(ServerError):
    """A device asks more often than any honest one does."""

    title = "Too often"


class RefusedError(ServerError):
    """A device's request is refused.

    Args:
        status: the HTTP status, 4xx.
        reason: a short code, stable across versions.
        detail: one sentence, what was wrong.
        remedy: one sentence, what the device's side can do.
    """

    title = "Refused"

    def __init__(self, status: int, reason: str, detail: str, remedy: str) -> None:
        super().__init__(detail, remedy)
        self.status, self.reason = status, reason
