"""Inputs in the right form, from the contract's own types, and what spoils them: wrong members, half characters, torn text."""

import copy
import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from contract import wire
from contract.catalogue import Messenger
from contract.catalogue_bundle import CatalogueBundle
from contract.envelope import seal
from contract.facts import ProcessFacts
from contract.local import LINE_LIMIT_BYTES, METHODS
from contract.messages import (
    LIMIT_BYTES,
    Acknowledgement,
    CheckIn,
    EnrolmentRequest,
    KeyCertificate,
    ObservationBody,
)
from contract.observations import Observation
from contract.overlay import Correction
from tests.contract.strategies import policies, values_of
from tests.fuzz.fixed import AT, CHECK_IN, DEVICE, KEY, NEXT_KEY, SECRET, TENANT, proof

Documents = st.SearchStrategy[Any]
Bytes = st.SearchStrategy[bytes]
Render = Callable[[Any], str]
DRAWN = 60
_SLICE: ContextVar[int] = ContextVar("slice", default=0)
_NUMBERS = (0, -1, 1.0, 0.5, 2**31, 2**53 + 1, 2**63, 2**64, -(2**70), 1e308)
_TEXTS = (
    "",
    " ",
    "\0",
    "\u2028",
    "\x1b[31m",
    "x" * 300,
    "../../etc",
    "1e400",
    "9999-12-31T23:59:59Z",
)
_UNWRITABLE = ("\ud800", float("inf"), float("nan"))
"""What no strict writer of JSON writes."""
_WRONG: tuple[Any, ...] = (None, True, [], {}, [[]], {"": {}}, [None] * 60, *_NUMBERS, *_TEXTS)
_junk: Documents = st.one_of(
    st.sampled_from([*_WRONG, *_UNWRITABLE]),
    st.text(max_size=20),
    st.integers(),
)
_TORN = (
    b"[" * 3000,
    b'{"a":' * 3000,
    b"\xff\xfe",
    b"\0",
    b"9" * 5000,
    b'"',
    b"\\ud800",
    b"\n",
    b"\r\n",
    b"x" * 9000,
    b",",
    b"\xef\xbb\xbf",
)


def json_text(document: Any) -> str:
    """Return JSON, whose half characters, infinities and long numbers are left to the reader."""
    return json.dumps(document, separators=(",", ":"))


def toml_text(document: Any) -> str:
    """Return TOML with a line for each member; what TOML cannot say is written as JSON has it."""
    if not isinstance(document, dict):
        return json_text(document)
    told = {key: one for key, one in document.items() if one is not None}
    return "".join(f"{json.dumps(str(key))} = {_inline(value)}\n" for key, value in told.items())


def _inline(value: Any) -> str:
    match value:
        case dict():
            told = {key: one for key, one in value.items() if one is not None}
            return (
                "{" + ", ".join(f"{json.dumps(str(key))} = {_inline(one)}" for key, one in told.items()) + "}"
            )
        case list():
            return "[" + ", ".join(_inline(one) for one in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


@st.composite
def spoiled(draw: st.DrawFn, documents: Documents, render: Render = json_text) -> bytes:
    """Documents, as they are or with up to three members changed, and now and then torn."""
    document = draw(documents)
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        document = _changed(draw, copy.deepcopy(document))
    return draw(torn(render(document).encode("utf-8", "surrogatepass")))


def _changed(draw: st.DrawFn, document: Any) -> Any:
    places = list(_places(document))
    if not places:
        return draw(_junk)
    holder, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["junk", "remove", "wrap", "add"])):
        case "junk":
            holder[key] = draw(_junk)
        case "remove":
            del holder[key]
        case "wrap":
            holder[key] = [holder[key]] * draw(st.sampled_from([1, 2, 12]))
        case _ if isinstance(holder, dict):
            holder[draw(st.text(max_size=10))] = draw(_junk)
        case _:
            holder.insert(key, draw(_junk))
    return document


def spoiled_by_chance(document: Any, chance: Random) -> Any:
    """Return a copy with up to three members changed: for where drawing a document takes longer than trying it."""
    changed = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            return copy.deepcopy(chance.choice(_WRONG))
        holder, key = chance.choice(places)
        match chance.choice(("wrong", "remove", "wrap", "elsewhere")):
            case "wrong":
                holder[key] = copy.deepcopy(chance.choice(_WRONG))
            case "remove":
                del holder[key]
            case "wrap":
                holder[key] = [holder[key]] * chance.choice((1, 2, 12))
            case _:
                other, at = chance.choice(places)
                holder[key] = copy.deepcopy(other[at])
    return changed


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each member of a document with what holds it."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


@st.composite
def torn(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes as they are, or cut, or with something pushed in."""
    if draw(st.integers(0, 3)):
        return data
    start = draw(st.integers(0, len(data)))
    end = draw(st.sampled_from([start, start + 1, len(data)]))
    return data[:start] + draw(st.sampled_from(_TORN) | st.binary(max_size=8)) + data[end:]


def _plain(kind: Any) -> Documents:
    return _few(values_of(kind))


def _few(values: st.SearchStrategy[Any]) -> Documents:
    return few(values, _SLICE.get())


def few(values: st.SearchStrategy[Any], number: int) -> Documents:
    """Return what chooses among a few values, as plain data, drawn anew for each slice: making one takes longer than trying it."""
    drawn: list[Any] = []

    @seed(number)
    @settings(
        max_examples=DRAWN,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def draw(value: Any) -> None:
        drawn.append(json.loads(wire.encode(value)))

    draw()
    return st.sampled_from(drawn)


def _with(documents: Documents, **members: Documents) -> Documents:
    """Give members that must fit elsewhere; now and then they are left to chance."""
    return st.tuples(documents, st.fixed_dictionaries(members), st.integers(0, 9)).map(
        lambda drawn: {**drawn[0], **drawn[1]} if drawn[2] else drawn[0]
    )


def _lines(lines: Bytes, least: int = 1, most: int = 4) -> Bytes:
    return st.lists(lines, min_size=least, max_size=most).map(b"\n".join)


def _joined(*parts: Bytes) -> Bytes:
    return st.tuples(*parts).map(b"\n".join)


def _headers() -> Documents:
    right = {
        "alg": "Ed25519",
        "kid": KEY.public.fingerprint,
        "typ": "decorum-check-in",
        "tenant": TENANT,
        "device": DEVICE,
        "direction": "to_server",
    }
    return st.just(right) | st.just({**right, "crit": ["b64"], "b64": False})


def _sealed_texts() -> Bytes:
    right = [seal(payload, CHECK_IN, KEY).encode() for payload in (b"", b"{}", b'{"a":[1]}')]
    return st.sampled_from([*right, b"..", b"a.b.c", b"eyJhbGciOiJub25lIn0..", b"." * 10])


def _policy_documents() -> Documents:
    return _few(policies())


def _bundles() -> Documents:
    times = {"issued_at": "2026-11-20T00:00:00Z", "expires_at": "2027-11-20T00:00:00Z"}
    return st.tuples(st.integers(0, 3), _policy_documents()).map(
        lambda drawn: {"serial": drawn[0], "policy": drawn[1], **times}
    )


def _catalogues() -> Documents:
    ids = st.sampled_from(["telegram", "a", "x-1", "a" * 48, "Bad Id", ""])
    return st.dictionaries(ids, _plain(Messenger), max_size=3)


def _overlays() -> Documents:
    never = st.lists(st.sampled_from(["unlisted:x", "unlisted:", "telegram", ""]), max_size=2)
    entries = st.dictionaries(
        st.sampled_from(["telegram", "acme-chat", "never", "Bad Id"]), _plain(Correction), max_size=3
    )
    return st.tuples(never, entries).map(lambda drawn: {"never": drawn[0], **drawn[1]})


def _published() -> Documents:
    return _with(_plain(CatalogueBundle), issued_at=st.just(AT.isoformat()), release=st.just("0.1.0"))


def _facts() -> Documents:
    paths = st.sampled_from(
        [
            "/usr/bin/telegram-desktop (deleted)",
            "/opt/.slack-wrapped",
            "/usr/bin/",
            "C:\\Program Files\\WindowsApps\\Microsoft.SkypeApp_14.53.77.0_x64__kzf8qxf38zg5c\\Skype.EXE",
            "/Applications/WhatsApp.app/Contents/Frameworks/WhatsApp Helper.app/Contents/MacOS/x",
            "/snap/telegram-desktop/1/usr/bin/x",
            "/app/bin/x",
            "/usr/lib/firefox/firefox",
            "electron",
        ]
    )
    arguments = st.lists(
        paths
        | st.sampled_from(["--type=renderer", "-m", "--app=https://web.whatsapp.com", "run", "flatpak", ""]),
        max_size=4,
    )
    return _with(_plain(ProcessFacts), exe=st.none() | paths, cmdline=st.none() | arguments)


def _conversations() -> Bytes:
    few, many = [0] * 60, [3, LINE_LIMIT_BYTES - 60, LINE_LIMIT_BYTES, 2 * LINE_LIMIT_BYTES]
    head = st.builds(
        "{} {} {}".format,
        st.sampled_from(["o", "p", "s"]),
        st.sampled_from(["", "1", "7", "100000"]),
        st.sampled_from([*few, *many]),
    )
    lines = _lines(spoiled(_questions()), 0, 6)
    end = st.sampled_from([b"\n", b"", b"\n\n"])
    return st.builds(lambda *parts: parts[0].encode() + b"\n" + parts[1] + parts[2], head, lines, end)


def _questions() -> Documents:
    params = {name: _few(values_of(method.params)) for name, method in METHODS.items()}
    return st.one_of(
        [
            st.fixed_dictionaries(
                {
                    "jsonrpc": st.just("2.0"),
                    "id": st.integers(-5, 2**64),
                    "method": st.just(name),
                    "params": one | _junk,
                }
            )
            for name, one in params.items()
        ]
    )


def _answers() -> Bytes:
    said = _with(
        _plain(Acknowledgement),
        request=st.just("REQUEST"),
        at=st.sampled_from(["2026-11-23T12:00:00Z", "9998-12-31T00:00:00Z", "2026-11-23T13:00:00+14:00"]),
        current_serial=st.integers(0, 3),
    )
    raw = st.tuples(
        st.just(b"raw"), spoiled(st.just({"sealed": "a.b.c", "certificates": ["a.b.c"], "bundle": None}))
    )
    return (
        raw.map(b"\n".join)
        | _joined(spoiled(said).map(_on_one_line), st.just(b""))
        | _joined(spoiled(said).map(_on_one_line), spoiled(_bundles()))
    )


def _on_one_line(data: bytes) -> bytes:
    return data.replace(b"\n", b" ")


def _web_requests() -> Bytes:
    heads = st.sampled_from(
        [
            b"",
            b"POST /agent/v1/enrol",
            b"GET /agent/v1/enrol",
            b"POST /agent/v1/check-in/",
            b"POST /agent/v1/check-in text/plain",
            b"POST /agent/v1/check-in application/json;charset=utf-16",
            b"POST /agent/v1/check-in application/json -1",
            b"POST /agent/v1/check-in application/json 99999999999999999999",
            b"POST /agent/v1/check-in application/json %d %d" % (LIMIT_BYTES, LIMIT_BYTES),
        ]
    )
    bodies = st.lists(_plain(ObservationBody), max_size=2)
    texts = st.one_of(_sealed_texts(), st.binary(max_size=30)).map(lambda data: data.decode("latin-1"))
    body = st.fixed_dictionaries({"sealed": texts, "bodies": bodies})
    return _joined(heads, spoiled(body))


def _check_ins() -> Bytes:
    keys = {"public_key": NEXT_KEY.public.text, "proof": proof()}
    said = _with(_plain(CheckIn), next_key=st.none() | st.just(keys), observations=st.just([]))
    bodies = st.just(b"") | spoiled(st.lists(_plain(ObservationBody), max_size=2)).map(_on_one_line)
    return _joined(spoiled(said).map(_on_one_line), bodies)


def _reports() -> Bytes:
    one = spoiled(_plain(Observation)).map(_on_one_line)
    numbered = st.tuples(st.integers(32, 126), one).map(lambda drawn: bytes([drawn[0]]) + drawn[1])
    ends = st.sampled_from([b"\n", b"\n\n"])
    return st.tuples(ends, st.lists(numbered, min_size=1, max_size=4)).map(
        lambda drawn: drawn[0].join(drawn[1])
    )


def _enrolments() -> Documents:
    return _with(
        _plain(EnrolmentRequest),
        secret=st.sampled_from([SECRET, SECRET, f"{TENANT}.x", "other.x"]),
        public_key=st.sampled_from([NEXT_KEY.public.text, NEXT_KEY.public.text, KEY.public.text, "A" * 43]),
    )


def _heartbeats() -> Bytes:
    headers = [b"", b"", b"", b"Bearer", b"Bearer acme.wrong", b"bearer " + b"x" * 301, b"Basic YTpi"]
    messengers = st.lists(st.sampled_from(["telegram", "whatsapp", "unlisted:x", "A" * 200]), max_size=4)
    times = [
        "2026-11-23T12:00:00Z",
        "0002-01-01T00:00:00+14:00",
        "9998-12-31T23:59:59Z",
        "2026-11-23T12:00:00",
    ]
    said = st.fixed_dictionaries({"messengers": messengers}, optional={"written_at": st.sampled_from(times)})
    return _joined(st.sampled_from(headers), spoiled(said))


def _keys() -> Bytes:
    private = json.loads(KEY.to_text())
    public = st.sampled_from([KEY.public.text, "A" * 43, "_" * 43, KEY.public.text + "="])
    return spoiled(st.just(private)) | public.flatmap(lambda text: torn(text.encode()))


def _certificates() -> Documents:
    return _with(
        _plain(KeyCertificate), public_key=st.just(KEY.public.text), not_before=st.just(AT.isoformat())
    )


def _keys_and_values(first: str, between: str) -> Render:
    """Return what writes a document as lines of a key and a value."""
    return lambda document: "\n".join(
        [first, *(f"{key}{between}{value}" for key, value in document.items()), ""]
        if isinstance(document, dict)
        else [first, str(document)]
    )


def _xml(document: Any) -> str:
    """Return a document as elements; what is neither table nor list is text, and text is not escaped."""
    if isinstance(document, dict):
        return "".join(f"<{key}>{_xml(one)}</{key.partition(' ')[0]}>" for key, one in document.items())
    return "".join(map(_xml, document)) if isinstance(document, list) else str(document)


def _applications() -> Bytes:
    entry = {
        "Type": "Application",
        "Exec": "foo %u",
        "Categories": "Network;Chat;",
        "MimeType": "x-scheme-handler/xmpp;",
        "DBusActivatable": "true",
        "GenericName": "a chat client",
    }
    categories = [{"category": "InstantMessaging"}, {"category": "Network"}]
    component = {
        'component type="desktop"': {
            "id": "org.example.Foo",
            "summary": "an XMPP client",
            "categories": categories,
            "provides": [{"mediatype": "x-scheme-handler/irc"}],
        }
    }
    package = {"Package": "foo", "Section": "net", "Description": "an IRC client"}
    service = {"Name": "org.example.Foo", "Exec": "/usr/bin/foo --gapplication-service"}
    return (
        _joined(st.just(b"entry"), spoiled(st.just(entry), _keys_and_values("[Desktop Entry]", "=")))
        | _joined(st.just(b"metainfo"), spoiled(st.just(component), _xml))
        | _joined(st.just(b"status"), spoiled(st.just(package), _keys_and_values("", ": ")))
        | _joined(st.just(b"service"), spoiled(st.just(service), _keys_and_values("[D-BUS Service]", "=")))
    )


def shape_of(name: str, number: int) -> Bytes:
    """Return what makes the inputs of one slice for a target."""
    _SLICE.set(number)
    shapes: dict[str, Callable[[], Bytes]] = {
        "envelope": lambda: _sealed_texts().flatmap(torn),
        "envelope-signed": lambda: _joined(spoiled(_headers()), st.binary(max_size=20)),
        "keys": _keys,
        "catalogue": lambda: spoiled(_catalogues(), toml_text),
        "facts": lambda: spoiled(_facts()),
        "policy": lambda: spoiled(_policy_documents(), toml_text),
        "bundle": lambda: (
            _joined(st.just(b""), spoiled(_bundles()))
            | _joined(st.just(b"certificate"), spoiled(_certificates()))
        ),
        "overlay": lambda: spoiled(_overlays(), toml_text),
        "published": lambda: (
            _joined(st.just(b""), spoiled(_published()))
            | _joined(st.just(b"raw"), st.sampled_from([b"", b"x\x9c", b"\x78\x9c\x03\x00\x00\x00\x00\x01"]))
        ),
        "local": _conversations,
        "application": _applications,
        "reply": _answers,
        "request": _web_requests,
        "check-in": _check_ins,
        "observations": _reports,
        "enrolment": lambda: spoiled(_enrolments()),
        "heartbeat": _heartbeats,
    }
    return shapes[name]()
