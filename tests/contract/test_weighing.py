from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.evidence import MOST
from contract.facts import ProcessFacts
from contract.weighing import Weighing, weigh
from contract.weights import THRESHOLD, WEIGHTS_OF, Weight

EVERY = [(kind, value, weight) for kind, table in WEIGHTS_OF.items() for value, weight in table.items()]
SINGLE = {"app_category", "section"}
"""Kinds of which an application has one."""


def _weigh(*, platform: str = "linux", **facts: Any) -> Weighing:
    return weigh(msgspec.convert({"platform": platform, "desktop_id": "foo"} | facts, ProcessFacts))


def _fact(kind: str, value: str) -> dict[str, Any]:
    name = {"category": "categories", "url_scheme": "url_schemes", "description": "descriptions"}.get(
        kind, kind
    )
    return {name: value if kind in SINGLE else [value]}


@pytest.mark.parametrize(("kind", "value", "weight"), EVERY, ids=lambda value: str(value)[:40])
def test_every_weight_has_a_reason_and_a_source_and_is_found(kind: str, value: str, weight: Weight) -> None:
    assert 0 < abs(weight.weight) < 1
    assert weight.because[0].islower() or weight.because.startswith(("XMPP", "IRC"))
    assert not weight.because.endswith(".")
    assert weight.source
    assert value == value.lower()
    told = _weigh(**_fact(kind, value.upper()))
    [evidence] = told.speaking if weight.weight > 0 else told.against
    assert (told.against if weight.weight > 0 else told.speaking) == ()
    assert evidence.kind == kind
    assert value.upper() in evidence.sentence
    assert evidence.sentence.endswith(f": {weight.because} (source: {weight.source}).")


COUNTS_ALONE = {
    "category": {"instantmessaging", "ircclient", "chat", "videoconference"},
    "url_scheme": {
        "xmpp",
        "irc",
        "ircs",
        "matrix",
        "tg",
        "sgnl",
        "whatsapp",
        "slack",
        "msteams",
        "skype",
        "zoommtg",
    },
}


@pytest.mark.parametrize("kind", WEIGHTS_OF)
def test_what_counts_alone(kind: str) -> None:
    alone = {value for value in WEIGHTS_OF[kind] if _weigh(**_fact(kind, value)).is_enough}
    assert alone == {value for value, weight in WEIGHTS_OF[kind].items() if weight.weight >= THRESHOLD}
    assert COUNTS_ALONE.get(kind, set()) <= alone
    assert kind in COUNTS_ALONE or not alone, "a section, a phrase or a shop's shelf is never enough"


@pytest.mark.parametrize(
    ("facts", "is_enough"),
    [
        # Categories alone.
        ({"categories": ["InstantMessaging"]}, True),
        ({"categories": ["Network", "Chat"]}, True),
        ({"categories": ["AudioVideo", "Audio", "VideoConference"]}, True),
        ({"categories": ["Network", "Chat;InstantMessaging;"]}, True),
        ({"categories": ["instantmessaging"]}, True),
        ({"categories": ["Network", "Telephony"]}, False),
        ({"categories": ["Network"]}, False),
        ({"categories": []}, False),
        ({"categories": [";", ""]}, False),
        # Weak pieces that add up, and those that do not.
        ({"categories": ["Network"], "section": "net", "descriptions": ["a small IRC client"]}, True),
        ({"section": "net", "descriptions": ["a small IRC client"]}, False),
        ({"categories": ["Network"], "descriptions": ["a small IRC client"]}, False),
        ({"categories": ["Network", "Telephony"], "url_schemes": ["sip", "sips", "tel"]}, False),
        ({"categories": ["Network", "Telephony"], "url_schemes": ["sms"]}, True),
        ({"categories": ["Network", "Telephony"], "url_schemes": ["jami"]}, True),
        (
            {
                "categories": ["Network", "Telephony"],
                "url_schemes": ["sip"],
                "descriptions": ["calls and instant messaging"],
            },
            True,
        ),
        ({"app_category": "public.app-category.social-networking"}, False),
        ({"app_category": "public.app-category.social-networking", "url_schemes": ["xmpp"]}, True),
        ({"app_category": "public.app-category.social-networking", "url_schemes": ["sms"]}, True),
        ({"app_category": "public.app-category.business", "url_schemes": ["sip"]}, False),
        # The same in other words is no more certain.
        ({"url_schemes": ["sip", "sips", "callto", "tel", "sms"]}, False),
        ({"categories": ["Telephony", "Telephony"], "url_schemes": ["sip"]}, False),
        # What speaks against.
        ({"categories": ["Chat", "Email"]}, False),
        ({"categories": ["InstantMessaging", "Email"], "url_schemes": ["xmpp", "mailto"]}, False),
        ({"categories": ["InstantMessaging", "WebBrowser"], "url_schemes": ["irc", "https"]}, False),
        ({"categories": ["Chat", "Game"]}, False),
        ({"categories": ["Development", "IDE"], "url_schemes": ["slack"]}, False),
        ({"categories": ["VideoConference", "RemoteAccess"]}, False),
        ({"categories": ["VideoConference", "Player"]}, False),
        ({"url_schemes": ["http", "https", "irc", "xmpp", "mailto"]}, False),
        ({"categories": ["InstantMessaging"], "url_schemes": ["mailto"]}, True),
        ({"categories": ["Chat"], "section": "games"}, False),
        ({"app_category": "public.app-category.puzzle-games", "url_schemes": ["slack"]}, False),
        # Words that only look alike.
        ({"categories": ["Network"], "section": "net", "descriptions": ["a messengerless ircclient"]}, False),
        ({"url_schemes": ["xmpp-test", "irc2", "x-tg"]}, False),
        ({"section": "contrib/net", "categories": ["Network"], "descriptions": ["XMPP"]}, True),
    ],
)  # fmt: skip
def test_what_adds_up_and_what_does_not(facts: dict[str, Any], *, is_enough: bool) -> None:
    assert _weigh(**facts).is_enough is is_enough


def test_one_strong_fact_against_is_enough_whatever_else_there_is() -> None:
    everything: dict[str, Any] = {
        "categories": list(WEIGHTS_OF["category"]),
        "url_schemes": list(WEIGHTS_OF["url_scheme"]),
    }
    for kind, name in (("category", "categories"), ("url_scheme", "url_schemes")):
        everything[name] = [value for value in everything[name] if WEIGHTS_OF[kind][value].weight > 0]
    assert _weigh(**everything).confidence == MOST
    for kind, value, weight in EVERY:
        if weight.weight <= -THRESHOLD:
            fact = _fact(kind, value)
            merged = {
                name: [*everything.get(name, []), *told] if isinstance(told, list) else told
                for name, told in fact.items()
            }
            assert not _weigh(**(everything | merged)).is_enough, value


def test_what_speaks_against_is_told_beside_what_speaks_for() -> None:
    told = _weigh(categories=["Network", "Email", "Chat"], url_schemes=["mailto"])
    assert [evidence.sentence for evidence in told.speaking] == [
        (
            "foo gives its category as Network: every messenger needs a network, but so do many others"
            " (source: Desktop Menu Specification 1.1, appendix A)."
        ),
        "foo gives its category as Chat: programs in it are made to chat (source: Desktop Menu Specification 1.1, appendix A).",
    ]
    assert [evidence.value for evidence in told.against] == ["Email", "mailto"]
    assert (told.confidence, told.threshold, told.is_enough) == (0.0, THRESHOLD, False)


_VALUES = st.sampled_from([value for _, value, _ in EVERY]) | st.text(max_size=12)


@given(
    st.lists(_VALUES, max_size=8).map(tuple),
    st.lists(_VALUES, max_size=8).map(tuple),
    st.lists(_VALUES, max_size=3).map(tuple),
)
def test_more_that_speaks_for_it_never_makes_it_less_certain(
    categories: tuple[str, ...], schemes: tuple[str, ...], descriptions: tuple[str, ...]
) -> None:
    facts = ProcessFacts(
        platform="linux", categories=categories, url_schemes=schemes, descriptions=descriptions
    )
    told = weigh(facts)
    assert 0 <= told.confidence <= MOST
    more = msgspec.structs.replace(facts, categories=(*categories, "IRCClient"))
    assert weigh(more).confidence >= told.confidence
    worse = msgspec.structs.replace(facts, categories=(*categories, "WebBrowser"))
    assert weigh(worse).confidence <= told.confidence
