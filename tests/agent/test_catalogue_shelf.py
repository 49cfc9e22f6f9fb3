"""The published catalogue on a device: taken, kept and used if it holds, refused by name if not; otherwise what shipped is used."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agent.catalogue import load as load_shipped
from agent.catalogue import shipped_entries
from agent.catalogue_shelf import FILE_NAME, CatalogueShelf, laid_over
from agent.errors import DistrustError, StateError
from agent.known_here import known_here
from agent.reporting.enrolment import current_enrolment
from agent.trust import Trust
from contract.catalogue_bundle import CatalogueBundle, packed
from contract.facts import ProcessFacts
from contract.observations import Trouble
from contract.overlay import parse
from tests.fakes.device import Device

OVERLAY = """
[acme-chat]
name = "Acme Chat"
maker = "Acme"
kind = "business"
seen = [["linux", "Acme IT", { executable = "acme-chat" }]]
"""
CHAT = ProcessFacts(platform="linux", exe="/opt/acme-chat")


@pytest.fixture
def device(tmp_path: Path) -> Device:
    one = Device(tmp_path)
    one.enrol()
    return one


def trust_of(device: Device) -> Trust:
    enrolment = current_enrolment(device.store)
    assert enrolment is not None
    return enrolment.trust


def is_known(shelf: CatalogueShelf) -> bool:
    return shelf.matcher.match(CHAT) is not None and "acme-chat" in shelf.catalogue.messengers


def troubles(device: Device) -> list[str]:
    return [one.detail for one in device.server.taken.values() if isinstance(one, Trouble)]


def test_without_a_published_one_what_shipped_is_used(device: Device) -> None:
    device.check_in()
    assert device.catalogues.catalogue == load_shipped()
    assert (device.catalogues.version, device.server.check_ins[-1].catalogue_version) == (0, 0)


def test_a_published_one_is_used_as_soon_as_it_came_and_is_sent_once(device: Device) -> None:
    published = device.server.publish_catalogue(OVERLAY)
    device.check_in()
    assert is_known(device.catalogues)
    device.check_in()
    assert [one.catalogue_version for one in device.server.check_ins] == [0, 1]
    in_use = device.catalogues.in_use
    assert (in_use.version, in_use.current, in_use.issued) == (1, 1, published.issued_at)
    assert (in_use.release, in_use.corrections) == ("0.1.0", 1)
    applied = [entry.kind for entry in device.journal.entries() if b'"catalogue":1' in (entry.body or b"")]
    assert applied == ["agent"]


def test_it_survives_a_new_start(device: Device, tmp_path: Path) -> None:
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    again = CatalogueShelf(tmp_path / FILE_NAME, device.store, device.journal)
    assert not is_known(again)
    again.load(trust_of(device))
    assert is_known(again)
    assert again.version == 1


def test_an_overlay_that_is_taken_back_is_gone(device: Device) -> None:
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    device.server.publish_catalogue("")
    device.check_in()
    assert not is_known(device.catalogues)
    assert device.catalogues.version == 2


def test_a_server_that_knows_of_no_catalogue_changes_nothing(device: Device) -> None:
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    device.server.catalogue, device.server.catalogue_version = None, 0
    device.check_in()
    assert is_known(device.catalogues)


Make = Callable[[Device, CatalogueBundle], str]


def _other_key(device: Device, bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(packed(bundle), device.server.root)


def _policy_key(device: Device, bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(packed(bundle), device.server.policy_key)


def _server_key(device: Device, bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(packed(bundle), device.server.server_key)


def _other_tenant(device: Device, bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(packed(bundle), tenant="other")


def _tampered(device: Device, bundle: CatalogueBundle) -> str:
    head, payload, tail = device.server.sealed_catalogue(packed(bundle)).split(".")
    return f"{head}.{payload[:100]}{'A' if payload[100] != 'A' else 'B'}{payload[101:]}.{tail}"


def _unsigned(device: Device, bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(packed(bundle)).rpartition(".")[0] + "."


def _older(device: Device, bundle: CatalogueBundle) -> str:
    device.server.catalogue_version = 1
    return device.server.sealed_catalogue(packed(msgspec.structs.replace(bundle, version=1)))


def _frozen(device: Device, bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(packed(msgspec.structs.replace(bundle, version=3)))


def _no_catalogue(device: Device, _bundle: CatalogueBundle) -> str:
    return device.server.sealed_catalogue(b"{}")


def _not_fitting(device: Device, bundle: CatalogueBundle) -> str:
    overlay = parse('[telegram]\nclient_of = "nobody"\n')
    return device.server.sealed_catalogue(packed(msgspec.structs.replace(bundle, overlay=overlay)))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_other_key, "key_unknown"),
        (_policy_key, "key_unknown"),
        (_server_key, "key_unknown"),
        (_other_tenant, "seal_tenant"),
        (_tampered, "seal_signature"),
        (_unsigned, "seal_signature"),
        (_older, "older"),
        (_frozen, "frozen"),
        (_no_catalogue, "malformed"),
        (_not_fitting, "malformed"),
    ],
)
def test_one_that_does_not_hold_is_refused_by_name_once_and_the_last_good_one_stays(
    device: Device, make: Make, reason: str
) -> None:
    device.server.publish_catalogue()
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    device.server.publish_catalogue()
    good = device.server.publish_catalogue()
    device.server.catalogue = make(device, good)
    for _ in range(3):
        device.check_in()
    assert is_known(device.catalogues)
    assert device.catalogues.version == 2
    assert len(troubles(device)) == 1
    assert troubles(device)[0].startswith(f"A catalogue was refused ({reason}): ")
    assert device.catalogues.refused() is not None
    assert sum(b"catalogue_refused" in (entry.body or b"") for entry in device.journal.entries()) == 1
    device.server.catalogue, device.server.catalogue_version = device.server.sealed_catalogue(packed(good)), 4
    device.check_in()
    assert device.catalogues.version == 4
    assert device.catalogues.refused() is None


def test_a_stolen_key_is_believed_no_more_once_a_newer_one_has_sealed(device: Device) -> None:
    device.server.publish_catalogue()
    device.check_in()
    stolen, old = device.server.catalogue_key, device.server.certificates()
    device.server.change_keys()
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    assert device.catalogues.version == 2
    certificates = (*device.server.certificates(), *old)
    device.server.certificates = lambda: certificates  # type: ignore[method-assign]
    device.server.catalogue_key = stolen
    device.server.publish_catalogue()
    device.check_in()
    device.check_in()
    assert device.catalogues.version == 2
    assert troubles(device)[0].startswith("A catalogue was refused (key_superseded): ")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda _: b'{"sealed":"a.b.c","certificates":[]}',
        lambda whole: whole.replace(b'"sealed":"eyJ', b'"sealed":"eyK'),
        lambda whole: whole + b" " * 1_100_000,
    ],
    ids=["torn", "empty", "no text", "forged", "changed", "huge"],
)
def test_a_damaged_file_is_set_aside_what_shipped_is_used_and_the_next_answer_mends_it(
    device: Device, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    file = tmp_path / FILE_NAME
    changed = damage(file.read_bytes())
    file.write_bytes(changed)
    with pytest.raises(DistrustError, match=r"set aside as catalogue\.json\.damaged"):
        device.catalogues.load(trust_of(device))
    assert device.catalogues.catalogue == load_shipped()
    assert device.catalogues.version == 0
    assert not file.exists()
    assert file.with_name("catalogue.json.damaged").read_bytes() == changed
    device.check_in()
    assert is_known(device.catalogues)


def test_an_older_one_is_refused_even_after_the_newer_ones_file_is_gone(
    device: Device, tmp_path: Path
) -> None:
    device.server.publish_catalogue()
    older = device.server.catalogue
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    (tmp_path / FILE_NAME).unlink()
    device.catalogues.load(trust_of(device))
    device.server.catalogue, device.server.catalogue_version = older, 1
    device.check_in()
    device.check_in()
    assert device.catalogues.version == 0
    assert troubles(device)[0].startswith("A catalogue was refused (older): ")


def test_an_older_file_put_back_in_the_newer_ones_place_is_set_aside(device: Device, tmp_path: Path) -> None:
    device.server.publish_catalogue()
    device.check_in()
    older = (tmp_path / FILE_NAME).read_bytes()
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    (tmp_path / FILE_NAME).write_bytes(older)
    with pytest.raises(DistrustError) as refused:
        device.catalogues.load(trust_of(device))
    assert refused.value.reason == "older"
    device.check_in()
    assert is_known(device.catalogues)


def test_one_that_cannot_be_written_is_not_used_and_comes_again(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.server.publish_catalogue(OVERLAY)

    def full(_file: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("agent.catalogue_shelf.write_private", full)
        with pytest.raises(StateError, match="No space left"):
            device.check_in()
    assert device.catalogues.version == 0
    device.check_in()
    assert device.catalogues.version == 1


def test_nobody_else_can_read_the_file(device: Device, tmp_path: Path) -> None:
    device.server.publish_catalogue()
    device.check_in()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def bundle(overlay: str, release: str) -> CatalogueBundle:
    """Return a catalogue of an older release, which knew Telegram and nothing else."""
    listed = {"telegram": shipped_entries()["telegram"], "gone": shipped_entries()["wechat"]}
    listed["gone"] = msgspec.structs.replace(listed["gone"], name="Gone")
    return CatalogueBundle(
        version=1,
        issued_at=datetime(2026, 3, 2, tzinfo=UTC),
        release=release,
        listed=listed,
        overlay=parse(overlay),
    )


def test_an_agent_of_a_newer_release_keeps_its_own_list_and_the_overlay_wins_over_either() -> None:
    overlay = f'{OVERLAY}[telegram]\nname = "Telegram here"\n'
    for release, is_own, count in (("0.9.0", True, len(shipped_entries()) + 1), ("1.0.0", False, 3)):
        merged, own = laid_over(shipped_entries(), bundle(overlay, release), "0.10.0" if is_own else "1.0.0")
        assert (own, len(merged.messengers)) == (is_own, count)
        assert (merged.name_of("telegram"), merged.name_of("acme-chat")) == ("Telegram here", "Acme Chat")


def test_where_the_overlay_does_not_fit_the_newer_list_the_published_one_is_used() -> None:
    merged, own = laid_over(shipped_entries(), bundle('[gone]\nname = "Not gone"\n', "0.9.0"), "0.10.0")
    assert (own, merged.name_of("gone")) == (False, "Not gone")


def test_a_command_beside_the_agent_reads_what_the_agent_keeps(device: Device, tmp_path: Path) -> None:
    assert known_here(tmp_path)[1] == 0
    device.server.publish_catalogue(OVERLAY)
    device.check_in()
    catalogue, version = known_here(tmp_path)
    assert (version, catalogue.name_of("acme-chat")) == (1, "Acme Chat")
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[:-100])
    assert known_here(tmp_path) == (load_shipped(), 0)
    assert file.exists(), "a reader changes nothing"
    assert known_here(tmp_path / "nothing") == (load_shipped(), 0)
