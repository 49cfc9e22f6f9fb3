"""What this device knows of messengers, for a command that runs beside the agent: it reads what the agent keeps, where it may."""

import contextlib
from pathlib import Path

from agent.catalogue import shipped_entries
from agent.catalogue_shelf import FILE_NAME, kept_in, laid_over
from agent.errors import DistrustError
from agent.reporting.enrolment import Enrolment
from agent.rescue import ENROLMENT_FACT
from agent.store import STATE_FILE, peek
from contract import wire
from contract.catalogue import Catalogue, catalogue_of
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES


def known_here(state: Path) -> tuple[Catalogue, int]:
    """Return the catalogue and the version that was published of it; 0 for the one that came with this program.

    Args:
        state: the agent's state folder; of what cannot be read or does not hold there, nothing is used.
    """
    text = peek(state / STATE_FILE, ENROLMENT_FACT)
    with contextlib.suppress(MalformedError, DistrustError, OSError):
        if text is not None:
            enrolment = wire.decode(Enrolment, text.encode(), limit_bytes=REPLY_LIMIT_BYTES)
            bundle = kept_in(state / FILE_NAME, enrolment.trust)
            if bundle is not None:
                return laid_over(shipped_entries(), bundle)[0], bundle.version
    return catalogue_of(shipped_entries()), 0
