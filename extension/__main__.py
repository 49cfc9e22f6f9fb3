"""`python -m extension`: raises the version if what is built is another than under the present one."""

import re
from importlib import resources
from pathlib import Path

from contract.catalogue import Catalogue, parse
from extension.build import content_digest

FILE = Path(__file__).with_name("version.py")


def raised(source: str, digest: str) -> str:
    r"""Return the source of `version` for what is built now.

    >>> raised('VERSION = 3\nDIGEST = "aa"\n', "bb")
    'VERSION = 4\nDIGEST = "bb"\n'
    >>> raised('VERSION = 3\nDIGEST = "aa"\n', "aa")
    'VERSION = 3\nDIGEST = "aa"\n'
    """
    if f'DIGEST = "{digest}"' in source:
        return source
    higher = re.sub(
        r"^VERSION = (\d+)$", lambda found: f"VERSION = {int(found[1]) + 1}", source, flags=re.MULTILINE
    )
    return re.sub(r'^DIGEST = ".*"$', f'DIGEST = "{digest}"', higher, flags=re.MULTILINE)


def _catalogue() -> Catalogue:
    folder = resources.files("contract").joinpath("catalogue_data")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return parse({file.name: file.read_text(encoding="utf-8") for file in files})


if __name__ == "__main__":
    FILE.write_text(raised(FILE.read_text(encoding="utf-8"), content_digest(_catalogue())), encoding="utf-8")
