"""Whom the device believes: the root, and what the root has certified for one use and one time."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from agent.errors import DistrustError
from agent.trust import Trust, key_id, open_bundle, verify_bundle
from contract import wire
from contract.envelope import EVERY_DEVICE, Address, SigningKey, seal
from contract.messages import KeyCertificate, PolicyBundle
from tests.fakes.device import policy

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT, POLICY_KEY, STRANGER = (SigningKey.generate() for _ in range(3))
TRUST = Trust("acme", ROOT.public)


def certificate(
    key: SigningKey = POLICY_KEY,
    *,
    use: Literal["policy", "server", "catalogue"] = "policy",
    by: SigningKey = ROOT,
    tenant: str = "acme",
    days: tuple[float, float] = (-1, 1),
) -> str:
    said = KeyCertificate(
        public_key=key.public.text, use=use, not_before=NOW + DAY * days[0], not_after=NOW + DAY * days[1]
    )
    address = Address(type="key-certificate", tenant=tenant, device=EVERY_DEVICE, direction="to_device")
    return seal(wire.encode(said), address, by)


def bundle(serial: int = 5, days: float = 90, key: SigningKey = POLICY_KEY, tenant: str = "acme") -> str:
    said = PolicyBundle(serial=serial, issued_at=NOW, expires_at=NOW + DAY * days, policy=policy())
    address = Address(type="policy-bundle", tenant=tenant, device=EVERY_DEVICE, direction="to_device")
    return seal(wire.encode(said), address, key)


def refused(certificates: list[str], at: datetime | None = NOW, key: SigningKey = POLICY_KEY) -> str:
    with pytest.raises(DistrustError) as error:
        TRUST.key_for("policy", certificates, key.public.fingerprint, at)
    return error.value.reason


def test_a_key_that_the_root_certified_for_this_use_and_time_is_believed() -> None:
    others = [certificate(STRANGER, use="server"), certificate(STRANGER)]
    assert (
        TRUST.key_for("policy", [*others, certificate()], POLICY_KEY.public.fingerprint, NOW)
        == POLICY_KEY.public
    )


@pytest.mark.parametrize(
    "certificates",
    [
        [],
        [certificate(by=STRANGER)],
        [certificate(by=POLICY_KEY)],
        [certificate(tenant="other")],
        [certificate(use="server")],
        [certificate(use="catalogue")],
        [certificate(STRANGER)],
        ["", "x", "a.b.c", "\ud800"],
        [bundle(key=ROOT)],
    ],
    ids=[
        "none",
        "stranger's",
        "its own",
        "tenant",
        "server",
        "catalogue",
        "other key",
        "no seal",
        "other type",
    ],
)
def test_without_a_certificate_of_the_root_for_this_key_and_use_nothing_is_believed(
    certificates: list[str],
) -> None:
    assert refused(certificates) == "key_unknown"
    assert refused(certificates, at=None) == "key_unknown"


@pytest.mark.parametrize(
    ("after", "reason"), [(timedelta(days=-1, microseconds=-1), "key_expired"), (DAY, "key_expired")]
)
def test_a_certificate_holds_from_its_first_moment_until_before_its_last(
    after: timedelta, reason: str
) -> None:
    assert refused([certificate()], at=NOW + after) == reason
    inside = NOW + after + (timedelta(microseconds=1) if after < timedelta(0) else timedelta(microseconds=-1))
    assert (
        TRUST.key_for("policy", [certificate()], POLICY_KEY.public.fingerprint, inside) == POLICY_KEY.public
    )


def test_a_renewed_certificate_is_found_behind_the_one_that_has_run_out() -> None:
    old, new = certificate(days=(-10, -1)), certificate(days=(-1, 10))
    for certificates in ([old, new], [new, old]):
        assert TRUST.key_for("policy", certificates, POLICY_KEY.public.fingerprint, NOW) == POLICY_KEY.public


def test_without_a_time_only_the_use_is_asked_for() -> None:
    long_over = [certificate(days=(-10, -9))]
    assert TRUST.key_for("policy", long_over, POLICY_KEY.public.fingerprint, None) == POLICY_KEY.public


@pytest.mark.parametrize(
    "claimed", [None, "", 5, [], pytest.param(STRANGER.public.fingerprint, id="stranger")]
)
def test_the_id_that_a_message_claims_is_only_a_way_to_find_the_key(claimed: object) -> None:
    with pytest.raises(DistrustError):
        TRUST.key_for("policy", [certificate()], claimed, NOW)


def test_what_is_no_sealed_message_claims_no_key() -> None:
    assert key_id(bundle()) == POLICY_KEY.public.fingerprint
    with pytest.raises(DistrustError) as error:
        key_id("no seal")
    assert error.value.reason == "seal_malformed"


def reason_for(
    sealed: str, *, in_force: int = 0, current: int = 5, certificates: list[str] | None = None
) -> str:
    with pytest.raises(DistrustError) as error:
        open_bundle(
            sealed, certificates or [certificate()], TRUST, in_force=in_force, current=current, at=NOW
        )
    return error.value.reason


def test_a_bundle_that_holds_and_is_timely_is_opened() -> None:
    opened = open_bundle(bundle(), [certificate()], TRUST, in_force=5, current=5, at=NOW)
    assert (opened.serial, opened.policy) == (5, policy())
    newer = open_bundle(bundle(6), [certificate()], TRUST, in_force=5, current=5, at=NOW)
    assert newer.serial == 6


@pytest.mark.parametrize(
    ("sealed", "in_force", "current", "reason"),
    [
        (bundle(4), 5, 0, "older"),
        (bundle(5), 0, 6, "frozen"),
        (bundle(5, days=0), 0, 5, "expired"),
        (bundle(5, days=-1), 0, 5, "expired"),
        (bundle(5, key=STRANGER), 0, 5, "key_unknown"),
        (bundle(5, tenant="other"), 0, 5, "seal_tenant"),
    ],
)
def test_a_bundle_that_is_not_timely_or_not_ours_is_refused_with_its_reason(
    sealed: str, in_force: int, current: int, reason: str
) -> None:
    assert reason_for(sealed, in_force=in_force, current=current) == reason


def test_a_changed_bundle_is_refused_by_its_seal_and_a_broken_one_by_its_form() -> None:
    head, payload, tail = bundle().split(".")
    assert reason_for(f"{head}.{payload[:-4]}AAAA.{tail}") == "seal_signature"
    address = Address(type="policy-bundle", tenant="acme", device=EVERY_DEVICE, direction="to_device")
    assert reason_for(seal(b'{"serial": 5}', address, POLICY_KEY)) == "malformed"


def test_the_key_of_the_server_cannot_seal_a_policy() -> None:
    server_key = SigningKey.generate()
    assert (
        reason_for(bundle(key=server_key), certificates=[certificate(server_key, use="server")])
        == "key_unknown"
    )


def test_a_stored_bundle_is_verified_without_asking_for_the_time() -> None:
    assert verify_bundle(bundle(days=-1), [certificate(days=(-9, -8))], TRUST, at=None).serial == 5
