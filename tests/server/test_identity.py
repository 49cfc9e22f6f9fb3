import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract import wire
from contract.envelope import EVERY_DEVICE, Address, VerifyKey, unseal
from contract.messages import KeyCertificate
from server.errors import RequestError, StateError
from server.identity import Identity, establish, forget_old_keys, identity_in, load, rotate

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def _certificates(identity: Identity) -> dict[str, KeyCertificate]:
    address = Address(type="key-certificate", tenant="acme", device=EVERY_DEVICE, direction="to_device")
    root = VerifyKey(identity.tenant.root)
    found = [
        wire.decode(KeyCertificate, unseal(text, address, root), limit_bytes=10_000)
        for text in identity.certificates
    ]
    return {certificate.use: certificate for certificate in found}


def _files(folder: Path) -> dict[str, str]:
    return {str(file): file.read_text() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_root_vouches_for_each_key_now_and_for_years(tmp_path: Path) -> None:
    identity = establish(tmp_path, "acme", "Acme", NOW)
    certificates = _certificates(identity)
    assert certificates["policy"].public_key == identity.policy_key.public.text
    assert certificates["server"].public_key == identity.server_key.public.text
    assert identity.catalogue_key is not None
    assert certificates["catalogue"].public_key == identity.catalogue_key.public.text
    for certificate in certificates.values():
        assert certificate.not_before < NOW < NOW + timedelta(days=700) < certificate.not_after


def test_nothing_is_made_twice(tmp_path: Path) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    before = _files(tmp_path)
    for tenant, company in (("acme", "Acme"), (None, None)):
        establish(tmp_path, tenant, company, NOW + timedelta(days=30))
    assert _files(tmp_path) == before


def test_an_interrupted_first_time_goes_on_with_the_same_keys(tmp_path: Path) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    (tmp_path / "tenant.json").unlink()
    keys = {name: text for name, text in _files(tmp_path).items() if name.endswith(".jwk")}
    establish(tmp_path, "acme", "Acme", NOW)
    assert keys.items() <= _files(tmp_path).items()


def test_another_tenant_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    before = _files(tmp_path)
    for tenant, company in (("other", None), (None, "Other Ltd")):
        with pytest.raises(RequestError, match="Acme"):
            establish(tmp_path, tenant, company, NOW)
    assert _files(tmp_path) == before


@pytest.mark.parametrize("tenant", ["", "with.dot", "Upper", "-x", "a" * 64])
def test_a_tenant_that_cannot_stand_in_a_secret_is_refused(tmp_path: Path, tenant: str) -> None:
    with pytest.raises(RequestError):
        establish(tmp_path, tenant, "Acme", NOW)
    assert establish(tmp_path, None, None, NOW).tenant.id == "main"


@pytest.mark.parametrize(
    "name", ["root.jwk", "policy.jwk", "server.jwk", "catalogue.jwk", "certificates.json"]
)
@pytest.mark.parametrize("damage", ["", "{}", "not json", '{"kty":"OKP","crv":"X25519","x":"AA","d":"AA"}'])
def test_a_damaged_key_is_an_error_and_left_as_it_is(tmp_path: Path, name: str, damage: str) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    (tmp_path / "keys" / name).write_text(damage)
    before = _files(tmp_path)
    with pytest.raises(StateError) as refused:
        establish(tmp_path, None, None, NOW + timedelta(days=600))
    assert name in str(refused.value)
    assert refused.value.remedy
    assert _files(tmp_path) == before


@pytest.mark.parametrize("name", ["policy.jwk", "server.jwk", "catalogue.jwk"])
def test_a_missing_key_is_never_made_anew(tmp_path: Path, name: str) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(StateError, match="missing"):
        establish(tmp_path, None, None, NOW)
    with pytest.raises(StateError, match="missing"):
        load(tmp_path)
    assert not (tmp_path / "keys" / name).exists()


def set_up_by_the_first_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Identity:
    """Set a server up that has never heard of a key for catalogues."""
    with monkeypatch.context() as patch:
        patch.setattr("server.identity.USES", ("policy", "server"))
        patch.setattr("server.identity.LATER_USES", ())
        return establish(folder, "acme", "Acme", NOW)


def test_a_server_of_the_first_version_gets_its_key_for_catalogues_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set_up_by_the_first_version(tmp_path, monkeypatch)
    assert load(tmp_path).catalogue_key is None
    after = establish(tmp_path, None, None, NOW + DAY)
    assert after.catalogue_key is not None
    assert after.policy_key.public == before.policy_key.public
    assert after.server_key.public == before.server_key.public
    assert _certificates(after)["catalogue"].public_key == after.catalogue_key.public.text


def test_without_the_root_that_server_serves_on_and_has_no_key_for_catalogues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_by_the_first_version(tmp_path, monkeypatch)
    (tmp_path / "keys" / "root.jwk").unlink()
    before = _files(tmp_path)
    assert establish(tmp_path, None, None, NOW + DAY).catalogue_key is None
    assert _files(tmp_path) == before


def test_the_root_may_live_elsewhere(tmp_path: Path) -> None:
    made = establish(tmp_path, "acme", "Acme", NOW)
    (tmp_path / "keys" / "root.jwk").unlink()
    assert establish(tmp_path, None, None, NOW).root_fingerprint == made.root_fingerprint
    assert load(tmp_path).certificates == made.certificates


def test_certificates_are_renewed_for_the_same_keys_before_they_end(tmp_path: Path) -> None:
    made = establish(tmp_path, "acme", "Acme", NOW)
    later = NOW + timedelta(days=400)
    renewed = establish(tmp_path, None, None, later)
    assert renewed.certificates != made.certificates
    assert _certificates(renewed)["server"].public_key == _certificates(made)["server"].public_key
    assert _certificates(renewed)["server"].not_after > later + timedelta(days=700)


def test_only_the_servers_user_can_read_the_keys(tmp_path: Path) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    for file in [*(tmp_path / "keys").iterdir(), tmp_path / "tenant.json"]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_an_empty_folder_holds_no_server(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="migrate"):
        load(tmp_path)


def test_a_key_is_changed_and_for_a_while_both_are_certified(tmp_path: Path) -> None:
    before = establish(tmp_path, "acme", "Acme", NOW)
    after = rotate(tmp_path, "policy", NOW + DAY)
    assert after.policy_key.public.text != before.policy_key.public.text
    assert after.server_key.public.text == before.server_key.public.text
    assert after.tenant == before.tenant
    said = {(one.use, one.fingerprint): one for one in after.read_out()}
    old = said["policy", before.policy_key.public.fingerprint]
    new = said["policy", after.policy_key.public.fingerprint]
    assert old.not_before < new.not_before
    assert (old.is_working, new.is_working) == (False, True)
    left = forget_old_keys(tmp_path, NOW + DAY)
    assert {one.fingerprint for one in left.read_out()} == {
        after.policy_key.public.fingerprint,
        after.server_key.public.fingerprint,
        "" if after.catalogue_key is None else after.catalogue_key.public.fingerprint,
    }


def test_an_interrupted_change_goes_on_with_the_same_new_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = establish(tmp_path, "acme", "Acme", NOW)

    def interrupted(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("server.identity.Path.replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rotate(tmp_path, "server", NOW + DAY)
    assert load(tmp_path).server_key.public.text == before.server_key.public.text
    following = (tmp_path / "keys" / "server.next.jwk").read_text()
    rotate(tmp_path, "server", NOW + 2 * DAY)
    assert (tmp_path / "keys" / "server.jwk").read_text() == following
    assert not (tmp_path / "keys" / "server.next.jwk").exists()


def test_without_the_root_no_key_is_changed(tmp_path: Path) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    (tmp_path / "keys" / "root.jwk").unlink()
    before = _files(tmp_path)
    with pytest.raises(StateError, match="root"):
        rotate(tmp_path, "policy", NOW + DAY)
    assert _files(tmp_path) == before


def test_a_running_server_notices_that_its_keys_were_changed(tmp_path: Path) -> None:
    establish(tmp_path, "acme", "Acme", NOW)
    before = identity_in(tmp_path)
    assert identity_in(tmp_path) is before
    rotate(tmp_path, "server", NOW + DAY)
    forget_old_keys(tmp_path, NOW + DAY)
    assert identity_in(tmp_path).server_key.public.text != before.server_key.public.text
