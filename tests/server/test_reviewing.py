"""From a device's report of an unlisted messenger, over a person's decision, to what every device is sent."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from contract.catalogue import entries_in
from contract.errors import MalformedError
from contract.evidence import KnownBy
from contract.facts import ProcessFacts
from contract.matching import Matcher
from contract.observations import SightingObserved, Unlisted
from contract.overlay import merge, parse
from server.access.models import AuditEntry
from server.catalogue import texts
from server.errors import CatalogueFaultsError, RequestError
from server.fleet import retention, unlisted
from server.fleet.models import UnlistedMessenger
from server.identity import Identity
from server.policies import catalogues, overlay_text, publishing, reviewing
from server.policies.models import CataloguePublication, Publication
from server.policies.reviewing import By, Wish
from server.policies.templates import template
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, SimulatedDevice
from tests.server.test_console import page, words

PATH = "/policies/unlisted/"
KEY = "unlisted:org.acme.chatter"
ACME = Wish(name="Acme Chatter", maker="Acme", kind="business")
CHATTER = ProcessFacts(
    platform="linux",
    exe="/opt/acme/bin/chatter",
    desktop_id="org.acme.Chatter",
    categories=("InstantMessaging",),
)


def chatter(clock: FakeClock, number: int = 1, **changes: object) -> SightingObserved:
    """Return the report of an unlisted messenger, as an agent makes it."""
    match = Matcher(catalogues.in_use()).match(CHATTER)
    assert match is not None
    assert match.known_by is not None
    said = Unlisted(
        **msgspec.structs.asdict(match.known_by), evidence=tuple(one.sentence for one in match.evidence)
    )
    values = {
        "messenger": match.messenger,
        "name": match.name,
        "listed": False,
        "kind": None,
        "unlisted": said,
    }
    return seen(f"{number:032x}", "started", "attention", clock.now, **(values | changes))


@pytest.fixture
def by(identity: Identity, clock: FakeClock) -> By:
    return By("alice", identity, clock.now, "192.0.2.1")


@pytest.fixture
def reported(device: SimulatedDevice, clock: FakeClock) -> SimulatedDevice:
    device.check_in(device.report(chatter(clock)))
    return device


def sent_to(device: SimulatedDevice) -> Matcher:
    """Return what the device recognises with the catalogue that it is sent."""
    _, reply = device.check_in(catalogue_version=0)
    return Matcher(device.catalogue(reply).catalogue())


@pytest.mark.parametrize("way", ["alone", "together"])
def test_what_a_device_reports_waits_with_all_that_speaks_for_it(reported: SimulatedDevice, way: str) -> None:
    [one] = reviewing.queue().waiting
    assert (one.messenger, one.name, one.devices) == (KEY, "Chatter", 1)
    assert one.ways == (KnownBy("linux", "desktop_id", "org.acme.chatter"),)
    [sentence] = one.evidence
    assert sentence.startswith("org.acme.Chatter gives its category as InstantMessaging: ")
    assert reviewing.waiting_count() == 1


def test_added_it_is_a_messenger_for_every_device_from_its_next_check_in_on(
    reported: SimulatedDevice, by: By
) -> None:
    assert reviewing.add(KEY, ACME, by).is_new
    match = sent_to(reported).match(CHATTER)
    assert match is not None
    assert (match.messenger, match.name, match.listed) == ("chatter", "Acme Chatter", True)
    queue = reviewing.queue()
    assert (queue.waiting, [one.messenger for one in queue.added], queue.never) == ((), [KEY], ())
    assert reviewing.waiting_count() == 0


def test_dismissed_it_is_none_and_never_comes_again(
    reported: SimulatedDevice, by: By, clock: FakeClock
) -> None:
    assert reviewing.dismiss(KEY, by).is_new
    assert sent_to(reported).match(CHATTER) is None
    # A device that has not heard of it yet may still report it.
    clock.advance(timedelta(days=2))
    reported.check_in(reported.report(msgspec.structs.replace(chatter_again(clock), sighting="f" * 32)))
    assert [one.messenger for one in reviewing.queue().never] == [KEY]
    assert reviewing.waiting_count() == 0


def chatter_again(clock: FakeClock) -> SightingObserved:
    said = Unlisted(platform="linux", kind="desktop_id", value="org.acme.chatter", evidence=("Said again.",))
    return seen(
        "2" * 32,
        "started",
        "attention",
        clock.now,
        messenger=KEY,
        name="Chatter",
        listed=False,
        unlisted=said,
    )


@pytest.mark.parametrize("decide", ["add", "dismiss"])
def test_what_was_decided_can_be_taken_back(reported: SimulatedDevice, by: By, decide: str) -> None:
    if decide == "add":
        reviewing.add(KEY, ACME, by)
    else:
        reviewing.dismiss(KEY, by)
    reviewing.take_back(KEY, by)
    assert [one.messenger for one in reviewing.queue().waiting] == [KEY]
    match = sent_to(reported).match(CHATTER)
    assert match is not None
    assert match.messenger == KEY
    with pytest.raises(RequestError, match="was not decided here"):
        reviewing.take_back(KEY, by)


def test_it_may_be_a_messenger_that_is_listed(reported: SimulatedDevice, by: By) -> None:
    reviewing.add(KEY, Wish(name="", maker="", kind="", same_as="telegram"), by)
    matcher = sent_to(reported)
    match, known = (
        matcher.match(CHATTER),
        matcher.match(ProcessFacts(platform="linux", exe="/usr/bin/telegram-desktop")),
    )
    assert match is not None
    assert known is not None
    assert match.messenger == known.messenger == "telegram"
    reviewing.take_back(KEY, by)
    assert parse(CataloguePublication.objects.latest("version").overlay).entries == {}


def test_what_stands_in_the_overlay_stays_as_it_was_written(reported: SimulatedDevice, by: By) -> None:
    ours = '# Ours, see the wiki\nnever = ["unlisted:dialer"]  # a telephone\n\n[telegram]\nname = "Telegram here"\n'
    catalogues.publish(ours, "alice", by.identity, by.at)
    reviewing.add(KEY, ACME, by)
    published = CataloguePublication.objects.latest("version").overlay
    assert published.startswith(ours)
    reviewing.take_back(KEY, by)
    assert CataloguePublication.objects.latest("version").overlay == ours


def test_every_decision_is_in_the_audit_log(reported: SimulatedDevice, by: By) -> None:
    reviewing.add(KEY, ACME, by)
    reviewing.take_back(KEY, by)
    reviewing.dismiss(KEY, by)
    entries = AuditEntry.objects.filter(action__startswith="unlisted").order_by("pk")
    assert [(one.action, one.actor, one.subject, one.address) for one in entries] == [
        ("unlisted.added", "alice", KEY, "192.0.2.1"),
        ("unlisted.taken_back", "alice", KEY, "192.0.2.1"),
        ("unlisted.dismissed", "alice", KEY, "192.0.2.1"),
    ]
    assert entries[0].detail == "as chatter, Acme Chatter by Acme, business"


def test_what_would_not_be_in_order_is_refused_and_nothing_is_published(
    reported: SimulatedDevice, by: By
) -> None:
    for wish in (
        msgspec.structs.replace(ACME, name="Telegram"),
        msgspec.structs.replace(ACME, kind="secret"),
    ):
        with pytest.raises(CatalogueFaultsError) as caught:
            reviewing.add(KEY, wish, by)
        assert caught.value.findings
    with pytest.raises(RequestError, match="No messenger with the id nobody"):
        reviewing.add(KEY, msgspec.structs.replace(ACME, same_as="nobody"), by)
    with pytest.raises(RequestError, match="No device has reported"):
        reviewing.dismiss("unlisted:other", by)
    assert CataloguePublication.objects.count() == 0
    assert reviewing.waiting_count() == 1


def test_an_id_that_is_taken_is_not_given_again(device: SimulatedDevice, clock: FakeClock, by: By) -> None:
    said = Unlisted(platform="linux", kind="desktop_id", value="com.acme.slack", evidence=())
    device.check_in(
        device.report(
            chatter(clock, messenger="unlisted:com.acme.slack", name="Slack of Acme", unlisted=said)
        )
    )
    reviewing.add("unlisted:com.acme.slack", ACME, by)
    assert "com-acme-slack" in catalogues.in_use().messengers


def test_devices_that_were_taken_out_are_not_counted_and_one_counts_once(
    post: Post, issue: Callable[..., str], clock: FakeClock
) -> None:
    secret = issue(3)
    devices = [SimulatedDevice(post) for _ in range(3)]
    for number, one in enumerate(devices):
        one.enrol(secret, device_name=f"desk-{number}")
        reports = [
            one.report(chatter(clock, 2 * number + side, profile=profile))
            for side, profile in enumerate(("work", "personal"))
        ]
        one.check_in(*reports)
    [waiting] = reviewing.queue().waiting
    assert waiting.devices == 3
    assert UnlistedMessenger.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"unlisted": None},
        {"messenger": None, "name": None},
        {"messenger": "telegram"},
        {"unlisted": Unlisted(platform="linux", kind="desktop_id", value="another", evidence=())},
        {"unlisted": Unlisted(platform="linux", kind="bundle_id", value="org.acme.chatter", evidence=())},
        {"unlisted": Unlisted(platform="linux", kind="deb", value="org.acme.chatter", evidence=())},
        {"unlisted": Unlisted(platform="web", kind="desktop_id", value="org.acme.chatter", evidence=())},
    ],
)
def test_what_does_not_fit_together_is_no_candidate(
    device: SimulatedDevice, clock: FakeClock, changes: dict[str, object]
) -> None:
    device.check_in(device.report(chatter(clock, 1, **changes)))
    assert UnlistedMessenger.objects.count() == 0


def test_a_dishonest_device_does_not_fill_the_table(
    reported: SimulatedDevice, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlisted, "AT_MOST", 2)
    for name in ("a", "b", "c"):
        said = Unlisted(platform="linux", kind="desktop_id", value=name, evidence=())
        reported.check_in(
            reported.report(chatter(clock, ord(name), messenger=f"unlisted:{name}", unlisted=said))
        )
    assert {one.messenger for one in UnlistedMessenger.objects.all()} == {KEY, "unlisted:a"}


def test_it_is_forgotten_with_the_last_sighting_of_it(
    reported: SimulatedDevice,
    clock: FakeClock,
    identity: Identity,
    publish: Callable[..., Publication],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    publish()
    reported.check_in(
        reported.report(msgspec.structs.replace(chatter(clock), transition="ended", unlisted=None))
    )
    kept = retention.limits()
    assert kept is not None
    clock.advance(timedelta(days=kept.personal_data_days - 1))
    retention.apply(kept, clock.now, "alice", tmp_path_factory.mktemp("locks"))
    assert UnlistedMessenger.objects.count() == 1
    clock.advance(timedelta(days=2))
    retention.apply(kept, clock.now, "alice", tmp_path_factory.mktemp("locks"))
    assert UnlistedMessenger.objects.count() == 0


def test_two_clicks_lead_from_the_first_page_to_every_device(
    reported: SimulatedDevice, console: Client, clock: FakeClock
) -> None:
    first = console.get("/").content.decode()
    assert "1 unlisted messenger waits for your decision" in first
    assert f'href="{PATH}"' in first
    shown = unescape(console.get(PATH).content.decode())
    assert "org.acme.Chatter gives its category as InstantMessaging" in shown
    fields = dict(re.findall(r'<input [^>]*name="(messenger|name|maker)"[^>]*value="([^"]*)"', shown))
    answer = console.post(PATH, {**fields, "kind": "both", "same_as": "", "do": "add"})
    assert (answer.status_code, answer["Location"]) == (302, PATH)
    match = sent_to(reported).match(CHATTER)
    assert match is not None
    assert match.listed
    after = console.get(PATH).content.decode()
    assert "Nothing waits for your decision" in after
    assert "Catalogue version 1 is published" in after
    assert "unlisted messenger waits" not in console.get("/").content.decode()
    assert "Catalogue version 1 is used by 0 of 1 device." in words(after)
    reported.check_in(catalogue_version=1)
    assert "Catalogue version 1 is used by 1 of 1 device." in words(page(console, PATH))


def test_a_devices_page_says_which_catalogue_it_uses(
    reported: SimulatedDevice, console: Client, by: By
) -> None:
    path = f"/fleet/device/{reported.id}/change/"
    assert "Messengers by the list that came with it" in words(page(console, path))
    reviewing.dismiss(KEY, by)
    reviewing.take_back(KEY, by)
    reported.check_in(catalogue_version=1)
    assert "Messengers by catalogue version 1 (newest: 2)" in words(page(console, path))
    reported.check_in(catalogue_version=2)
    assert "newest" not in words(page(console, path))


def test_a_refusal_keeps_what_was_written_and_says_what_to_correct(
    reported: SimulatedDevice, console: Client
) -> None:
    wish = {"messenger": KEY, "name": "Telegram", "maker": "Me & Co", "kind": "consumer", "do": "add"}
    answer = console.post(PATH, wish)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "telegram is called Telegram as well." in shown
    assert 'value="Me &amp; Co"' in shown
    assert '<option value="consumer" selected>' in shown
    for wrong in ({"messenger": KEY, "do": "sing"}, {"messenger": "unlisted:other", "do": "never"}, {}):
        answer = console.post(PATH, wrong)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()


def test_a_rule_that_would_stop_holding_is_told_of(
    reported: SimulatedDevice, console: Client, identity: Identity, clock: FakeClock
) -> None:
    text = (
        template("restrict", "Acme")
        + f'\n[[channels]]\nid = "no-chatter"\nmessenger = "{KEY}"\nprofile = "work"\nstance = "banned"\n'
    )
    publishing.publish(text, "alice", identity, clock.now)
    form = {"messenger": KEY, "name": "Chatter", "maker": "Acme", "kind": "both", "do": "add"}
    shown = unescape(console.post(PATH, form, follow=True).content.decode())
    assert f"has a rule for {KEY} (no-chatter)" in shown


def test_only_who_may_publish_a_catalogue_decides(reported: SimulatedDevice, by: By) -> None:
    client = Client()
    client.force_login(User.objects.create_user("bob", is_staff=True))
    assert client.get(PATH).status_code == 403
    assert client.post(PATH, {"messenger": KEY, "do": "never"}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="bob"))
    assert strict.post(PATH, {"messenger": KEY, "do": "never"}).status_code == 403
    assert CataloguePublication.objects.count() == 0


OVERLAYS = (
    "",
    "# a remark\n",
    'never = [ "unlisted:dialer", ]\n',
    '# ours\n\n[telegram] # here\nname = "T"\n\n[acme.capture]\nnative_export = "x"\n[acme]\n',
    '[acme]\nname="Acme"\nmaker="Acme"\nkind="both"\nseen = [\n  ["linux", "IT", { executable = "acme" }], # one\n]\n',
    'pidgin = { name = "Pidgin here" }\n',
)
WORDS = st.text('abc.-_"\\é', min_size=1, max_size=12)


@given(st.sampled_from(OVERLAYS), st.lists(WORDS, max_size=3), WORDS, WORDS)
def test_a_change_says_what_it_should_and_is_undone_to_the_letter_of_what_it_says(
    text: str, keys: list[str], name: str, value: str
) -> None:
    before, changed = parse(text), text
    never = [f"unlisted:{key}" for key in keys]
    for one in never:
        changed = overlay_text.with_never(changed, one)
    ways = (KnownBy("linux", "desktop_id", value), KnownBy("windows", "executable", value))
    changed = overlay_text.with_messenger(
        changed, "zap", (("name", name), ("maker", "M"), ("kind", "both")), ways
    )
    said = parse(changed)
    assert set(said.never) == {*before.never, *never}
    assert said.entries["zap"].name == name
    assert len(said.entries) == len(before.entries) + 1
    for one in never:
        if one not in before.never:
            changed = overlay_text.without_never(changed, one)
    assert parse(overlay_text.without_ways(changed, ways)) == before


def test_a_messenger_that_is_called_never_leaves_no_place_for_what_is_none() -> None:
    with pytest.raises(MalformedError, match="cannot be changed here"):
        overlay_text.with_never('[never]\nname = "Never"\n', "unlisted:x")


def test_more_rows_for_a_listed_messenger_stand_beside_those_that_it_has() -> None:
    way = KnownBy("linux", "desktop_id", "org.fork")
    changed = overlay_text.with_messenger('[telegram]\nname = "T"\n', "telegram", (), (way,))
    merged = merge(entries_in(texts()), parse(changed))
    values = [one.value for one in merged.messengers["telegram"].seen]
    assert "org.fork" in values
    assert "telegram-desktop" in values
    assert overlay_text.without_ways(changed, (way,)) == '[telegram]\nname = "T"\n'
