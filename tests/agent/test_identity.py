import hashlib
import hmac
import socket

from agent.identity import device_name, hardware_digest

MACHINE = "0123456789abcdef0123456789abcdef"


def test_a_machine_is_known_to_one_tenant_by_a_hash_that_no_other_can_compare() -> None:
    acme, other = hardware_digest("acme", lambda: MACHINE), hardware_digest("other", lambda: MACHINE)
    assert acme == hmac.new(b"decorum:acme", MACHINE.encode(), hashlib.sha256).hexdigest()
    assert acme == hardware_digest("acme", lambda: MACHINE)
    assert acme != other
    assert MACHINE not in f"{acme}{other}"


def test_a_machine_without_an_id_has_no_identity() -> None:
    assert hardware_digest("acme", lambda: None) is None


def test_a_companys_device_has_its_host_name_and_a_personal_one_keeps_it() -> None:
    assert device_name("company") == socket.gethostname()[:200]
    assert device_name("personal") is None
