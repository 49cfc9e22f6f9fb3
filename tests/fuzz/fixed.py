"""Keys, names and times that never change, so that what was found once is found again. They open nothing anywhere."""

from datetime import UTC, datetime

from contract.envelope import Address, SigningKey, seal
from contract.messages import KeyProof
from contract.wire import encode

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TENANT = "acme"
DEVICE = "00112233445566778899"
SECRET = f"{TENANT}.a-secret-for-tests"
TOKEN = f"{TENANT}.a-token-for-tests"
CHECK_IN = Address(type="check-in", tenant=TENANT, device=DEVICE, direction="to_server")
ENROLMENT = Address(type="enrolment", tenant=TENANT, device="new", direction="to_server")
HOLDINGS = Address(type="holdings-request", tenant=TENANT, device=DEVICE, direction="to_server")
LEAVE = Address(type="leave-request", tenant=TENANT, device=DEVICE, direction="to_server")
ENROL_PATH, CHECK_IN_PATH = "/agent/v1/enrol", "/agent/v1/check-in"
HOLDINGS_PATH, LEAVE_PATH = "/agent/v1/holdings", "/agent/v1/leave"
_NEXT = Address(type="device-key", tenant=TENANT, device=DEVICE, direction="to_server")


def _key(secret_half: str, public_half: str) -> SigningKey:
    return SigningKey.from_text(f'{{"kty":"OKP","crv":"Ed25519","d":"{secret_half}","x":"{public_half}"}}')


KEY = _key("301M_POXfoqjEH35MJCxPnd2gzeAwepJS-yVdwpY3-4", "zLbYpFbyvyjYBXbBBpoU0kaSVPJOHQfq3zFxxdla7dg")
NEXT_KEY = _key("7sUilW5MuWZnojvepPI85sN-JRXqo3VukeaogMyMDm0", "2ztfUd6giyq7ollFkH00p49WwlyXQE9kq8Kfekj60W0")


def proof() -> str:
    """Return the proof that the device holds its next key."""
    return seal(encode(KeyProof(takes_place_of=KEY.public.text)), _NEXT, NEXT_KEY)


def sealed_text(payload: bytes, address: Address) -> str:
    """Return what the device has sealed, or for an enrolment a new one."""
    return seal(payload, address, NEXT_KEY if address is ENROLMENT else KEY)
