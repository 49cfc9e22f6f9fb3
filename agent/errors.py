"""What can go wrong in the agent; one class for each decision that a caller can make."""

from contract.errors import DecorumError


class AgentError(DecorumError):
    """Root of the agent's own errors."""

    title = "Decorum's agent cannot do this"


class StateError(AgentError):
    """The state folder cannot be used."""

    title = "The state folder cannot be used"


class DamageError(AgentError):
    """The state was found damaged, and the agent went on with what was left."""

    title = "The state was damaged"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "Check the disk. Nothing is asked of you here: your company has been told.")


class SettingsError(AgentError):
    """The settings file cannot be read or is wrong."""

    title = "The settings cannot be used"


class CredentialError(AgentError):
    """The device's key cannot be kept or read; nothing degrades in silence."""

    title = "The device's key cannot be kept"


class EnrolmentError(AgentError):
    """The server did not take the device in, or is not whom it claims to be."""

    title = "The device was not enrolled"


class AlreadyEnrolledError(EnrolmentError):
    """The device belongs to a server already."""

    title = "This device is enrolled already"


class OtherServerError(EnrolmentError):
    """The settings name another server than the one that took the device in."""

    title = "This device belongs to another server"


class NotYoursError(AgentError):
    """Only whose device it is may take it out."""

    title = "This device is your company's"

    def __init__(self) -> None:
        super().__init__(
            "Its settings say that it belongs to the company.", "Ask your administrator to take it out."
        )


class NoticeFirstError(AgentError):
    """Somebody asks for more than a sign of life to leave before they know what is collected."""

    title = "Nothing leaves yet"

    def __init__(self) -> None:
        super().__init__(
            "You have not been shown yet what Decorum collects, so nothing about you has left this device.",
            "Read it in the tray first, or run `decorum-tray`.",
        )


class UnreadableApplicationsError(AgentError):
    """What is installed here cannot be looked at."""

    title = "What is installed here cannot be looked at"

    def __init__(self, detail: str) -> None:
        super().__init__(
            detail, "Check that folder's rights. What was known of it stays, and it is tried again."
        )


class ExportFolderError(AgentError):
    """A folder that a connector fills says nothing."""

    title = "What is retained cannot be told"

    def __init__(self, connector: str, folder: str, trouble: str) -> None:
        super().__init__(
            f"The export folder of {connector}, {folder}, {trouble}.",
            "Name a folder in export_folders that the agent may list, with the newest files directly in it.",
        )


class OverLimitError(AgentError):
    """The agent costs this device too much."""

    title = "Decorum uses too much of this device"

    def __init__(self, detail: str) -> None:
        super().__init__(
            detail, "It goes back to its usual pace by itself; if this stays, tell your administrator."
        )


class ServiceError(AgentError):
    """The system does not take, start or stop the agent as a service."""

    title = "The service cannot be set up"


class NoProcessError(AgentError):
    """A process that was asked about does not exist."""

    title = "There is no such process"


class NoApplicationError(AgentError):
    """An application that was asked about is not installed."""

    title = "There is no such application"


class NotEnrolledError(AgentError):
    """Something needs an enrolled device."""

    title = "This device is not enrolled"

    def __init__(self) -> None:
        super().__init__("No server has taken it in yet.", "Run `decorum enrol`.")


class AgentAbsentError(AgentError):
    """No agent listens."""

    title = "Decorum's agent is not running"

    def __init__(self, socket: str) -> None:
        super().__init__(f"Nobody listens at {socket}.", "Start it with `decorum run`.")


class UnreachableError(AgentError):
    """The server did not answer."""

    title = "The server cannot be reached"
    retry_after_seconds = 0.0
    """How long the other end asked to wait."""


class RefusedError(AgentError):
    """The server answered, and said no; `reason` is its code."""

    title = "The server refused"

    def __init__(self, detail: str, remedy: str, reason: str) -> None:
        super().__init__(detail, remedy)
        self.reason = reason
        self.retry_after_seconds = 0.0


class DistrustError(AgentError):
    """What the server sent does not hold; `reason` is a short code."""

    title = "The server's answer cannot be trusted"

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(detail, "Ask your administrator; the last good state stays in force.")
        self.reason = reason


class CannotOpenError(AgentError):
    """No way is known in which a messenger can be opened here."""

    title = "It was not opened"


class NotForWorkError(AgentError):
    """The policy in force has no place for a messenger at work."""

    title = "It is not for work"


class NowhereToHandOverError(AgentError):
    """The administrator has named no folder for what people hand over."""

    title = "Nothing was handed over"

    def __init__(self) -> None:
        super().__init__(
            "Your company has named no folder for it on this device.",
            "Ask how such files are to be kept; an administrator sets retention_folder.",
        )


class CannotAskError(AgentError):
    """The server does not take requests."""

    title = "It was not asked"

    def __init__(self) -> None:
        super().__init__(
            "Your company's server is older than this Decorum and takes no requests, or has not answered yet.",
            "Try again after the next check-in, or ask in person.",
        )
