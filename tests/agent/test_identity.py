import hashlib
import hmac
import socket
from pathlib import Path

import pytest

from agent.identity import device_name, hardware_digest

MACHINE = "0123456789abcdef0123456789abcdef"


def test_a_machine_is_known_to_one_tenant_by_a_hash_that_no_other_can_compare(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text(MACHINE + "\n")
    acme, other = hardware_digest("acme", file), hardware_digest("other", file)
    assert acme == hmac.new(b"decorum:acme", MACHINE.encode(), hashlib.sha256).hexdigest()
    assert acme == hardware_digest("acme", file)
    assert acme != other
    assert MACHINE not in f"{acme}{other}"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"uninitialized\n", b"0" * 32, b"\xff" * 32, b"0123", MACHINE.encode() * 2]
)
def test_a_machine_without_an_id_of_its_own_has_none(tmp_path: Path, content: bytes) -> None:
    # machine-id(5): a fresh image says "uninitialized"; a hash of that would make every machine the same one.
    file = tmp_path / "machine-id"
    file.write_bytes(content)
    assert hardware_digest("acme", file) is None


def test_a_machine_without_the_file_has_none(tmp_path: Path) -> None:
    assert hardware_digest("acme", tmp_path / "none") is None


def test_a_companys_device_has_its_host_name_and_a_personal_one_keeps_it() -> None:
    assert device_name("company") == socket.gethostname()[:200]
    assert device_name("personal") is None
