"""The composition root: every object of the daemon is built here, once, and passed by argument."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec

from agent.actors import run_actors
from agent.asking import Asking
from agent.capture import Captures
from agent.catalogue_shelf import FILE_NAME as CATALOGUE_FILE_NAME
from agent.catalogue_shelf import CatalogueShelf
from agent.clock import Clock
from agent.compliance import Compliance
from agent.credentials.interface import CredentialStore
from agent.daily_counts import DailyCounts
from agent.desk import Desk, Listeners
from agent.download_watch import DownloadWatch
from agent.errors import DamageError, DistrustError, OtherServerError, StateError
from agent.export_folders import ExportFolders
from agent.exposure_book import ExposureBook
from agent.identify import complete
from agent.install_watch import InstallWatch
from agent.installations import Installations
from agent.journal import Journal
from agent.judging import Judging
from agent.launching.choices import choices
from agent.launching.permission import permission
from agent.localapi.broadcast import Broadcaster
from agent.localapi.handlers import Sources, handlers
from agent.localapi.server import Caller, LocalServer
from agent.lock import FolderLock
from agent.lookout import Lookout
from agent.notice import Notice
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.problems import Problems
from agent.profiles import Signals, classify
from agent.recorder import Recorder
from agent.reminder_book import ReminderBook
from agent.reminding import Reminding
from agent.reporting.backoff import Backoff
from agent.reporting.check_in import CheckIns
from agent.reporting.comparing import Comparing
from agent.reporting.enrolment import Enroller, Enrolment, assurance_of
from agent.reporting.ledger import Ledger
from agent.reporting.outbox import Outbox
from agent.reporting.overreach import Overreach, in_ceiling
from agent.reporting.reporter import Reporter, Rhythm
from agent.reporting.seals import Seals
from agent.reporting.secret_file import FILE_NAME as SECRET_FILE_NAME
from agent.reporting.secret_file import SecretFile
from agent.reporting.told_connectors import ToldConnectors
from agent.reporting.transport import Transport
from agent.rescue import damage_sentence, rescue
from agent.resume import resume
from agent.selflimit import SelfLimit, Usage
from agent.sensing.applications import Applications
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.folder_watch import FolderWatch
from agent.sensing.noticing import Noticing, Offer
from agent.sensing.process_source import ProcessSource
from agent.sensing.processes import ProcessWatch
from agent.sensing.signals.interface import SignalSource
from agent.service.systemd import Systemd
from agent.settings import Settings
from agent.settings_watch import SettingsPlace, SettingsWatch
from agent.sides import Sides
from agent.snapshot import View, build
from agent.store import STATE_FILE, Store
from agent.this_user import own_uid
from agent.unretained import Unretained
from agent.upkeep import Upkeep
from agent.web_pages import WebPagesOpen
from contract.local import Reminder, Snapshot, UnretainedRow, WorkAnswer
from contract.observations import Trouble
from contract.places import THIS_SYSTEM, Scope
from contract.policy import Retention
from contract.sides import Profiles

REJUDGE_SECONDS = 60.0
CATALOGUE_DAMAGED = "catalogue_damaged"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How this agent is run."""

    state: Path
    socket: Path
    scope: Scope
    work: Path | None = None
    """The folder of work profiles, of an agent that serves one person."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Every touch of the outside."""

    clock: Clock
    processes: ProcessSource
    signals: SignalSource
    """What is read to tell whose side a messenger is on."""
    starts: Offer
    """How the system tells of starts."""
    entries: DesktopIndex
    applications: Applications
    folder_watch: FolderWatch
    download_watch: FolderWatch
    export_watch: FolderWatch
    """Another one, for folders that capture connectors fill."""
    credentials: CredentialStore
    transport: Transport
    usage: Callable[[], Usage]
    """What this very process has used."""
    settings: SettingsPlace
    systemd: Systemd = Systemd()
    """Who is told that the agent is ready; by default nobody."""


class Agent:
    """The daemon; must be built inside a running loop.

    Raises:
        StateError: another agent uses the state folder, or it cannot be used.
    """

    def __init__(self, options: Options, settings: Settings, outside: Surroundings) -> None:
        clock = outside.clock
        self._settings, self._clock, self._systemd = settings, clock, outside.systemd
        self._lock = FolderLock(options.state)
        self._rescued = rescue(options.state / STATE_FILE, clock.now())
        self._store = store = Store(options.state / STATE_FILE)
        self._problems = Problems()
        journal = Journal(store)
        self._outbox = Outbox(store)
        self._journal = journal
        self._shelf = PolicyShelf(store, journal)
        self._catalogues = CatalogueShelf(options.state / CATALOGUE_FILE_NAME, store, journal)
        ledger = Ledger(store)
        self._notice = Notice(store, journal, self._outbox)
        self._door = Door(
            settings.ceiling,
            settings.ownership,
            everybody_told=settings.notice == "given",
            told=self._notice.told(),
        )
        seals = Seals(store, outside.credentials)
        self._overreach = Overreach(store, journal, self._outbox, self._door)
        self._check_ins = check_ins = CheckIns(
            store,
            journal,
            ledger,
            self._outbox,
            self._shelf,
            self._catalogues,
            seals,
            self._door,
            clock,
            settings.ownership,
            self._overreach,
        )
        self._export_folders = ExportFolders(
            settings.export_folders,
            outside.export_watch,
            lambda: self._judging.believed_time() is not None,
            self._problems,
            self._heard,
        )
        self._captures = Captures(
            self._shelf, (ToldConnectors(store), self._export_folders), clock, check_ins.server_time
        )
        self._judging = Judging(
            self._shelf,
            clock,
            check_ins.server_time,
            settings.ownership,
            settings.highest_rung,
            self._captures,
        )
        exposure = ExposureBook(
            store,
            self._outbox,
            self._door,
            clock,
            check_ins.time,
            lambda: self._catalogues.catalogue,
            self._captures.is_captured,
            lambda: check_ins.takes("exposure"),
        )
        recorder = Recorder(
            store, journal, self._outbox, self._door, lambda: self._catalogues.catalogue, exposure
        )
        self._reminding = Reminding(
            store,
            ReminderBook(store),
            journal,
            self._outbox,
            self._door,
            self._shelf,
            lambda: self._catalogues.catalogue,
            clock,
            self._deliver,
        )
        self._broadcaster = Broadcaster(
            lambda: self._local.clients, self._snapshot_for, self._reminding.unshown
        )
        resumed, ended = resume(recorder.open_sightings(), outside.processes, clock.now())
        exposure.go_on(resumed)
        recorder.record(ended, self._shelf.serial)
        counts = DailyCounts(store, journal, self._outbox, self._door, lambda: check_ins.takes("daily_count"))
        self._desk = Desk(
            Compliance(resumed),
            self._judging,
            recorder,
            self._reminding,
            self._shelf,
            self._door,
            clock,
            self._problems,
            Listeners(self._broadcaster.changed, self._report),
            counts,
        )
        self._reporter = Reporter(
            store,
            self._outbox,
            self._shelf,
            self._catalogues,
            check_ins,
            outside.transport,
            Backoff(random.SystemRandom()),
            clock,
            Rhythm(settings.check_in_seconds, settings.values["check_in_seconds"].origin == "managed"),
            self._problems,
            self._enrolled,
            self._policy_changed,
            self._catalogue_changed,
            self._heard,
        )
        self._comparing = Comparing(
            ledger, seals, outside.transport, clock, lambda: self._reporter.enrolment, check_ins.time
        )
        self._secret_file = SecretFile(
            options.state / SECRET_FILE_NAME,
            store,
            Enroller(store, journal, ledger, outside.credentials, outside.transport, clock),
            outside.transport,
            settings,
            assurance_of(options.scope, settings),
            Backoff(random.SystemRandom()),
            self._problems,
            self._broadcaster.changed,
        )
        self._noticing = Noticing(outside.starts, self._broadcaster.changed)
        self._sides = Sides(
            outside.processes,
            outside.signals,
            lambda reading: self._catalogues.matcher.match(complete(reading.facts, outside.entries)),
            lambda: self._catalogues.catalogue,
            settings.ownership,
            settings.web_extension,
            self._profiles,
        )
        self._lookout = Lookout(
            ProcessWatch(outside.processes),
            self._noticing,
            outside.processes,
            outside.entries,
            lambda: self._catalogues.matcher,
            self._desk,
            clock,
            self._sides,
            settings.poll_milliseconds / 1000,
            lambda: bool(self._local.clients),
            time.thread_time,
            None if options.scope == "system" else own_uid(),
        )
        self._web_pages = WebPagesOpen(
            outside.processes,
            lambda: self._catalogues.catalogue,
            self._desk,
            clock,
            self._sides,
            self._broadcaster.changed,
            self._lookout.wake,
        )
        self._installations = Installations(
            store,
            journal,
            self._outbox,
            self._door,
            lambda: self._catalogues.catalogue,
            classify(Signals(ownership=settings.ownership)).profile,
            lambda: check_ins.takes("installed"),
        )
        self._installs = InstallWatch(
            outside.applications,
            outside.folder_watch,
            lambda: self._catalogues.matcher,
            self._installations,
            own_uid(),
            clock,
            self._problems,
            self._report,
            self._broadcaster.changed,
        )
        self._asking = Asking(
            store,
            journal,
            self._outbox,
            self._door,
            lambda: self._catalogues.catalogue,
            clock,
            lambda: self._reporter.enrolment is not None,
            lambda: check_ins.takes("request"),
        )
        self._unretained = Unretained(
            store,
            journal,
            self._outbox,
            self._door,
            lambda: self._catalogues.catalogue,
            self._captures.is_captured,
            lambda: check_ins.takes("unretained"),
            own_uid(),
        )
        self._downloads = DownloadWatch(
            options.work,
            outside.download_watch,
            self._unretained,
            self._oldest_personal_day,
            clock,
            self._problems,
            self._report,
            self._broadcaster.changed,
        )
        self._upkeep = Upkeep(
            store,
            journal,
            ledger,
            self._outbox,
            self._shelf,
            self._door,
            clock,
            check_ins.time,
            self._problems,
            counts,
        )
        self._self_limit = SelfLimit(
            outside.usage,
            store,
            journal,
            self._outbox,
            self._door,
            clock,
            self._problems,
            self._broadcaster.changed,
        )
        self._settings_watch = SettingsWatch(
            settings,
            outside.settings,
            self._problems,
            self._broadcaster.changed,
            self._desk.ceiling_lost,
            self._ceiling_found,
        )
        self._local = LocalServer(
            options.socket,
            options.scope,
            handlers(self._sources(ledger, outside)),
            self._broadcaster.greet,
            on_end=lambda caller: self._web_pages.hang_up(caller.connection),
        )
        self._begin()

    async def run(self, stop: asyncio.Event) -> bool:
        """Run until `stop` is set; tell whether it ended because it was asked to.

        Raises:
            StateError: the socket cannot be listened at.
        """
        await self._local.start()
        try:
            return await run_actors(
                {
                    "sensing": self._lookout.run(self._self_limit.slowed),
                    "web pages": self._web_pages.run(),
                    "installs": self._installs.run(),
                    "downloads": self._downloads.run(),
                    "export folders": self._export_folders.run(),
                    "judging": self._judge_each_minute(),
                    "reporting": self._reporter.run(),
                    "comparing": self._comparing.run(),
                    "upkeep": self._upkeep.run(),
                    "self-limit": self._self_limit.run(),
                    "enrolling": self._secret_file.run(),
                    "settings": self._settings_watch.run(stop),
                    "leaving": self._end_once_left(stop),
                    "systemd": self._systemd.run(),
                },
                stop,
            )
        finally:
            await self._local.stop()

    @property
    def next_settings(self) -> Settings | None:
        """The settings to go on with, if it ended because they were changed."""
        return self._settings_watch.changed

    @property
    def has_left(self) -> bool:
        """Whether it ended because this device has left its server."""
        return self._reporter.left.is_set()

    async def _end_once_left(self, stop: asyncio.Event) -> None:
        await self._reporter.left.wait()
        stop.set()
        await asyncio.Event().wait()

    def close(self) -> None:
        """Let go of the state folder."""
        self._store.close()
        self._lock.release()

    def _begin(self) -> None:
        """Go on from where the last run ended."""
        if self._settings.notice == "given":
            self._notice.record_given(self._door, self._clock.now())
        if self._rescued is not None:
            self._tell_of_damage(damage_sentence(self._rescued), "state_damaged")
        broken = self._journal.first_broken()
        if broken is not None:
            self._tell_of_damage(f"The journal does not hold from entry {broken} on.", "journal_broken")
        if self._reporter.enrolment is not None:
            self._enrolled(self._reporter.enrolment)

    def _tell_of_damage(self, sentence: str, code: str) -> None:
        """Tell the person at once, and the server once for each sentence."""
        self._problems.report(code, DamageError(sentence))
        if self._store.fact(code) == sentence:
            return
        now = self._clock.now()
        trouble = Trouble(code=code, detail=sentence, at=now)
        with self._store.transaction():
            self._store.remember(code, sentence)
            self._journal.append("trouble", trouble, now)
            cleared = self._door.clear_device(trouble, now)
            if cleared is not None:
                self._outbox.add(cleared)

    def _deliver(self, uid: int, reminder: Reminder) -> None:
        self._broadcaster.remind(uid, reminder)

    def _report(self) -> None:
        """Check in soon, unless all that waits must not leave yet: then the check-in itself would tell when something happened."""
        if self._outbox.count_due(self._check_ins.time()):
            self._reporter.wake()

    def _enrolled(self, enrolment: Enrolment) -> None:
        try:
            self._shelf.load(enrolment.trust)
        except DistrustError as error:
            self._problems.report("policy", error)
        self._load_catalogue(enrolment)
        named = self._settings.server_url
        if named is not None and named.rstrip("/") != enrolment.server_url:
            other = OtherServerError(
                f"The settings name {named}, and it is enrolled with {enrolment.server_url}.",
                "To move it, remove its state folder and enrol it anew.",
            )
            self._problems.report("other_server", other)
        self._policy_changed()

    def _profiles(self) -> Profiles | None:
        policy = self._judging.policy
        return None if policy is None else policy.profiles

    def _ceiling_found(self) -> None:
        self._desk.ceiling_found()
        self._installs.settle_soon()

    def _policy_changed(self) -> None:
        self._note_higher_ceiling()
        self._desk.policy_changed(self._sides.again(self._desk.sightings()))
        self._installs.settle_soon()

    def _heard(self) -> None:
        """Put what is known of server and connectors now to work."""
        self._desk.rejudge()
        self._broadcaster.changed()

    def _note_higher_ceiling(self) -> None:
        """Tell once of a policy that would let more leave than this device does."""
        policy, own = self._judging.policy, self._settings
        ceiling = None if policy is None else policy.ceiling
        asked = in_ceiling(own.ceiling, ceiling, self._shelf.serial, own.ownership)
        with contextlib.suppress(StateError), self._store.transaction():  # the next start tells of it
            self._overreach.take("ceiling", asked, self._clock.now())

    def _load_catalogue(self, enrolment: Enrolment) -> None:
        try:
            self._catalogues.load(enrolment.trust)
        except DistrustError as error:
            self._tell_of_damage(error.detail, CATALOGUE_DAMAGED)

    def _catalogue_changed(self) -> None:
        """Put a new catalogue to work on everything that runs."""
        self._problems.clear(CATALOGUE_DAMAGED)
        with contextlib.suppress(StateError), self._store.transaction():
            self._store.remember(CATALOGUE_DAMAGED, "")
        self._lookout.look_again()
        self._installs.look_again()
        self._broadcaster.changed()

    async def _judge_each_minute(self) -> None:
        while True:
            await asyncio.sleep(REJUDGE_SECONDS)
            self._desk.rejudge()

    def _notice_shown(self, uid: int, language: str | None) -> None:
        self._notice.record_shown(self._door, uid, self._clock.now(), language)
        self._desk.user_told(uid)
        self._note_higher_ceiling()
        self._installs.settle_soon()

    def _snapshot_for(self, caller: Caller) -> Snapshot:
        return build(
            self._view(), self._door, self._catalogues.catalogue, uid=caller.uid, sees_uid=caller.sees_uid
        )

    def _view(self) -> View:
        now = self._clock.now()
        enrolment, refused = self._reporter.enrolment, self._shelf.refused()
        return View(
            at=now,
            sightings=self._desk.sightings(),
            company=None if enrolment is None else enrolment.company,
            ownership=self._settings.ownership,
            bundle=self._shelf.in_force,
            policy_expired=self._judging.is_policy_expired(),
            policy_refused=None if refused is None else refused.sentence,
            clock_in_doubt=self._judging.believed_time() is None,
            server=self._reporter.server,
            last_contact=self._reporter.last_contact,
            waiting=self._outbox.count_due(self._check_ins.time()),
            problems=self._problems.all(),
            noticing=self._noticing.means,
            installs=self._installs.means,
            captured=self._captured(),
            focused=self._web_pages.focused(),
            catalogue=self._catalogues.in_use,
            catalogue_refused=self._catalogues.refused(),
            asked_for_more=self._overreach.all(),
            for_work=choices(
                (one.messenger for one in self._installations.there()),
                self._catalogues.catalogue,
                self._judging.policy,
                self._for_work,
                THIS_SYSTEM,
            ),
            unretained=tuple(
                UnretainedRow(
                    messenger=messenger,
                    name=self._catalogues.catalogue.name_of(messenger),
                    files=len(files),
                    total_bytes=sum(one.size for one in files),
                )
                for messenger, files in sorted(self._unretained.waiting().items())
            ),
            can_hand_over=self._settings.retention_folder is not None,
        )

    def _oldest_personal_day(self) -> date:
        """Return the first day of which personal data are kept."""
        policy = self._judging.policy
        retention = Retention() if policy is None else policy.retention
        return self._clock.now().date() - timedelta(days=retention.personal_data_days)

    def _hand_over(self, paths: list[str]) -> None:
        self._unretained.hand_over(paths, self._clock.now())
        self._report()
        self._broadcaster.changed()

    def _for_work(self, messenger: str) -> WorkAnswer:
        catalogue = self._catalogues.catalogue
        judged_as = catalogue.judged_as(messenger)
        return permission(
            judged_as, catalogue.name_of(judged_as), self._judging.policy, self._judging.verdict
        )

    def _captured(self) -> frozenset[str]:
        return frozenset(
            one.id
            for one in self._desk.sightings()
            if self._captures.of(one.match.messenger, one.side.profile).is_captured
        )

    def _sources(self, ledger: Ledger, outside: Surroundings) -> Sources:
        return Sources(
            snapshot_for=self._snapshot_for,
            shelf=self._shelf,
            catalogues=self._catalogues,
            door=self._door,
            ownership=self._settings.ownership,
            ledger=ledger,
            comparing=self._comparing,
            reminding=self._reminding,
            processes=outside.processes,
            entries=outside.entries,
            sides=self._sides,
            notice_shown=self._notice_shown,
            check_in=self._reporter.ask,
            web_pages=self._web_pages,
            for_work=self._for_work,
            asking=self._asking,
            unretained=self._unretained,
            retention_folder=self._settings.retention_folder,
            hand_over=self._hand_over,
            report=self._report,
        )
