"""The root of every error that Decorum shows a person: a title, a sentence, a remedy."""


class DecorumError(Exception):
    """An error with a human title and a remedy.

    Args:
        detail: one sentence, what is wrong, with the value or the place.
        remedy: one sentence, what the reader can do about it.
    """

    title = "Something went wrong"

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.title}: {self.detail} {self.remedy}"


class MalformedError(DecorumError):
    """Data that does not have the agreed form; `path` names the wrong field, as in `$.rules[0].stance`."""

    title = "Not in the agreed form"

    def __init__(self, detail: str, remedy: str, path: str = "$") -> None:
        super().__init__(detail, remedy)
        self.path = path
