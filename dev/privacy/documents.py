"""Which documents there are, and what makes each."""

from collections.abc import Callable
from pathlib import Path

from dev.privacy import annex, assessment, page, sides

FOLDER = Path(__file__).resolve().parents[2] / "docs"
DOCUMENTS: dict[str, Callable[[], str]] = {
    "PRIVACY.md": page.page,
    "sides.md": sides.page,
    "privacy/assessment.md": assessment.page,
    "privacy/works-agreement.md": annex.page,
}
