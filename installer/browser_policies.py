"""Writes the templates of the browsers' policies: `python -m installer.browser_policies`. A test holds them current.

`decorum-server extension policy BROWSER` prints the same with a server's own address and the id of its own key.
"""

from pathlib import Path

from extension.published import BROWSERS, policy

FOLDER = Path(__file__).with_name("browsers")
EXAMPLE_ID = "a" * 32
EXAMPLE_ADDRESS = "https://decorum.example.com/extension"


def templates() -> dict[str, str]:
    """Return each template by its file's name."""
    return {f"{browser}.json": policy(browser, EXAMPLE_ID, EXAMPLE_ADDRESS) for browser in BROWSERS}


if __name__ == "__main__":
    for name, content in templates().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
