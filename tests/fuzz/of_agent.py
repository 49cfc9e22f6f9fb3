"""Targets in the agent: what a local program says to it, and what a server answers to a check-in."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

from agent.errors import DistrustError
from agent.localapi.pace import Pace
from agent.localapi.peer import Peer
from agent.reporting.enrolment import current_enrolment
from agent.sensing.debian_packages import DebianPackages
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.installed import Described, facts_of_application
from contract import wire
from contract.envelope import EVERY_DEVICE, Address, seal
from contract.local import LINE_LIMIT_BYTES, METHODS, ErrorCode, Reply, Request
from contract.messages import REPLY_LIMIT_BYTES, CheckInReply
from contract.weighing import weigh
from tests.fakes.central_server import TENANT
from tests.fakes.device import Device, policy
from tests.fakes.running_agent import OTHER_UID, OWNER_UID, RunningAgent
from tests.fuzz.target import Check, FoundError, Target, head_and_rest, no_fault_is_swallowed

PADDING_AT_MOST = 2 * LINE_LIMIT_BYTES
_PEERS = {b"o": Peer(OWNER_UID), b"p": Peer(OTHER_UID, is_person=True), b"s": Peer(None)}
_TOO_LONG = -32600


class _NoPace(Pace):
    """Lets nobody wait: how long one waits is not what is tried here."""

    def wait_seconds(self, user: int | None, now: float) -> float:
        del user, now
        return 0.0


class _Wire:
    """The writing side of a connection, kept in memory."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.said = bytearray()
        self.transport = self
        self.is_ended = False

    def get_extra_info(self, name: str) -> Any:
        return {"peer": self._peer}[name]

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, content: bytes) -> None:
        self.said += content

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_ended = True

    def close(self) -> None:
        self.is_ended = True

    def abort(self) -> None:
        self.is_ended = True

    async def drain(self) -> None:
        """Do nothing."""


def _number(word: bytes, most: int) -> int:
    return min(int(word), most) if word.isdigit() and len(word) < 10 else 0


@contextlib.contextmanager
def _local(folder: Path) -> Iterator[Check]:
    """A whole conversation. Its first line is for us: who asks, how many bytes come at once, how many spaces go before the rest."""
    with RunningAgent(folder) as running:
        server = running.agent._local
        server._pace = _NoPace()
        running.start("telegram", uid=OWNER_UID)
        running.start("pidgin", uid=OTHER_UID)

        async def converse(peer: Peer, lines: bytes, step: int) -> bytes:
            reader, writer = asyncio.StreamReader(limit=LINE_LIMIT_BYTES), _Wire(peer)
            serving = asyncio.create_task(server._serve(reader, cast("asyncio.StreamWriter", writer)))
            for start in range(0, len(lines), step):
                reader.feed_data(lines[start : start + step])
                await asyncio.sleep(0)
            reader.feed_eof()
            await serving
            if not writer.is_ended:
                raise FoundError("the connection is left open")
            return bytes(writer.said)

        def check(data: bytes) -> None:
            head, rest = head_and_rest(data)
            who, step, padding = (*head.split(b" "), b"", b"", b"")[:3]
            lines = b" " * _number(padding, PADDING_AT_MOST) + rest
            peer = _PEERS.get(who[:1], _PEERS[b"o"])
            pace = max(1, _number(step, len(lines)), len(lines) // 1000) if step else max(1, len(lines))
            _judge(running._loop.run_until_complete(converse(peer, lines, pace)), lines, peer)
            if server.clients:
                raise FoundError("a client is left over")

        with no_fault_is_swallowed(check) as strictly:
            yield strictly


def _judge(said: bytes, lines: bytes, peer: Peer) -> None:
    """See that there is one reply to each line, each of the agreed form, and that a stranger learns nothing."""
    replies = [wire.decode(Reply, line, limit_bytes=2 * LINE_LIMIT_BYTES) for line in said.splitlines()]
    replies = [reply for reply in replies if reply.method is None]
    asked = lines.split(b"\n")
    asked = asked if asked[-1] else asked[:-1]
    is_cut = any(len(line) > LINE_LIMIT_BYTES for line in asked)
    if len(replies) != len(asked) and not is_cut:
        raise FoundError(f"{len(replies)} replies to {len(asked)} lines")
    if is_cut and (not replies or replies[-1].error is None or replies[-1].error.code != _TOO_LONG):
        raise FoundError("a line that is too long was not refused")
    for reply, line in zip(replies, asked, strict=False):
        if reply.error is not None and reply.error.code not in get_args(ErrorCode):
            raise FoundError(f"an error that nobody declared: {reply.error.code}")
        if reply.error is None and peer.uid is None:
            _see_that_anyone_may(line)


def _see_that_anyone_may(line: bytes) -> None:
    method = wire.decode(Request, line, limit_bytes=LINE_LIMIT_BYTES).method
    if METHODS[method].permission != "anyone":
        raise FoundError(f"a stranger was answered {method}")


@contextlib.contextmanager
def _reply(folder: Path) -> Iterator[Check]:
    """The answer to a check-in: `raw` and any bytes; else what the server's key seals, and in a second line what a policy key does."""
    device = Device(folder)
    device.server.publish(policy())
    device.enrol()
    device.check_in()
    enrolment = current_enrolment(device.store)
    assert enrolment is not None
    prepared = device.check_ins.prepare(enrolment)
    real = wire.decode(
        CheckInReply,
        device.server.post("http://server.test/agent/v1/check-in", prepared.request),
        limit_bytes=REPLY_LIMIT_BYTES,
    )
    request = prepared.sealed_digest.encode()

    def answer(data: bytes) -> bytes:
        head, rest = head_and_rest(data)
        if head == b"raw":
            return rest
        acknowledgement, bundle = (part.replace(b"REQUEST", request) for part in (head, rest))
        own = Address(type="acknowledgement", tenant=TENANT, device=enrolment.device, direction="to_device")
        fleet = Address(type="policy-bundle", tenant=TENANT, device=EVERY_DEVICE, direction="to_device")
        return wire.encode(
            CheckInReply(
                sealed=seal(acknowledgement, own, device.server.server_key),
                certificates=real.certificates,
                bundle=seal(bundle, fleet, device.server.policy_key) if bundle else None,
            )
        )

    def check(data: bytes) -> None:
        with contextlib.suppress(_RollBack), device.store.transaction():
            with contextlib.suppress(DistrustError):
                device.check_ins.apply(prepared, answer(data))
            raise _RollBack
        device.shelf.load(enrolment.trust)
        device.check_ins._next_key = None

    try:
        with no_fault_is_swallowed(check) as strictly:
            yield strictly
    finally:
        device.store.close()


class _RollBack(Exception):  # noqa: N818 - nothing went wrong: each input finds the same device
    """Undoes what an answer did."""


@contextlib.contextmanager
def _application(folder: Path) -> Iterator[Check]:
    """What is installed. The first line says which file the rest is: an entry, its metainfo file, its service, dpkg's status."""
    share, dpkg = folder / "share", folder / "dpkg"
    files = {
        b"entry": share / "applications/org.example.Foo.desktop",
        b"metainfo": share / "metainfo/org.example.Foo.metainfo.xml",
        b"service": share / "dbus-1/services/org.example.Foo.service",
        b"status": dpkg / "status",
    }
    files_before = {
        b"entry": b"[Desktop Entry]\nType=Application\nExec=foo\nCategories=Network;\nDBusActivatable=true\n",
        b"status": b"Package: foo\nSection: net\nDescription: an IRC client\n\n",
    }
    (dpkg / "info").mkdir(parents=True)
    (dpkg / "info/foo.list").write_text(f"{files[b'entry']}\n")
    for file in files.values():
        file.parent.mkdir(parents=True, exist_ok=True)

    def check(data: bytes) -> None:
        which, rest = head_and_rest(data)
        for kind, file in files.items():
            file.write_bytes(rest if kind == which else files_before.get(kind, b""))
        described = Described([share], DebianPackages(dpkg, "/"))
        index = DesktopIndex([share / "applications"], lambda name: name, described.complete)
        for entry in (*index.named("foo"), index.for_process("/usr/bin/foo", ("foo",))):
            if entry is not None:
                weighed = weigh(facts_of_application(entry, lambda name: name))
                if not 0 <= weighed.confidence <= 1:
                    raise FoundError(f"no confidence: {weighed}")

    yield check


TARGETS = (
    Target(
        "application",
        "what an installed application says of itself",
        _application,
        (
            "entry",
            "metainfo",
            "service",
            "status",
            "[Desktop Entry]",
            "Exec=",
            "<component",
            "<!ENTITY",
            "category",
        ),
    ),
    Target(
        "local",
        "a conversation with the agent",
        _local,
        (
            *METHODS,
            "jsonrpc",
            "2.0",
            "id",
            "method",
            "params",
            "limit",
            "before",
            "pid",
            "version",
            "reminder",
            "outcome",
            "language",
        ),
    ),
    Target(
        "reply",
        "a server's answer",
        _reply,
        (
            "sealed",
            "bundle",
            "certificates",
            "REQUEST",
            "missing",
            "forks",
            "taken_up_to",
            "current_serial",
            "next_key",
            "wants_new_key",
        ),
    ),
)
