"""Nothing personal that sensing meets on its way leaves, however much the ceiling lets through, and no error's words take it along.

Every free text that the agent reads on a device carries a marker of its own; what waits, what was sent and the bytes on the wire are searched
for all of them.
"""

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.catalogue_shelf import FILE_NAME
from agent.localapi.server import Caller
from contract.ceiling import Ceiling, ProfileCeiling
from contract.policy import Ownership
from contract.sides import Profiles, SideRule
from contract.toml_text import table_in
from tests.fakes.device import policy
from tests.fakes.running_agent import OWNER_UID, RunningAgent
from tests.markers import any_found, plainly_found

EVERYTHING = ProfileCeiling(work="exact", personal="exact", unknown="exact")
PLACES = (
    "user",
    "folder",
    "argument",
    "profile",
    "data",
    "variable",
    "page",
    "script",
    "title",
    "program",
    "entry",
    "state",
    "error",
)
MARKERS = {place: f"zqx-{place}-quv" for place in PLACES}
HOME = f"/home/{MARKERS['user']}"
PROGRAMS = (
    "/usr/bin/telegram-desktop",
    f"{HOME}/{MARKERS['folder']}/telegram-desktop",
    f"{HOME}/.local/share/{MARKERS['program']}/Signal/signal-desktop",
    f"/opt/{MARKERS['program']}/slack/slack",
    f"{HOME}/{MARKERS['folder']}/pidgin (deleted)",
    "/usr/bin/chromium",
    "/usr/bin/python3.11",
    f"{HOME}/bin/{MARKERS['program']}",
)
ARGUMENTS = (
    ("-workdir", f"{HOME}/{MARKERS['data']}"),
    (f"--user-data-dir={HOME}/{MARKERS['data']}", f"--profile-directory={MARKERS['profile']}"),
    ("-P", MARKERS["profile"]),
    (f"--app=https://web.whatsapp.com/?{MARKERS['page']}",),
    (f"{HOME}/{MARKERS['script']}/chat.py", MARKERS["argument"]),
    (f"--title={MARKERS['title']}",),
    ("-c", f"{HOME}/{MARKERS['data']}", MARKERS["argument"]),
    (f"xmpp:{MARKERS['argument']}@{MARKERS['user']}.example",),
)
VARIABLES = {"HOME": HOME, "USER": MARKERS["user"], "SECRET": MARKERS["variable"]}
SIDES = Profiles(
    company_domains=("example.com",),
    rules=(
        SideRule(side="work", folder=f"{HOME}/{MARKERS['data']}"),
        SideRule(side="work", name="Profile 1"),
    ),
)


class Process(msgspec.Struct, frozen=True):
    """One process of a generated device."""

    exe: str
    words: tuple[tuple[str, ...], ...]
    marked: str | None
    """What the launch marker says."""
    uid: int


processes = st.builds(
    Process,
    exe=st.sampled_from(PROGRAMS),
    words=st.lists(st.sampled_from(ARGUMENTS), max_size=3).map(tuple),
    marked=st.none() | st.sampled_from(["telegram", MARKERS["variable"]]),
    uid=st.sampled_from([OWNER_UID, 1001]),
)


@pytest.fixture(autouse=True, scope="module")
def _read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contract.catalogue.table_in", functools.cache(table_in))
        yield


def left(agent: RunningAgent, sent: list[bytes]) -> bytes:
    """Return everything that waits, was sent, or stands in the ledger."""
    rows = agent.agent._store.execute("SELECT body FROM outbox UNION ALL SELECT literal FROM ledger")
    return b"\n".join([*sent, *(bytes(text) for (text,) in rows.fetchall())])


def captured(agent: RunningAgent) -> list[bytes]:
    """Keep every request from now on."""
    sent: list[bytes] = []
    post = agent.device.server.post

    def keep(url: str, body: bytes) -> bytes:
        sent.append(url.encode() + b"\n" + body)
        return post(url, body)

    agent.device.server.post = keep  # type: ignore[method-assign]  # what stands on the wire is looked at
    return sent


@settings(max_examples=20)
@given(
    st.lists(processes, min_size=1, max_size=6),
    st.none() | st.just(SIDES),
    st.sampled_from(["company", "personal"]),
)
def test_no_free_text_of_a_process_leaves(
    running: list[Process], profiles: Profiles | None, ownership: Ownership
) -> None:
    ceiling = Ceiling(company=EVERYTHING, personal=EVERYTHING)
    with (
        tempfile.TemporaryDirectory(suffix=MARKERS["state"]) as folder,
        RunningAgent(Path(folder), ceiling=ceiling, ownership=ownership) as agent,
    ):
        sent = captured(agent)
        agent.device.server.publish(policy(profiles=profiles, version=2))
        agent.check_in()
        for one in running:
            agent.processes.start(
                one.exe,
                uid=one.uid,
                cmdline=(one.exe, *(word for words in one.words for word in words)),
                variables=VARIABLES | ({"DECORUM_WORK": one.marked} if one.marked else {}),
                folder=f"{HOME}/{MARKERS['folder']}",
            )
        agent.do(agent.agent._lookout.look)
        agent.check_in()
        for pid in list(agent.processes.pids()):
            agent.processes.end(pid)
        agent.do(agent.agent._lookout.look)
        agent.check_in()
        agent.check_in()
        assert plainly_found(MARKERS, left(agent, sent)) == set()
        known = {one.exe for one in running} & {
            "/usr/bin/telegram-desktop",
            f"{HOME}/{MARKERS['folder']}/telegram-desktop",
        }
        assert bool(plainly_found({"name": "Telegram"}, left(agent, sent))) or not known


def _catalogue_out_of_reach(folder: Path) -> None:
    """A folder stands where the catalogue's file should: the system's own words for that name the whole path."""
    (folder / FILE_NAME).mkdir()


@pytest.mark.expected_warnings("could not be used and was set aside", "answer cannot be trusted")
def test_no_words_of_an_error_take_a_path_or_a_name_along(tmp_path: Path) -> None:
    folder = tmp_path / MARKERS["state"] / MARKERS["user"]
    folder.mkdir(parents=True)
    with RunningAgent(folder, before_start=_catalogue_out_of_reach) as agent:
        sent = captured(agent)
        agent.applications.install(MARKERS["program"], exe=f"{HOME}/{MARKERS['program']}")
        agent.applications.is_unreadable = True
        agent.device.server.wishes = {"poll_milliseconds": 1}
        agent.check_in()
        agent.device.server.tamper = lambda _answer: MARKERS["error"].encode()
        agent.check_in()
        agent.device.server.tamper = lambda answer: answer
        for _ in range(3):
            agent.check_in()
        troubles = [one.detail for one in agent.device.server.taken.values() if hasattr(one, "code")]  # type: ignore[union-attr]
        assert any("catalogue" in detail for detail in troubles), "the error itself is told"
        everything = left(agent, sent)
        assert any_found(MARKERS | {"path": str(tmp_path)}, everything) == {}
        shown = agent.ask("status", {}, Caller("owner", OWNER_UID))["result"]["problems"]
        assert shown, "the person is told"
