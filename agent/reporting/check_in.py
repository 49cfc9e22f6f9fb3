"""One check-in: what is said, and what the answer changes, each in one transaction.

prepare()   numbers what is due, writes the ledger and the journal, seals; nothing has left yet
(send)      the transport, in another thread; it may fail, then the same rows go again with the same numbers
apply()     verifies the sealed answer; forgets what was taken; puts a new policy in force, or refuses it
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from agent.catalogue_shelf import CatalogueShelf
from agent.clock import Clock, ServerTime, best_time
from agent.errors import DistrustError
from agent.journal import Journal
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.reporting import told_connectors, wishes
from agent.reporting.enrolment import Enrolment, platform
from agent.reporting.ledger import Ledger
from agent.reporting.outbox import Outbox, Waiting
from agent.reporting.overreach import Overreach, in_fields, in_wishes
from agent.reporting.seals import Seals, reply_in
from agent.rescue import SEQUENCE_LOST
from agent.store import Store
from agent.trust import Trust, Use, key_id, open_bundle, open_catalogue
from contract import wire
from contract.envelope import Address, SigningKey, payload_of, seal
from contract.messages import (
    OBSERVATIONS_AT_MOST,
    REPLY_LIMIT_BYTES,
    Acknowledgement,
    ChainHead,
    CheckIn,
    CheckInReply,
    KeyCertificate,
    KeyProof,
    NextKey,
    ObservationBody,
    ObservationDigest,
    SealedRequest,
)
from contract.messages import (
    Clock as ClockReading,
)
from contract.observations import ASKED_FOR, PolicyAnswer, Trouble
from contract.policy import Ownership
from contract.version import VERSION

_SERVER_TIME = "server_time"
_ALSO_TAKES = "server_also_takes"
ACKNOWLEDGEMENTS_KEPT = 1000


class Prepared(msgspec.Struct, frozen=True):
    """A check-in that is ready to leave."""

    request: bytes
    sealed_digest: str
    rows: tuple[Waiting, ...]
    heartbeat: int
    enrolment: Enrolment


class CheckIns:
    """Owns the exchange with the server; never decides what is worth reporting."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        ledger: Ledger,
        outbox: Outbox,
        shelf: PolicyShelf,
        catalogues: CatalogueShelf,
        seals: Seals,
        door: Door,
        clock: Clock,
        ownership: Ownership,
        overreach: Overreach,
    ) -> None:
        self._store, self._journal, self._ledger, self._outbox = store, journal, ledger, outbox
        self._catalogues = catalogues
        self._shelf, self._seals, self._door, self._clock = shelf, seals, door, clock
        self._ownership: Ownership = ownership
        self._overreach = overreach
        self._next_key: SigningKey | None = None

    def server_time(self) -> ServerTime | None:
        """Return what the clocks showed at the last sealed answer."""
        text = self._store.fact(_SERVER_TIME)
        return wire.decode(ServerTime, text.encode(), limit_bytes=REPLY_LIMIT_BYTES) if text else None

    def has_more_to_say(self) -> bool:
        """Whether the next check-in should come soon although nothing waits: the key is being changed."""
        return self._next_key is not None

    def takes(self, kind: str) -> bool:
        """Tell whether the server said that it takes a type of observation that came later."""
        return kind in (self._store.fact(_ALSO_TAKES) or "").split()

    def time(self) -> datetime | None:
        """Return the time as well as this device knows it; None if no clock can be believed."""
        return best_time(self._clock, self.server_time())

    def prepare(self, enrolment: Enrolment) -> Prepared:
        """Return the next check-in, written to ledger and journal before it leaves.

        Raises:
            CredentialError: the device's key cannot be read.
            StateError: nothing can be written.
        """
        key = self._seals.key
        now = self._clock.now()
        with self._store.transaction():
            rows = () if self._store.fact(SEQUENCE_LOST) else self._outbox.due(self.time())
            self._journal.append("check_in", {"observations": [row.sequence for row in rows]}, now)
            message = self._message(rows, now, self._proposal(enrolment, key))
            heartbeat = self._ledger.write_heartbeat(wire.encode(message), now)
            for row in rows:
                self._ledger.write_observation(row.id, row.type, row.uid, row.body, now)
        sealed = self._seals.sealed(message, "check-in", enrolment)
        bodies = tuple(
            ObservationBody(sequence=row.sequence, salt=row.salt, body=msgspec.Raw(row.body)) for row in rows
        )
        request = wire.encode(SealedRequest(sealed=sealed, bodies=bodies))
        return Prepared(request, wire.digest(sealed.encode()), rows, heartbeat, enrolment)

    def apply(self, prepared: Prepared, answer: bytes) -> Acknowledgement:
        """Take the server's answer, all of it in one transaction.

        Raises:
            DistrustError: the answer does not hold; nothing of it was taken.
        """
        trust = prepared.enrolment.trust
        reply, acknowledgement, certificate = self._open(prepared, answer)
        now = self._clock.now()
        server_time = ServerTime(acknowledgement.at, self._clock.monotonic(), self._clock.boot_id())
        with self._store.transaction():
            self._seals.remember(certificate)
            self._keep(reply.sealed, now)
            self._forget_taken(prepared, acknowledgement, now)
            self._find_numbers_again(acknowledgement)
            self._store.remember(_SERVER_TIME, wire.encode(server_time).decode())
            self._store.remember(_ALSO_TAKES, " ".join(ASKED_FOR.intersection(acknowledgement.also_takes)))
            wishes.keep(self._store, acknowledgement)
            told_connectors.keep(self._store, acknowledgement)
            self._overreach.take("wish", in_wishes(acknowledgement.settings), now)
            self._overreach.take("field", _unknown_fields(reply, acknowledgement, answer), now)
            if reply.bundle is not None:
                self._take_bundle(reply.bundle, reply, acknowledgement, prepared.enrolment, now)
            is_new_catalogue = reply.catalogue is not None and self._take_catalogue(
                reply.catalogue, reply, acknowledgement, prepared.enrolment, now
            )
        if reply.bundle is not None:
            self._shelf.load(trust)
        self._catalogues.note_current(acknowledgement.catalogue_version)
        if is_new_catalogue:
            self._catalogues.load(trust)
        self._change_key(acknowledgement, now)
        return acknowledgement

    def _proposal(self, enrolment: Enrolment, key: SigningKey) -> NextKey | None:
        """Return the key that is to take the present one's place, with the proof that it is held."""
        if self._next_key is None:
            return None
        address = Address(
            type="device-key", tenant=enrolment.tenant, device=enrolment.device, direction="to_server"
        )
        proof = seal(wire.encode(KeyProof(takes_place_of=key.public.text)), address, self._next_key)
        return NextKey(public_key=self._next_key.public.text, proof=proof)

    def _change_key(self, acknowledgement: Acknowledgement, now: datetime) -> None:
        """Go over to the next key once the server knows it; make one when the server asks.

        Until the new key is kept, the old one goes on to hold: an interruption at any point leaves one key that both sides know.

        Raises:
            CredentialError: the new key cannot be kept; the old one stays.
        """
        following = self._next_key
        if following is not None and acknowledgement.next_key == following.public.text:
            self._seals.change(following)
            self._next_key = None
            with self._store.transaction():
                self._journal.append("agent", {"new_key": following.public.fingerprint}, now)
        elif following is None and acknowledgement.wants_new_key:
            self._next_key = SigningKey.generate()

    def _message(self, rows: tuple[Waiting, ...], now: datetime, next_key: NextKey | None) -> CheckIn:
        return CheckIn(
            next_key=next_key,
            version=VERSION,
            platform=platform(),
            ownership=self._ownership,
            clock=ClockReading(
                wall=now, monotonic_seconds=self._clock.monotonic(), boot_id=self._clock.boot_id()
            ),
            policy_serial=self._shelf.serial,
            catalogue_version=self._catalogues.version,
            journal=ChainHead(digest=self._journal.head()),
            waiting=self._outbox.count_due(self.time()),
            observations=tuple(ObservationDigest(row.sequence, row.digest) for row in rows),
        )

    def _open(
        self, prepared: Prepared, answer: bytes
    ) -> tuple[CheckInReply, Acknowledgement, KeyCertificate]:
        reply = reply_in(CheckInReply, answer)
        acknowledgement, certificate = self._seals.opened(
            Acknowledgement,
            "acknowledgement",
            reply.sealed,
            reply.certificates,
            prepared.enrolment,
            prepared.sealed_digest,
        )
        seen = self.server_time()
        if seen is not None and acknowledgement.at < seen.server:
            raise DistrustError("The server's time went back.", "answer_older")
        return reply, acknowledgement, certificate

    def _keep(self, sealed: str, now: datetime) -> None:
        """Keep the sealed acknowledgement: the server cannot later claim not to have got the reports."""
        cursor = self._store.execute(
            "INSERT INTO acknowledgement (at, sealed) VALUES (?, ?)", now.isoformat(), sealed
        )
        self._store.execute(
            "DELETE FROM acknowledgement WHERE id <= ?", (cursor.lastrowid or 0) - ACKNOWLEDGEMENTS_KEPT
        )

    def _forget_taken(self, prepared: Prepared, acknowledgement: Acknowledgement, now: datetime) -> None:
        self._ledger.acknowledge(prepared.heartbeat, now)
        for row in prepared.rows:
            if _is_taken(row.sequence, acknowledgement):
                self._ledger.acknowledge_observation(row.id, now)
                self._outbox.remove(row)
        for sequence in acknowledgement.forks:
            trouble = Trouble(
                code="fork", detail=f"Report {sequence} was sent by two devices with one identity.", at=now
            )
            self._journal.append("trouble", trouble, now)
            self._report(trouble, now)

    def _find_numbers_again(self, acknowledgement: Acknowledgement) -> None:
        """After the numbers were lost with a damaged state, go on after the last that the server has."""
        if self._store.fact(SEQUENCE_LOST):
            missing = acknowledgement.missing
            # Behind the last gap stands at least one number, and a check-in carries no more than these.
            highest = missing[-1][1] + OBSERVATIONS_AT_MOST if missing else acknowledgement.taken_up_to
            self._outbox.go_on_after(highest)
            self._store.remember(SEQUENCE_LOST, "")

    def _take_bundle(
        self,
        sealed: str,
        reply: CheckInReply,
        acknowledgement: Acknowledgement,
        enrolment: Enrolment,
        now: datetime,
    ) -> None:
        trust = self._seals.trust(enrolment)
        try:
            bundle = open_bundle(
                sealed,
                reply.certificates,
                trust,
                in_force=self._shelf.serial,
                current=acknowledgement.current_serial,
                at=acknowledgement.at,
            )
            answer = self._shelf.apply(sealed, reply.certificates, bundle, now)
            self._remember_key_of("policy", sealed, reply, trust)
        except DistrustError as error:
            answer = self._shelf.refuse(sealed, error, now)
        if answer is not None:
            self._report(answer, now)

    def _take_catalogue(
        self,
        sealed: str,
        reply: CheckInReply,
        acknowledgement: Acknowledgement,
        enrolment: Enrolment,
        now: datetime,
    ) -> bool:
        """Keep a catalogue or refuse it; tell whether it is another one than before."""
        trust = self._seals.trust(enrolment)
        try:
            bundle = open_catalogue(
                sealed,
                reply.certificates,
                trust,
                newest=self._catalogues.newest,
                current=acknowledgement.catalogue_version,
                at=acknowledgement.at,
            )
            is_new = self._catalogues.keep(sealed, reply.certificates, bundle, now)
            self._remember_key_of("catalogue", sealed, reply, trust)
        except DistrustError as error:
            trouble = self._catalogues.refuse(sealed, error, now)
            if trouble is not None:
                self._report(trouble, now)
            return False
        return is_new

    def _remember_key_of(self, use: Use, sealed: str, reply: CheckInReply, trust: Trust) -> None:
        self._seals.remember(trust.certificate_for(use, reply.certificates, key_id(sealed), None))

    def _report(self, observation: PolicyAnswer | Trouble, now: datetime) -> None:
        cleared = self._door.clear_device(observation, now)
        if cleared is not None:
            self._outbox.add(cleared)


def _unknown_fields(reply: CheckInReply, acknowledgement: Acknowledgement, answer: bytes) -> Iterable[str]:
    yield from in_fields("The server's answer", reply, answer)
    yield from in_fields("The server's sealed answer", acknowledgement, payload_of(reply.sealed))


def _is_taken(sequence: int, acknowledgement: Acknowledgement) -> bool:
    if sequence > acknowledgement.taken_up_to:
        # Taken too, if a later number arrived while an earlier one is still missing.
        after_gap = any(first <= sequence <= last for first, last in acknowledgement.missing)
        return bool(acknowledgement.missing) and not after_gap
    return True
