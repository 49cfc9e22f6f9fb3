"""The four model policies that companies start from; each works as it is."""

import json
from importlib import resources

from server.errors import RequestError

NAMES = ("ban", "restrict", "records", "orchestrate")
TITLES = {
    "ban": "Ban: only captured messengers are for work",
    "restrict": "Restrict: named messengers are for work, the rest for breaks",
    "records": "Records: the company has a right to its records",
    "orchestrate": "Orchestrate: work messaging goes through one platform",
}
PLACEHOLDER = "Example Ltd"


def template(name: str, company: str | None) -> str:
    """Return a model policy as TOML, for a company.

    Raises:
        RequestError: there is no such model.
    """
    if name not in NAMES:
        raise RequestError(f"There is no model policy {name!r}.", f"Choose one of {', '.join(NAMES)}.")
    file = resources.files("server.policies") / "models" / f"{name}.toml"
    text = file.read_text(encoding="utf-8")
    if company is None:
        return text
    # A JSON string is a TOML basic string; DEL, which JSON leaves as it is, is refused by TOML and in no name.
    quoted = json.dumps(company, ensure_ascii=False).replace("\x7f", "")
    return text.replace(f'company = "{PLACEHOLDER}"', f"company = {quoted}")
