"""Users as numbers. Linux and macOS have them; a Windows user has a name of their own kind, a SID, and gets a number made of it.

The number is the same on every run and every machine, needs no table, and stands wherever a uid stands:

>>> number_of_sid("S-1-5-18")
0
>>> number_of_sid("S-1-5-21-1004336348-1177238915-682003330-1001")
7152254136820001244
"""

import hashlib
import re
import struct

ADMINISTRATOR = 0
"""root, and on Windows the system itself."""
SYSTEM_SID = "S-1-5-18"
ADMINISTRATORS_SID = "S-1-5-32-544"
TRUSTED_INSTALLER_SID = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
"""The service that Windows itself is installed by."""
XUCRED = struct.Struct("=IIh2x16I")
"""struct xucred of macOS' <sys/ucred.h>: cr_version, cr_uid, cr_ngroups, and 16 groups after two bytes of padding."""
_XUCRED_VERSION = 0
_SID = re.compile(r"S-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15}")
_PERSON = re.compile(r"S-1-5-21(?:-[0-9]{1,10}){3}-(?:500|[1-9][0-9]{3,9})|S-1-12-1(?:-[0-9]{1,10}){4}")


def number_of_sid(sid: str) -> int:
    """Return a user's number: 63 bits of the SID's SHA-256, so that it fits where a signed 64-bit number fits.

    Two of a million users are taken for one with a chance of 1 in 18 million; whoever could choose their own SID to be taken for
    somebody else administers the domain.

    Raises:
        ValueError: this is no SID in its text form (Microsoft, "SID Components").
    """
    if not _SID.fullmatch(sid):
        raise ValueError(f"{sid!r} is no SID")
    if sid == SYSTEM_SID:
        return ADMINISTRATOR
    return int.from_bytes(hashlib.sha256(sid.encode("ascii")).digest()[:8], "big") >> 1 or 1


def is_person_sid(sid: str) -> bool:
    """Tell whether a SID is of a person's account rather than of a service, a group or the system.

    Accounts of a machine or domain have S-1-5-21, its three numbers, and 500 (the first administrator) or 1000 and more; those of
    Entra ID have S-1-12-1 (Microsoft, "Security identifiers" and "Well-known SIDs").

    >>> is_person_sid("S-1-5-21-1-2-3-1001"), is_person_sid("S-1-5-21-1-2-3-501"), is_person_sid("S-1-5-19")
    (True, False, False)
    """
    return _PERSON.fullmatch(sid) is not None


def uid_in_xucred(credentials: bytes) -> int | None:
    """Return the user whom macOS names at a socket's other end; None for a version that is not known.

    Raises:
        struct.error: it is cut short.
    """
    version, uid, *_ = XUCRED.unpack(credentials)
    return int(uid) if version == _XUCRED_VERSION else None
