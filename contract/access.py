"""Who may do what on Windows, as text (Microsoft, "Security Descriptor Definition Language"). Pure: read and written, never applied.

>>> others_in("O:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)", trusted={"S-1-5-18", "S-1-5-32-544"})
('S-1-5-32-545',)
"""

import re
from collections.abc import Collection

from contract.users import ADMINISTRATORS_SID, SYSTEM_SID, TRUSTED_INSTALLER_SID

SHORT_NAMES = {
    "SY": SYSTEM_SID,
    "BA": ADMINISTRATORS_SID,
    "BU": "S-1-5-32-545",
    "AU": "S-1-5-11",
    "IU": "S-1-5-4",
    "NU": "S-1-5-2",
    "WD": "S-1-1-0",
    "CO": "S-1-3-0",
    "OW": "S-1-3-4",
    "LS": "S-1-5-19",
    "NS": "S-1-5-20",
    "AN": "S-1-5-7",
    "BG": "S-1-5-32-546",
    "AC": "S-1-15-2-1",
}
"""Names that the language has for some SIDs (Microsoft, "SID Strings")."""
KNOCK = 0x12008B
"""What a client of a pipe needs: FILE_GENERIC_READ and FILE_WRITE_DATA, but not FILE_CREATE_PIPE_INSTANCE: who had that could listen, too,
at a pipe that is somebody else's. It is part of GENERIC_WRITE, so clients must not ask for that."""
WRITING = 0x000D0156
"""WRITE_DATA, APPEND_DATA, WRITE_EA, DELETE_CHILD, WRITE_ATTRIBUTES, DELETE, WRITE_DAC and WRITE_OWNER."""
REPLACING = 0x000D0040
"""DELETE_CHILD, DELETE, WRITE_DAC and WRITE_OWNER: who has one of them on a folder can put another in place of what lies in it."""
EVERY_RIGHT = 0xFFFFFFFF
ADMINISTRATION = frozenset({SYSTEM_SID, ADMINISTRATORS_SID, TRUSTED_INSTALLER_SID})
_DESCRIPTOR = re.compile(
    r"(?:O:(?P<owner>S-[0-9-]+|[A-Z]{2}))?(?:G:(?:S-[0-9-]+|[A-Z]{2}))?D:(?P<flags>[A-Z_]*)(?P<entries>(?:\([^()]*\))*)(?:S:.*)?"
)
_GENERIC = {"GA": 0x1F01FF, "GR": 0x120089, "GW": 0x120116, "GX": 0x1200A0, "FA": 0x1F01FF, "FR": 0x120089}
_NAMED = _GENERIC | {
    "FW": 0x120116,
    "FX": 0x1200A0,
    "RC": 0x20000,
    "SD": 0x10000,
    "WD": 0x40000,
    "WO": 0x80000,
    "CC": 0x1,
    "DC": 0x2,
    "LC": 0x4,
    "SW": 0x8,
    "RP": 0x10,
    "WP": 0x20,
    "DT": 0x40,
    "LO": 0x80,
    "CR": 0x100,
}


def pipe(own_sid: str, scope: str) -> str:
    """Return the descriptor of an agent's pipe: never over the network; a system's is for whoever sits at the device."""
    own = f"O:{own_sid}D:P(D;;FA;;;NU)(A;;FA;;;{own_sid})(A;;FA;;;SY)"
    return own if scope == "user" else f"{own}(A;;0x{KNOCK:x};;;BA)(A;;0x{KNOCK:x};;;IU)"


def private_folder(keeper: str) -> str:
    """Return the descriptor of a folder for one user or group, the system and administrators; what is made within has the same.

    Args:
        keeper: the SID of the user whose it is; that of the administrators for what is the system's agent's.
    """
    return f"O:{keeper}D:P{_entries('OICI', keeper, SYSTEM_SID, ADMINISTRATORS_SID)}"


def private_file(keeper: str) -> str:
    """Return the descriptor of a file for one user or group and the system: no administrator reads a user's key by accident."""
    return f"O:{keeper}D:P{_entries('', keeper, SYSTEM_SID)}"


def complaint(sddl: str, own_sid: str, rights: int) -> str | None:
    """Return why a folder that was found may not be used, None if it may.

    Args:
        sddl: the folder's descriptor, as Windows gives it.
        own_sid: whom the agent acts for; besides them only the administration may own it.
        rights: what nobody else may have, `EVERY_RIGHT` or `REPLACING`.
    """
    trusted = {own_sid, *ADMINISTRATION}
    owner = owner_in(sddl)
    if owner not in trusted:
        return f"belongs to {owner or 'nobody known'}"
    try:
        others = others_in(sddl, trusted, rights, of_its_own=rights == REPLACING)
    except ValueError:
        return "is open to everybody"
    what = "looked into" if rights == EVERY_RIGHT else "replaced"
    return f"may be {what} by {' and '.join(others)}" if others else None


def owner_in(sddl: str) -> str | None:
    """Return the SID of the owner that a descriptor names."""
    found = _DESCRIPTOR.fullmatch(sddl)
    owner = found["owner"] if found else None
    return None if owner is None else _sid(owner)


def others_in(
    sddl: str, trusted: Collection[str], rights: int = EVERY_RIGHT, *, of_its_own: bool = False
) -> tuple[str, ...]:
    """Return the SIDs besides the trusted ones that are granted any of some rights.

    Args:
        sddl: a file's descriptor, as Windows gives it.
        trusted: SIDs that may have any right.
        rights: which rights count, all by default.
        of_its_own: leave out what only things made within are to have.

    Raises:
        ValueError: it is not of that form; a file without a list at all is everybody's and refused, too.
    """
    found = _DESCRIPTOR.fullmatch(sddl)
    if found is None or "NO_ACCESS_CONTROL" in found["flags"]:
        raise ValueError(f"{sddl!r} grants everything or cannot be read")
    others = []
    for entry in found["entries"].strip("()").split(")("):
        fields = entry.split(";")
        if len(fields) < 6 or fields[0] in {"D", "OD", "AU"}:
            continue  # no entry at all, a refusal, or what is only written down
        if of_its_own and "IO" in fields[1]:
            continue
        sid = _sid(fields[5])
        if sid not in trusted and _mask(fields[2]) & rights:
            others.append(sid)
    return tuple(others)


def _entries(inherited: str, *sids: str) -> str:
    return "".join(f"(A;{inherited};FA;;;{sid})" for sid in dict.fromkeys(sids))


def _sid(name: str) -> str:
    return SHORT_NAMES.get(name, name)


def _mask(rights: str) -> int:
    if rights.startswith("0x"):
        return int(rights, 16)
    mask = 0
    for start in range(0, len(rights), 2):
        mask |= _NAMED.get(rights[start : start + 2], 0xFFFFFFFF)  # what is not known counts as everything
    return mask
