"""Publishing the catalogue: checked first, sealed by its own key, on a version line of its own, sent to whoever lacks it."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from contract.envelope import EVERY_DEVICE, Address, unseal
from contract.facts import ProcessFacts
from contract.matching import Matcher
from contract.messages import REPLY_LIMIT_BYTES
from server.access.models import AuditEntry
from server.catalogue import catalogue, texts
from server.errors import CatalogueFaultsError, RequestError, StateError
from server.fleet import installation
from server.identity import Identity, forget_old_keys, rotate
from server.policies import catalogues, checking
from server.policies.models import CataloguePublication, Publication
from server.policies.templates import template
from server.recovery import recover
from tests.server.conftest import FakeClock, Run
from tests.server.simulated_device import SimulatedDevice

NEW = """
[acme-chat]
name = "Acme Chat"
maker = "Acme"
kind = "business"
seen = [["linux", "Acme IT", { executable = "acme-chat" }]]
"""
OVERLAY = f"""
never = ["unlisted:acme-dialer"]
[telegram]
name = "Telegram here"
{NEW}"""
PublishCatalogue = Callable[..., catalogues.Published]


@pytest.fixture
def publish_catalogue(identity: Identity, clock: FakeClock) -> PublishCatalogue:
    def published(overlay: str | None = OVERLAY) -> catalogues.Published:
        return catalogues.publish(overlay, "alice", identity, clock.now)

    return published


def test_it_is_sealed_by_the_catalogue_key_for_every_device(
    publish_catalogue: PublishCatalogue, identity: Identity
) -> None:
    publication = publish_catalogue().publication
    address = Address(type="catalogue-bundle", tenant="acme", device=EVERY_DEVICE, direction="to_device")
    assert unseal(publication.sealed, address, catalogues.key_of(identity).public)
    said = catalogues.read(publication)
    assert (said.version, said.release, len(said.listed)) == (1, "0.1.0", len(catalogue().messengers))
    match = Matcher(said.catalogue()).match(ProcessFacts(platform="linux", exe="/opt/acme-chat"))
    assert match is not None
    assert match.name == "Acme Chat"


def test_the_version_only_rises_whatever_the_policys_serial_is(
    publish_catalogue: PublishCatalogue, publish: Callable[..., Publication]
) -> None:
    publish(1)
    publish(2)
    assert [publish_catalogue(text).publication.version for text in (OVERLAY, "", OVERLAY)] == [1, 2, 3]
    assert publish(3).serial == 3


def test_the_very_same_content_publishes_nothing(publish_catalogue: PublishCatalogue) -> None:
    assert publish_catalogue().is_new
    for same in (OVERLAY, f"# a remark\n{OVERLAY}", None):
        again = publish_catalogue(same)
        assert (again.is_new, again.publication.version) == (False, 1)
    assert CataloguePublication.objects.count() == 1


def test_without_an_overlay_the_published_one_goes_along_and_an_empty_one_takes_it_back(
    publish_catalogue: PublishCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_catalogue()
    with monkeypatch.context() as patch:
        fewer = {name: text for name, text in texts().items() if name != "clients.toml"}
        patch.setattr("server.policies.catalogues.texts", lambda: fewer)
        of_another_release = publish_catalogue(None)
    assert of_another_release.is_new
    assert "acme-chat" in catalogues.read(of_another_release.publication).overlay.entries
    assert not catalogues.read(publish_catalogue("").publication).overlay.entries


def test_publishing_is_written_down_with_its_author(publish_catalogue: PublishCatalogue) -> None:
    publication = publish_catalogue().publication
    entry = AuditEntry.objects.get(action="catalogue.published")
    assert (entry.actor, entry.subject) == ("alice", "Catalogue version 1")
    assert publication.digest in entry.detail


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        (NEW.replace("acme-chat", "chat"), "Other programs may carry this name."),
        (NEW.replace('name = "Acme Chat"', ""), "acme-chat: It has no name."),
        ("[acme-chat", "is not TOML"),
        ('never = ["telegram"]', "never"),
        (NEW.replace('"Acme Chat"', '"Telegram"'), "called Telegram as well"),
    ],
)
def test_a_faulty_overlay_is_refused_with_every_fault_and_nothing_is_published(
    publish_catalogue: PublishCatalogue, overlay: str, words: str
) -> None:
    with pytest.raises(CatalogueFaultsError) as refused:
        publish_catalogue(overlay)
    assert words in "\n".join(refused.value.findings)
    assert not CataloguePublication.objects.exists()
    assert not AuditEntry.objects.filter(action="catalogue.published").exists()


def test_a_publication_cannot_be_changed_or_taken_back(publish_catalogue: PublishCatalogue) -> None:
    publication = publish_catalogue().publication
    with pytest.raises(RequestError):
        publication.save()
    with pytest.raises(RequestError):
        publication.delete()


def test_a_server_without_the_key_says_what_to_do(identity: Identity, clock: FakeClock) -> None:
    keyless = msgspec.structs.replace(identity, catalogue_key=None)
    with pytest.raises(StateError, match="migrate"):
        catalogues.publish("", "alice", keyless, clock.now)


def test_a_server_that_never_published_sends_nothing(device: SimulatedDevice) -> None:
    acknowledgement, reply = device.check_in(catalogue_version=0)
    assert (acknowledgement.catalogue_version, reply.catalogue) == (0, None)


def test_a_device_gets_it_once_and_unchanged_it_costs_nothing(
    device: SimulatedDevice, publish_catalogue: PublishCatalogue
) -> None:
    publish_catalogue()
    acknowledgement, reply = device.check_in(catalogue_version=0)
    assert acknowledgement.catalogue_version == 1
    assert device.catalogue(reply).version == 1
    acknowledgement, reply = device.check_in(catalogue_version=1)
    assert (acknowledgement.catalogue_version, reply.catalogue) == (1, None)
    publish_catalogue("")
    acknowledgement, reply = device.check_in(catalogue_version=1)
    assert acknowledgement.catalogue_version == 2
    assert device.catalogue(reply).overlay.entries == {}


def test_an_agent_that_takes_no_catalogue_is_told_and_sent_none(
    device: SimulatedDevice, publish_catalogue: PublishCatalogue
) -> None:
    publish_catalogue()
    _, reply = device.check_in()
    assert reply.catalogue is None


def test_beside_a_policy_that_leaves_no_room_it_waits_for_the_next_check_in(
    publish_catalogue: PublishCatalogue,
) -> None:
    sealed = publish_catalogue().publication.sealed
    room = REPLY_LIMIT_BYTES - 64 * 1024 - len(sealed)
    assert catalogues.offered(1, 0, "p" * room) == sealed
    assert catalogues.offered(1, 0, "p" * (room + 1)) is None
    assert catalogues.offered(1, 0, None) == sealed


def test_names_and_remarks_here_are_of_what_is_published(publish_catalogue: PublishCatalogue) -> None:
    text = template("ban", "Acme").replace("microsoft-teams", "acme-chat")
    remark = "lists no messenger 'acme-chat'"
    assert any(remark in one for one in checking.check(text).remarks)
    publish_catalogue()
    assert not any(remark in one for one in checking.check(text).remarks)
    assert catalogues.in_use().name_of("telegram") == "Telegram here"
    publish_catalogue("")
    assert catalogues.in_use().name_of("telegram") == "Telegram"


def test_an_overlay_that_this_versions_list_has_no_place_for_leaves_the_list(
    publish_catalogue: PublishCatalogue,
) -> None:
    publish_catalogue()
    CataloguePublication.objects.update(overlay='[gone]\nname = "Gone"\n')
    catalogues.merged.cache_clear()
    assert catalogues.in_use() == catalogue()
    catalogues.merged.cache_clear()


def test_a_changed_key_seals_it_anew_with_what_it_says(
    device: SimulatedDevice,
    publish_catalogue: PublishCatalogue,
    identity: Identity,
    clock: FakeClock,
    tmp_path: Path,
) -> None:
    publish_catalogue()
    changed = rotate(tmp_path / "state", "catalogue", clock.now)
    catalogues.seal_anew(changed, "alice", clock.now)
    forget_old_keys(tmp_path / "state", clock.now)
    _, reply = device.check_in(catalogue_version=1)
    said = device.catalogue(reply)
    assert (said.version, sorted(said.overlay.entries)) == (2, ["acme-chat", "telegram"])


def test_after_a_restore_the_version_leaps(
    publish_catalogue: PublishCatalogue, identity: Identity, clock: FakeClock
) -> None:
    installation.claim(identity, "a-secret-key")
    publish_catalogue()
    recover(identity, clock.now, "alice")
    first = catalogues.current()
    assert first is not None
    assert first.version >= 1 + catalogues.VERSIONS_LEFT_OUT
    recover(identity, clock.now, "alice")
    second = catalogues.current()
    assert second is not None
    assert second.version >= first.version + catalogues.VERSIONS_LEFT_OUT


def test_the_first_publication_after_a_restore_is_later_than_any_that_was_lost(
    publish_catalogue: PublishCatalogue, identity: Identity, clock: FakeClock
) -> None:
    installation.claim(identity, "a-secret-key")
    recover(identity, clock.now, "alice")
    assert publish_catalogue().publication.version >= catalogues.VERSIONS_LEFT_OUT


def test_the_command_publishes_and_shows(run: Run, tmp_path: Path) -> None:
    nothing = run("catalogue", "show")
    assert (nothing.returncode, "No catalogue was published" in nothing.stderr) == (1, True)
    file = tmp_path / "acme.toml"
    file.write_text(OVERLAY, encoding="utf-8")
    assert "Catalogue version 1 is published." in run("catalogue", "publish", "--overlay", str(file)).stdout
    assert "nothing was published" in run("catalogue", "publish", "--overlay", "-", given=OVERLAY).stdout
    assert "nothing was published" in run("catalogue", "publish").stdout
    shown = run("catalogue", "show").stdout.splitlines()
    assert shown[0].startswith("Catalogue version 1: ")
    assert shown[1:] == [
        "adds\tacme-chat\tAcme Chat",
        "corrects\ttelegram\tname",
        "never\tunlisted:acme-dialer",
    ]
    assert run("catalogue", "show", "--overlay").stdout == OVERLAY
    refused = run("catalogue", "publish", "--overlay", "-", given="[acme-chat]\n")
    assert (refused.returncode, "overlay: acme-chat: It has no seen." in refused.stdout) == (1, True)
    assert "Traceback" not in refused.stderr
    rotated = run("keys", "rotate", "catalogue")
    assert "The catalogue was sealed with it, as version 2." in rotated.stdout, rotated.stderr
