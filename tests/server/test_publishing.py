from collections.abc import Callable
from datetime import timedelta

import pytest

from contract import wire
from contract.envelope import EVERY_DEVICE, Address, unseal
from contract.errors import MalformedError
from contract.messages import PolicyBundle
from server.access.models import AuditEntry
from server.errors import RequestError
from server.identity import Identity
from server.policies import publishing
from server.policies.models import Publication
from server.policies.templates import template
from tests.server.conftest import FakeClock
from tests.server.simulated_device import SimulatedDevice

Publish = Callable[..., Publication]


def test_the_bundle_is_sealed_by_the_policy_key_for_every_device(
    publish: Publish, identity: Identity
) -> None:
    publication = publish()
    address = Address(type="policy-bundle", tenant="acme", device=EVERY_DEVICE, direction="to_device")
    payload = unseal(publication.sealed, address, identity.policy_key.public)
    bundle = wire.decode(PolicyBundle, payload, limit_bytes=2**20)
    assert (bundle.serial, bundle.policy.model) == (1, "restrict")
    assert bundle.expires_at - bundle.issued_at == timedelta(days=90)


def test_the_serial_only_rises_even_when_the_version_goes_back(publish: Publish) -> None:
    assert [publish(version=version).serial for version in (5, 9, 3)] == [1, 2, 3]
    assert publishing.current() == Publication.objects.get(serial=3)


def test_the_very_same_text_publishes_nothing(identity: Identity, clock: FakeClock) -> None:
    text = template("ban", "Acme")
    assert publishing.publish(text, "alice", identity, clock.now).is_new
    again = publishing.publish(text, "alice", identity, clock.now)
    assert (again.is_new, again.publication.serial, Publication.objects.count()) == (False, 1, 1)


def test_an_earlier_text_may_be_published_again(identity: Identity, clock: FakeClock) -> None:
    for name in ("ban", "restrict", "ban"):
        publishing.publish(template(name, "Acme"), "alice", identity, clock.now)
    assert Publication.objects.count() == 3


def test_publishing_is_written_down_with_its_author(publish: Publish) -> None:
    publication = publish()
    entry = AuditEntry.objects.get(action="policy.published")
    assert (entry.actor, entry.subject) == ("alice", "Policy number 1")
    assert publication.digest in entry.detail


def test_an_invalid_policy_is_not_published(identity: Identity, clock: FakeClock) -> None:
    text = template("ban", "Acme").replace('stance = "approved"', 'stance = "maybe"')
    with pytest.raises(MalformedError) as refused:
        publishing.publish(text, "alice", identity, clock.now)
    assert refused.value.path == "$.channels[0].stance"
    assert not Publication.objects.exists()


def test_a_policy_that_this_version_cannot_read_stays_in_force_and_devices_are_answered(
    device: SimulatedDevice, publish: Publish, clock: FakeClock
) -> None:
    publish()
    Publication.objects.update(text='format = 1\n"of an older version" = true\n')
    clock.advance(timedelta(days=80))
    for _ in range(2):
        acknowledgement, _ = device.check_in()
        assert acknowledgement.current_serial == 1
    assert AuditEntry.objects.filter(action="policy.not_renewed").count() == 1


def test_a_published_policy_cannot_be_changed(publish: Publish) -> None:
    publication = publish()
    publication.title = "Another"
    with pytest.raises(RequestError):
        publication.save()
    with pytest.raises(RequestError):
        publication.delete()


@pytest.mark.parametrize("valid_days", [1, 90])
def test_a_fleet_never_runs_out_while_its_server_lives(
    device: SimulatedDevice, publish: Publish, clock: FakeClock, valid_days: int
) -> None:
    publish(valid_days=valid_days)
    device.check_in()
    life = timedelta(days=valid_days)
    clock.advance(life * 0.6)
    acknowledgement, reply = device.check_in()
    assert (acknowledgement.current_serial, reply.bundle) == (1, None)
    clock.advance(life * 0.1)
    acknowledgement, reply = device.check_in()
    assert acknowledgement.current_serial == 2
    bundle = device.bundle(reply)
    assert bundle.serial == 2
    assert bundle.expires_at == clock.now + life
    renewal = Publication.objects.get(serial=2)
    assert (renewal.is_renewal, renewal.published_by) == (True, "server")
    assert renewal.text == Publication.objects.get(serial=1).text


def test_a_policy_that_ran_out_while_the_server_was_down_is_renewed_at_once(
    device: SimulatedDevice, publish: Publish, clock: FakeClock
) -> None:
    publish()
    device.check_in()
    clock.advance(timedelta(days=200))
    _, reply = device.check_in()
    assert device.bundle(reply).expires_at > clock.now


def test_renewal_is_one_for_the_whole_fleet(
    device: SimulatedDevice, publish: Publish, clock: FakeClock
) -> None:
    publish()
    clock.advance(timedelta(days=70))
    for _ in range(3):
        device.check_in()
    assert Publication.objects.count() == 2
    assert AuditEntry.objects.filter(action="policy.renewed").count() == 1
