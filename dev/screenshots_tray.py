"""Makes the pictures of the tray for the guides: a screen of its own, a real panel, the real program, an agent that plays a part.

Run it from the checkout; it needs Xvfb, openbox, trayer, xdotool and ImageMagick.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from contract.judge import NextStep, Reason  # noqa: E402  # the checkout is on the path only now
from contract.local import LedgerRow, Problem, Snapshot, UnretainedRow, WorkChoice  # noqa: E402
from tests.fakes.local_agent import LocalAgent  # noqa: E402
from tests.ui import examples  # noqa: E402

IMAGES = CHECKOUT / "docs" / "images"
DISPLAY = ":92"
SCREEN = "1100x800x24"
PATIENCE_SECONDS = 15.0


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One picture."""

    name: str
    window: str
    """The title of the window to take."""
    snapshot: Snapshot | None
    """What the agent says; None for no agent."""
    page: str = "status"
    theme: str = "light"
    is_reminded: bool = False
    settle: Callable[[str], None] | None = None
    """Does something to the window before it is taken; gets its id."""


def scenes() -> Iterator[Scene]:
    """Yield every picture of a window."""
    faces: dict[str, Snapshot | None] = {
        "in-line": in_line(),
        "not-in-line": examples.with_violation(),
        "offline": offline(),
        "not-enrolled": examples.not_enrolled(),
        "no-agent": None,
        "long": long(),
    }
    for face, snapshot in faces.items():
        yield Scene(name=f"window-{face}", window="Decorum", snapshot=snapshot)
        if face in {"in-line", "not-in-line", "offline"}:
            yield Scene(name=f"window-{face}-dark", window="Decorum", snapshot=snapshot, theme="dark")
    for theme, name in (("light", "window-reminder"), ("dark", "window-reminder-dark")):
        yield Scene(
            name=name,
            window="Decorum reminder",
            snapshot=examples.with_violation(),
            theme=theme,
            is_reminded=True,
        )
    for theme, suffix in (("light", ""), ("dark", "-dark")):
        yield Scene(name=f"window-unretained{suffix}", window="Decorum", snapshot=unretained(), theme=theme)
    calm = in_line()
    due = msgspec.structs.replace(calm, notice_due=True)
    for theme, suffix in (("light", ""), ("dark", "-dark")):
        yield Scene(
            name=f"window-sees{suffix}",
            window="What Decorum sees",
            snapshot=calm,
            page="sees",
            theme=theme,
        )
        yield Scene(
            name=f"window-sent{suffix}",
            window="What Decorum sees",
            snapshot=calm,
            page="sees",
            theme=theme,
            settle=open_ledger,
        )
        yield Scene(
            name=f"window-notice{suffix}", window="Before anything is collected", snapshot=due, theme=theme
        )
    yield Scene(
        name="window-sees-end", window="What Decorum sees", snapshot=calm, page="sees", settle=scroll_down
    )
    yield Scene(name="window-policy", window="Policy", snapshot=calm, page="policy")


def in_line() -> Snapshot:
    """Return a quiet device with something personal on it."""
    whatsapp = examples.messenger(
        "WhatsApp",
        profile="personal",
        reported="nothing",
        rule="default-personal",
        stance="restricted",
        reasons=(Reason("restricted_free", "WhatsApp may be used in breaks."),),
    )
    teams = examples.messenger("Microsoft Teams", captured=True)
    return examples.snapshot(teams, examples.messenger("Slack"), whatsapp)


def unretained() -> Snapshot:
    """Return a device on which files for work came in where nothing retains them."""
    row = UnretainedRow(messenger="telegram", name="Telegram", files=3, total_bytes=2_418_000)
    work = examples.messenger("Telegram", stance="approved")
    return msgspec.structs.replace(examples.snapshot(work), unretained=(row,), can_hand_over=True)


def offline() -> Snapshot:
    """Return a device whose server has not answered since this morning."""
    return msgspec.structs.replace(
        in_line(), server="unreachable", last_contact=examples.NOW - timedelta(hours=2, minutes=52), waiting=3
    )


def long() -> Snapshot:
    """Return a device on which everything is longer than there is room for."""
    name = "Vereinsmessenger für Mitglieder und Freunde des Betriebssports (Vorabversion)"
    rows = [
        examples.not_in_line(name, rule="default-work", stance="banned", rule_text=None),
        examples.messenger(
            "Microsoft Teams",
            verdict="attention",
            reasons=(
                Reason(
                    "not_captured",
                    "Microsoft Teams is approved, but Microsoft Purview, which retains its messages, was last heard from on "
                    "2026-11-20 at 10:15, and this device has not been in touch with the server since 2026-11-20 at 10:20.",
                ),
            ),
            next_step=NextStep("ask_desk", "Ask Compliance desk, extension 4400 whether retention works."),
        ),
        examples.messenger("Signal", verdict="exempt", rule="signal-at-work"),
        *(examples.messenger(one) for one in ("Slack", "Element", "Zoom Workplace", "Discord")),
    ]
    problem = Problem(
        "cannot_write",
        "The journal cannot be written: no space is left on /var/lib/decorum.",
        "Make room, or tell your administrator.",
    )
    return examples.snapshot(
        *rows,
        company="Donaudampfschifffahrtsgesellschaft",
        policy_title="Policy on instant messaging and collaboration",
        problems=(problem,),
    )


def open_ledger(window: str) -> None:
    """Turn to the second page and open its first line."""
    run("xdotool", "windowactivate", "--sync", window)
    run("xdotool", "mousemove", "--window", window, "190", "16", "click", "1")
    time.sleep(0.5)
    run("xdotool", "mousemove", "--window", window, "60", "108", "click", "1")
    run("xdotool", "key", "Down", "Down", "Right")
    time.sleep(0.3)
    run("xdotool", "mousemove", "0", "0")


def scroll_down(window: str) -> None:
    """Turn to the end of the page."""
    run("xdotool", "windowactivate", "--sync", window)
    run("xdotool", "key", "End")
    time.sleep(0.3)


def run(*command: str) -> str:
    """Run a program and return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running, and end it by its own process id."""
    quiet = (
        subprocess.DEVNULL if command[0] != sys.executable else None
    )  # a panel grumbles when the screen ends
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=quiet)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def wait_for(what: str, found: Callable[[], object]) -> str:
    """Return what turns up.

    Raises:
        TimeoutError: it did not.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(subprocess.CalledProcessError):
            if result := found():
                return str(result)
        time.sleep(0.05)
    raise TimeoutError(what)


def window_id(title: str) -> str:
    """Return the id of the visible window with exactly this title."""
    found = run("xdotool", "search", "--onlyvisible", "--name", f"^{title}$")
    return found.splitlines()[-1]


def tray_window() -> str:
    """Return the id of the icon's window inside the panel."""
    panel = run("xdotool", "search", "--onlyvisible", "--class", "trayer").splitlines()[0]
    tree = run("xwininfo", "-id", panel, "-tree")
    return next(line.split()[0] for line in tree.splitlines() if "app.py" in line or "decorum-tray" in line)


@contextlib.contextmanager
def program(place: Path, scene: Scene) -> Iterator[None]:
    """Run the real program against an agent that says what the scene needs."""
    agent = LocalAgent(place / "agent.sock", scene.snapshot or examples.in_line())
    notice_due = scene.snapshot is not None and scene.snapshot.notice_due
    disclosure = examples.disclosure(personal="count", notice_due=notice_due)
    agent.answers |= {"policy": examples.policy(), "disclosure": disclosure}
    agent.ledger = ledger()
    if scene.snapshot is not None:
        agent.start()
    environment = {
        "HOME": str(place),
        "XDG_RUNTIME_DIR": str(place),
        "XDG_DATA_DIRS": str(place / "share"),
        "XDG_STATE_HOME": str(place / "state"),
        "TZ": "UTC",
    }
    command = (sys.executable, "-m", "ui.app", "--socket", str(agent.path), "--theme", scene.theme)
    with running(*command, "--show", scene.page, **environment):
        if scene.snapshot is not None:
            wait_for("a subscriber", lambda: agent.subscribers)
        if scene.is_reminded:
            agent.tell(examples.reminder())
        try:
            yield
        finally:
            agent.stop()


def ledger() -> tuple[LedgerRow, ...]:
    """Return lines as a morning leaves them, newest first."""
    heartbeat = {
        "type": "heartbeat",
        "sentence": "This device said that it is there.",
        "literal": '{"device":"5b0e91d27c4f4a3f9d1e6b8a2c7f0e15","policy_serial":12,"protocol":1,"waiting":0}',
    }
    receipt = {
        "type": "receipt",
        "sentence": "A reminder about the rule telegram-at-work was shown.",
        "literal": '{"at":"2026-11-23T11:53:02Z","outcome":"shown","rule":"telegram-at-work","type":"receipt"}',
    }
    rows = [
        examples.ledger_row(41, acknowledged=None, attempts=2, **heartbeat),
        examples.ledger_row(40, **receipt),
        examples.ledger_row(39),
    ]
    for number in range(38, 26, -1):
        at = examples.NOW - timedelta(minutes=15 * (40 - number))
        rows.append(examples.ledger_row(number, first_attempt=at, acknowledged=at, **heartbeat))
    return tuple(rows)


def take(place: Path, scene: Scene) -> None:
    """Take one picture of a window, without the window manager's frame."""
    with program(place, scene):
        window = wait_for(scene.window, lambda: window_id(scene.window))
        time.sleep(1.0)  # whatever the program still has to paint: nothing tells from outside
        if scene.settle is not None:
            scene.settle(window)
            time.sleep(0.5)
        run("import", "-window", window, str(IMAGES / f"{scene.name}.png"))


def take_menu(place: Path) -> None:
    """Take the icon in the panel with its menu open."""
    choices = (WorkChoice("leapxpert", "LeapXpert"), WorkChoice("microsoft-teams", "Microsoft Teams"))
    snapshot = msgspec.structs.replace(examples.with_violation(), for_work=choices)
    scene = Scene(name="tray-menu", window="", snapshot=snapshot, page="policy")
    with program(place, scene):
        window = wait_for("Policy", lambda: window_id("Policy"))
        run("xdotool", "windowclose", window)
        icon = wait_for("the icon", tray_window)
        time.sleep(0.5)
        run("xdotool", "mousemove", "--window", icon, "12", "12", "click", "3")
        time.sleep(0.8)
        run("xdotool", "key", "w")
        time.sleep(0.5)
        run("import", "-window", "root", "-crop", "460x300+640+500", str(IMAGES / "tray-menu.png"))


def main() -> None:
    """Make every picture, or those whose names are given."""
    wanted = set(sys.argv[1:])
    IMAGES.mkdir(parents=True, exist_ok=True)
    # Times of day without a date are only right for today.
    examples.NOW = datetime.now(UTC).replace(hour=12, minute=4, second=31, microsecond=0)
    os.environ |= {"DISPLAY": DISPLAY, "LANG": "C.UTF-8"}
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        stack.enter_context(running("Xvfb", DISPLAY, "-screen", "0", SCREEN))
        wait_for("the screen", lambda: run("xdotool", "getdisplaygeometry"))
        stack.enter_context(running("openbox"))
        wait_for("openbox", lambda: "window id" in run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"))
        run("xsetroot", "-solid", "#8a94a6")
        stack.enter_context(
            running(
                *(
                    "trayer",
                    "--edge",
                    "bottom",
                    "--align",
                    "right",
                    "--widthtype",
                    "percent",
                    "--width",
                    "100",
                ),
                *(
                    "--height",
                    "32",
                    "--SetPartialStrut",
                    "true",
                    "--tint",
                    "0xe4e7ec",
                    "--transparent",
                    "true",
                ),
                *("--alpha", "0"),
            )
        )
        time.sleep(1.0)
        for number, scene in enumerate(scenes()):
            if not wanted or scene.name in wanted:
                place = Path(folder) / str(number)
                place.mkdir(mode=0o700)
                take(place, scene)
                print(scene.name)
        if not wanted or "tray-menu" in wanted:
            place = Path(folder) / "menu"
            place.mkdir(mode=0o700)
            take_menu(place)
            print("tray-menu")


if __name__ == "__main__":
    main()
