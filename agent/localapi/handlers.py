"""The answers to the local interface's methods, each for the person who asks."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar, get_args

import msgspec
from msgspec import structs

from agent.asking import Asking
from agent.catalogue_shelf import CatalogueShelf
from agent.errors import NoticeFirstError
from agent.identify import complete, explain
from agent.localapi.server import Caller, Handler
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.reminding import Reminding
from agent.reporting.comparing import Comparing
from agent.reporting.ledger import Ledger
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.process_source import GoneError, ProcessSource, Reading
from agent.sides import Sides
from agent.unretained import Unretained
from agent.web_pages import WebPagesOpen
from contract.document import render
from contract.errors import MalformedError
from contract.local import (
    UNRETAINED_AT_ONCE,
    Asked,
    AskQuery,
    ComparisonPage,
    ComparisonQuery,
    DisclosurePage,
    HandedOver,
    IdentifyQuery,
    IdentifyReply,
    LedgerComparison,
    LedgerPage,
    LedgerQuery,
    Nothing,
    NoticeShown,
    PolicyPage,
    PolicyQuery,
    ReminderAnswer,
    SideTold,
    Snapshot,
    UnretainedFile,
    UnretainedPage,
    WebPages,
    WorkAnswer,
    WorkQuery,
)
from contract.observations import sentence
from contract.policy import Ownership, Profile

T = TypeVar("T")


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where answers come from."""

    snapshot_for: Callable[[Caller], Snapshot]
    shelf: PolicyShelf
    catalogues: CatalogueShelf
    door: Door
    ownership: Ownership
    ledger: Ledger
    comparing: Comparing
    reminding: Reminding
    processes: ProcessSource
    entries: DesktopIndex
    sides: Sides
    notice_shown: Callable[[int, str | None], None]
    check_in: Callable[[], None]
    web_pages: WebPagesOpen
    for_work: Callable[[str], WorkAnswer]
    asking: Asking
    unretained: Unretained
    retention_folder: str | None
    hand_over: Callable[[list[str]], None]
    report: Callable[[], None]


PROFILES: tuple[Profile, ...] = get_args(Profile)


def handlers(sources: Sources) -> dict[str, Handler]:
    """Return the handler of each method but `hello`."""
    answers = _Answers(sources)
    return {
        "status": lambda caller, _: sources.snapshot_for(caller),
        "subscribe": lambda caller, _: sources.snapshot_for(caller),
        "policy": answers.policy,
        "disclosure": answers.disclosure,
        "notice.shown": answers.notice_shown,
        "reminder.answer": answers.reminder_answer,
        "ledger": answers.ledger,
        "ledger.compare": answers.ledger_compare,
        "identify": answers.identify,
        "check_in": answers.check_in,
        "ask": answers.ask,
        "unretained": answers.unretained,
        "unretained.handed_over": answers.handed_over,
        "work": answers.work,
        "web.pages": answers.web_pages,
    }


class _Answers:
    def __init__(self, sources: Sources) -> None:
        self._from = sources

    def policy(self, _: Caller, params: object) -> PolicyPage:
        query = _typed(PolicyQuery, params)
        bundle = self._from.shelf.in_force
        if bundle is None:
            return PolicyPage(title=None, version=None, serial=0, expires=None, sections=())
        policy = bundle.policy
        return PolicyPage(
            title=policy.text(policy.title, query.language),
            version=policy.version,
            serial=bundle.serial,
            expires=bundle.expires_at,
            sections=render(policy, query.language, self._from.catalogues.catalogue.name_of),
        )

    def disclosure(self, caller: Caller, _: object) -> DisclosurePage:
        door, bundle = self._from.door, self._from.shelf.in_force
        return DisclosurePage(
            ownership=self._from.ownership,
            work=door.ceiling("work"),
            personal=door.ceiling("personal"),
            unknown=door.ceiling("unknown"),
            notice_due=caller.uid is not None and not door.was_told(caller.uid),
            retention_days=None if bundle is None else bundle.policy.retention.personal_data_days,
            others={
                "installed": {profile: door.ceiling(profile, "installed") for profile in PROFILES},
                "unretained": {profile: door.ceiling(profile, "unretained") for profile in PROFILES},
                "exposure": {"work": door.ceiling("work", "exposure")},
                "receipt": {profile: door.ceiling(profile, "receipt") for profile in PROFILES},
            },
        )

    def notice_shown(self, caller: Caller, params: object) -> Nothing:
        if caller.uid is not None and not self._from.door.was_told(caller.uid):
            self._from.notice_shown(caller.uid, _typed(NoticeShown, params).language)
        return Nothing()

    def reminder_answer(self, caller: Caller, params: object) -> Nothing:
        answer = _typed(ReminderAnswer, params)
        self._from.reminding.answer(caller.uid, answer.reminder, answer.outcome)
        self._from.report()
        return Nothing()

    def ledger(self, caller: Caller, params: object) -> LedgerPage:
        query = _typed(LedgerQuery, params)
        return LedgerPage(self._from.ledger.rows(query.before, query.limit, caller.sees_uid))

    def ledger_compare(self, caller: Caller, params: object) -> ComparisonPage:
        query = _typed(ComparisonQuery, params)
        if query.begin:
            if caller.uid is not None and not self._from.door.was_told(caller.uid):
                raise NoticeFirstError
            self._from.comparing.begin()
        page = self._from.comparing.page
        return page if page.result is None else structs.replace(page, result=_seen_by(caller, page.result))

    def identify(self, _: Caller, params: object) -> IdentifyReply:
        query = _typed(IdentifyQuery, params)
        try:
            reading = self._from.processes.read(self._from.processes.key(query.pid))
        except GoneError as error:
            raise MalformedError(
                f"There is no process {query.pid}.", "Choose one that runs.", "$.pid"
            ) from error
        facts = complete(reading.facts, self._from.entries)
        match = self._from.catalogues.matcher.match(facts)
        return IdentifyReply(
            facts=facts,
            messenger=None if match is None else match.messenger,
            explanation=explain(facts, match),
            side=None if match is None else self._side(reading, match.messenger),
        )

    def _side(self, reading: Reading, messenger: str) -> SideTold | None:
        try:
            uid = self._from.processes.uid(reading.key.pid)
            side = self._from.sides.of_process(reading, uid, messenger)
        except GoneError:
            return None
        return SideTold(
            profile=side.profile, reason=side.reason, assurance=side.assurance, signals=side.spoke
        )

    def check_in(self, _: Caller, params: object) -> Nothing:
        self._from.check_in()
        return _typed(Nothing, params)

    def ask(self, caller: Caller, params: object) -> Asked:
        if caller.uid is None:
            raise NoticeFirstError
        request = self._from.asking.ask(_typed(AskQuery, params), caller.uid)
        self._from.report()
        return Asked(request=request.request, sentence=sentence(request))

    def unretained(self, _: Caller, params: object) -> UnretainedPage:
        _typed(Nothing, params)
        waiting = (
            UnretainedFile(messenger=messenger, path=one.path, size=one.size)
            for messenger, files in self._from.unretained.waiting().items()
            for one in files
        )
        return UnretainedPage(
            folder=self._from.retention_folder, files=tuple(islice(waiting, UNRETAINED_AT_ONCE))
        )

    def handed_over(self, _: Caller, params: object) -> Nothing:
        """Believe what is said of copies that are there, as large as the file was."""
        sizes = {one.path: one.size for files in self._from.unretained.waiting().values() for one in files}
        folder = self._from.retention_folder
        handed = [
            one.path
            for one in _typed(HandedOver, params).files
            if one.path in sizes and folder is not None and _is_copy(one.copy, folder, sizes[one.path])
        ]
        self._from.hand_over(handed)
        return Nothing()

    def work(self, _: Caller, params: object) -> WorkAnswer:
        return self._from.for_work(_typed(WorkQuery, params).messenger)

    def web_pages(self, caller: Caller, params: object) -> Nothing:
        told = _typed(WebPages, params)
        if caller.uid is not None:
            self._from.web_pages.tell(caller.connection, caller.uid, told.browser_pid, told.picture)
        return Nothing()


def _is_copy(copy: str, folder: str, size: int) -> bool:
    try:
        return Path(copy).parent == Path(folder) and Path(copy).stat(follow_symlinks=False).st_size == size
    except OSError:
        return False


def _seen_by(caller: Caller, result: LedgerComparison) -> LedgerComparison:
    """Leave out the words of what may be about another person; the counts stay."""
    if caller.sees_uid is None:
        return result
    visible = [one for one in result.differences if one.side == "here" and one.uid in {None, caller.sees_uid}]
    return structs.replace(result, differences=tuple(visible))


def _typed(kind: type[T], params: object) -> T:
    """Return the parameters, which the server has decoded as the method's own type."""
    if not isinstance(params, kind):
        raise TypeError(f"{type(params).__name__} where {kind.__name__} is declared")
    return params
