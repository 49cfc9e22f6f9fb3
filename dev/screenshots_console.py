"""Makes docs/images/console-*.png: a real server in a temporary folder, filled by real enrolments and check-ins, seen by Chromium."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from contract.facts import ProcessFacts  # noqa: E402 - the checkout's own packages, found only now
from contract.judge import VerdictState  # noqa: E402
from contract.messages import OBSERVATIONS_AT_MOST, Clock  # noqa: E402
from contract.observations import (  # noqa: E402
    ExposureObserved,
    InstalledObserved,
    NoticeRecord,
    PolicyAnswer,
    ReminderReceipt,
    Request,
    SightingObserved,
    Trouble,
    Unlisted,
    UnretainedObserved,
)
from contract.policy import Profile  # noqa: E402
from contract.weighing import weigh  # noqa: E402
from server.state_folder import DATABASE  # noqa: E402
from tests.server.simulated_device import Report, SimulatedDevice  # noqa: E402

IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
CHECK_IN_SECONDS = 10
SIZE: ViewportSize = {"width": 1360, "height": 860}
TELEGRAM, TEAMS, WHATSAPP = (
    ("telegram", "Telegram"),
    ("microsoft-teams", "Microsoft Teams"),
    ("whatsapp", "WhatsApp"),
)
PIDGIN, SLACK, SIGNAL = ("pidgin", "Pidgin"), ("slack", "Slack"), ("signal", "Signal")
UNLISTED, DIALER = ("unlisted:org.example.chatter", "Chatter"), ("unlisted:com.acme.dialer", "Dialer")
SAYS_OF_ITSELF: dict[str, dict[str, tuple[str, ...]]] = {
    UNLISTED[0]: {"categories": ("Network", "Chat", "InstantMessaging"), "url_schemes": ("xmpp",)},
    DIALER[0]: {"categories": ("Network", "Telephony", "Chat")},
}
"""What the unlisted ones say in their desktop entries."""


class Server:
    """A server of our own, and the command line beside it."""

    def __init__(self, state: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self._environment = {
            **kept,
            "DECORUM_SERVER_STATE": str(state),
            "DECORUM_SERVER_URL": self.url,
            "DECORUM_SERVER_CHECK_IN_SECONDS": str(CHECK_IN_SECONDS),
        }

    def command(self, *words: str) -> str:
        """Run `decorum-server` and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *words],
            cwd=ROOT,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve until the block ends."""
        command = [sys.executable, "-m", "server.cli", "run", "--address", f"127.0.0.1:{self._port}"]
        process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL)
        try:
            self._wait()
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send what a device sends."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request("POST", path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.05)
        raise SystemExit("The server did not start.")


class Person:
    """A device and what happens on it."""

    def __init__(self, server: Server, secret: str, name: str | None, **enrolment: object) -> None:
        self.device = SimulatedDevice(server.post)
        self.device.enrol(secret, device_name=name, **enrolment)
        self._clock_off = timedelta()
        self._waiting: list[Report] = []

    def told(self, at: datetime) -> None:
        """Record that the notice was given."""
        self._waiting.append(self.device.report(NoticeRecord(version=1, how="recorded", at=at)))

    def uses(
        self,
        messenger: tuple[str, str],
        *turns: tuple[datetime, VerdictState],
        ended: datetime | None = None,
        profile: Profile = "work",
        rule: str | None = None,
    ) -> None:
        """Report a sighting with its verdicts."""
        identity = secrets.token_hex(16)
        steps = [("started" if number == 0 else "judged", *turn) for number, turn in enumerate(turns)]
        if ended is not None:
            steps.append(("ended", ended, turns[-1][1]))
        for transition, at, verdict in steps:
            observed = SightingObserved(
                sighting=identity,
                transition=transition,  # type: ignore[arg-type]  # one of the three
                detail="exact",
                profile=profile,
                messenger=messenger[0],
                name=messenger[1],
                kind="consumer",
                listed=not messenger[0].startswith("unlisted:"),
                day=at.date(),
                at=at,
                verdict=verdict,
                rule=rule or f"{messenger[0]}-at-work",
                policy_serial=self.device.serial or 1,
                unlisted=unlisted(messenger[0]) if transition == "started" else None,
            )
            self._waiting.append(self.device.report(observed))

    def has(self, *messengers: tuple[str, str], at: datetime) -> None:
        """Report messengers as installed."""
        for messenger, name in messengers:
            found = InstalledObserved(
                installation=secrets.token_hex(16),
                change="found",
                detail="exact",
                profile="work",
                messenger=messenger,
                name=name,
                kind="consumer",
                listed=not messenger.startswith("unlisted:"),
                day=at.date(),
                at=at,
            )
            self._waiting.append(self.device.report(found))

    def worked(self, *spent: tuple[tuple[str, str], float, float], today: date, days: int = 30) -> None:
        """Report the working days of some weeks: for each messenger the hours of a day, and the share that was captured in the end."""
        for ago in range(days, 0, -1):
            day = today - timedelta(days=ago)
            if day.weekday() >= 5:
                continue
            for (messenger, name), hours, captured in spent:
                seconds = round(3600 * hours * (0.7 + 0.3 * ((ago * 7) % 10) / 10))
                exposure = ExposureObserved(
                    exposure=secrets.token_hex(16),
                    detail="exact",
                    messenger=messenger,
                    name=name,
                    kind="consumer",
                    listed=True,
                    day=day,
                    sessions=3,
                    uncaptured_sessions=2,
                    seconds=seconds,
                    uncaptured_seconds=round(seconds * (1 - captured * (30 - ago) / 30)),
                )
                self._waiting.append(self.device.report(exposure))
        while len(self._waiting) > OBSERVATIONS_AT_MOST:
            rest = self._waiting[OBSERVATIONS_AT_MOST:]
            del self._waiting[OBSERVATIONS_AT_MOST:]
            self.checks_in()
            self._waiting.extend(rest)
        self.checks_in()

    def reports(self, observation: object) -> None:
        """Report anything else."""
        self._waiting.append(self.device.report(observation))

    def clock_is_off(self, by: timedelta) -> None:
        """Set its clock wrong."""
        self._clock_off = by

    def checks_in(self) -> None:
        """Send what waits."""
        clock = Clock(wall=datetime.now(UTC) + self._clock_off, monotonic_seconds=1.0, boot_id="boot")
        self.device.check_in(*self._waiting, clock=clock)
        self._waiting.clear()


def unlisted(messenger: str) -> Unlisted | None:
    """Return what an agent tells of a messenger that no list knows."""
    said = SAYS_OF_ITSELF.get(messenger)
    if said is None:
        return None
    key = messenger.partition(":")[2]
    facts = msgspec.convert({"platform": "linux", "desktop_id": key, **said}, ProcessFacts)
    sentences = tuple(one.sentence for one in weigh(facts).speaking)
    return Unlisted(platform="linux", kind="desktop_id", value=key, evidence=sentences)


def files_of(day: date) -> UnretainedObserved:
    """Return a day on which files came in where nothing retains them."""
    return UnretainedObserved(
        unretained=secrets.token_hex(16),
        detail="exact",
        profile="work",
        messenger=TELEGRAM[0],
        name=TELEGRAM[1],
        kind="consumer",
        listed=True,
        day=day,
        files=3,
        total_bytes=2_418_000,
        types={"document": 2, "image": 1},
        handed_over=1,
    )


def requests(now: datetime) -> tuple[Request, Request]:
    """Return what two people ask."""
    exemption = Request(
        request=secrets.token_hex(16),
        about="exemption",
        messenger=TELEGRAM[0],
        name=TELEGRAM[1],
        until=now.date() + timedelta(days=26),
        lines=(
            "A client in Dubai writes to me there and has no other way.",
            "May I answer until the fair is over?",
        ),
        at=now - timedelta(hours=2, minutes=10),
    )
    lines = ("Does the ban on WhatsApp hold for voice calls, too?",)
    question = Request(
        request=secrets.token_hex(16), about="question", lines=lines, at=now - timedelta(minutes=25)
    )
    return exemption, question


def reminded(at: datetime, rule: str) -> ReminderReceipt:
    """Return a receipt."""
    return ReminderReceipt(
        reminder=secrets.token_hex(16),
        rule=rule,
        policy_serial=1,
        language="en",
        text_digest="ab" * 32,
        outcome="shown",
        at=at,
    )


def fill(server: Server) -> list[Person]:
    """Enrol a small company and let it work for two days; return those who go on checking in."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    secret = server.command("enrol-secret", "--uses", "20", "--note", "Head office, first machines")
    server.command("enrol-secret", "--days", "2", "--note", "Anna Weber's new laptop")
    people = [Person(server, secret, f"desk-{number}") for number in range(101, 108)]
    anna, bert = Person(server, secret, "anna-weber-laptop"), Person(server, secret, "bert-office-pc")
    cloned = "c1" * 32
    first = Person(server, secret, "meeting-room-2", hardware=cloned)
    second = Person(server, secret, "meeting-room-2-copy", hardware=cloned)
    own = Person(server, secret, None, ownership="personal", assurance="self_attested")
    gone = Person(server, secret, "warehouse-terminal-with-a-rather-long-name-3")
    everybody = [*people, anna, bert, first, second, own, gone]
    for person in everybody:
        person.told(now - timedelta(days=2))
        person.checks_in()
        person.reports(PolicyAnswer(serial=person.device.serial, outcome="applied", reason="", at=now))
    for number, person in enumerate(people):
        person.worked((TEAMS, 5.0, 0.9), (SLACK, 0.5 * number, 0.4), today=now.date())
        person.has(TEAMS, SLACK, at=now - timedelta(days=2, minutes=number))
        start = now - timedelta(hours=3, minutes=7 * number)
        person.uses(TEAMS, (start, "compliant"), rule="teams-at-work")
        if number % 2:
            person.uses(SLACK, (start, "compliant"), rule="slack-at-work")
    anna.worked((TEAMS, 4.0, 0.9), (TELEGRAM, 1.5, 0.0), today=now.date(), days=5)
    own.worked((WHATSAPP, 1.0, 0.0), today=now.date())
    anna.reports(files_of(now.date() - timedelta(days=1)))
    for person, asked in zip((anna, bert), requests(now), strict=True):
        person.reports(asked)
    work_on(anna, now)
    bert.has(WHATSAPP, SIGNAL, UNLISTED, at=now - timedelta(days=1))
    bert.uses(WHATSAPP, (now - timedelta(minutes=34), "violation"))
    bert.uses(UNLISTED, (now - timedelta(minutes=70), "attention"), rule="default-work")
    people[0].uses(DIALER, (now - timedelta(minutes=95), "attention"), rule="default-work")
    first.uses(
        PIDGIN, (now - timedelta(hours=5), "compliant"), rule="default-work", ended=now - timedelta(hours=4)
    )
    second.clock_is_off(timedelta(minutes=-23))
    second.uses(SIGNAL, (now - timedelta(minutes=50), "attention"), rule="default-work")
    gone.uses(TELEGRAM, (now - timedelta(hours=8), "compliant"))
    for person in everybody:
        person.checks_in()
    return [person for person in everybody if person is not gone]


def work_on(anna: Person, now: datetime) -> None:
    """Give one device a story worth reading."""
    yesterday = now - timedelta(days=1)
    anna.has(TEAMS, TELEGRAM, PIDGIN, at=yesterday - timedelta(hours=5))
    anna.has(SIGNAL, at=now - timedelta(hours=4))
    anna.uses(TEAMS, (yesterday - timedelta(hours=4), "compliant"), rule="teams-at-work", ended=yesterday)
    anna.uses(
        TELEGRAM,
        (yesterday - timedelta(hours=2), "violation"),
        (yesterday - timedelta(hours=1, minutes=20), "compliant"),
        ended=yesterday - timedelta(minutes=40),
    )
    anna.reports(reminded(yesterday - timedelta(hours=2) + timedelta(minutes=1), "telegram-at-work"))
    anna.reports(
        Trouble(
            code="browser_unseen", detail="Firefox's profile cannot be read.", at=now - timedelta(hours=6)
        )
    )
    anna.uses(TEAMS, (now - timedelta(hours=3), "compliant"), rule="teams-at-work")
    anna.uses(
        PIDGIN,
        (now - timedelta(hours=2), "violation"),
        rule="default-work",
        ended=now - timedelta(minutes=55),
    )
    anna.reports(reminded(now - timedelta(hours=2) + timedelta(minutes=1), "default-work"))
    anna.uses(TELEGRAM, (now - timedelta(minutes=12), "violation"))
    anna.reports(reminded(now - timedelta(minutes=11), "telegram-at-work"))


CAPTURE = """
[[capture]]
messenger = "microsoft-teams"
connector = "Microsoft Purview"

[[capture]]
messenger = "whatsapp"
connector = "LeapXpert"
silent_hours_at_most = 12

[[capture]]
messenger = "signal"
connector = "LeapXpert"
silent_hours_at_most = 12

[[capture]]
messenger = "telegram"
connector = "Export of the branch office"
"""
"""What is added to the policy, so that connectors have something to do."""


def connect(page: Page, server: Server, database: Path) -> None:
    """Make two connectors as an administrator does; one of them reports, and the other has done so until the day before yesterday."""
    said = {"LeapXpert": ["whatsapp", "signal", "wechat"], "Microsoft Purview": ["microsoft-teams"]}
    for name, messengers in said.items():
        page.goto(f"{server.url}/records/connector/add/?name={name}")
        page.get_by_role("button", name="Make the connector").click()
        page.get_by_role("heading", name="Copy this token now").wait_for()
        if name == "LeapXpert":
            shoot(page, "connector-token")
        heard = {"messengers": messengers, "written_at": datetime.now(UTC).isoformat()}
        request = urllib.request.Request(
            f"{server.url}/api/connectors/heartbeat",
            json.dumps(heard).encode(),
            {
                "authorization": f"Bearer {page.locator('#secret').inner_text()}",
                "content-type": "application/json",
            },
        )
        urllib.request.urlopen(request, timeout=20).close()
    with contextlib.closing(sqlite3.connect(database, timeout=20)) as records:
        for table, column in (("records_connector", "last_heard_at"), ("records_connectorturn", "at")):
            whose = "name" if table == "records_connector" else "connector_id"
            purview = "'Microsoft Purview'" if whose == "name" else "2"
            records.execute(
                f"UPDATE {table} SET {column} = datetime({column}, '-40 hours') WHERE {whose} = {purview}"
            )
        records.commit()


def shoot(page: Page, name: str, *, whole: bool = True) -> None:
    """Save a picture, once everything of the page is there; a page wider than its window is an error.

    The window is made as high as the page, since what sticks to its edges would lie over a taller picture.
    """
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    if whole:
        height = max(SIZE["height"], page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": SIZE["width"], "height": height})
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        raise SystemExit(f"{name} overflows by {wide} pixels.")
    page.screenshot(path=IMAGES / f"console-{name}.png", full_page=False)
    page.set_viewport_size(SIZE)
    print(f"docs/images/console-{name}.png")


def sign_in(page: Page, server: Server) -> None:
    """Sign in by a one-time link, as a person does."""
    page.goto(server.command("login-link", "alice"))
    page.wait_for_url(f"{server.url}/")


def take_pictures(page: Page, server: Server, *, dark: bool) -> None:
    """Walk through the console."""
    suffix = "-dark" if dark else ""
    page.goto(f"{server.url}/")
    shoot(page, f"overview{suffix}")
    page.goto(f"{server.url}/fleet/device/?q=anna")
    page.get_by_role("link", name="anna-weber-laptop").click()
    shoot(page, f"device{suffix}")
    page.goto(f"{server.url}/policies/unlisted/")
    if not dark:
        dialer = page.locator("section", has_text=DIALER[0])
        dialer.get_by_role("button", name="It is not: never again").click()
        page.get_by_role("heading", name="1 unlisted messenger waits").wait_for()
        page.goto(f"{server.url}/policies/unlisted/")
    shoot(page, f"unlisted{suffix}")
    page.goto(f"{server.url}/conduct/employeerequest/?state=waiting")
    shoot(page, f"requests{suffix}")
    page.goto(f"{server.url}/records/connector/")
    shoot(page, f"connectors{suffix}")
    page.get_by_role("link", name="LeapXpert", exact=True).click()
    shoot(page, f"connector{suffix}")
    if dark:
        return
    page.goto(f"{server.url}/fleet/device/")
    shoot(page, "devices")
    page.goto(f"{server.url}/policies/publication/")
    shoot(page, "policies")
    page.goto(f"{server.url}/policies/edit/?start=in-force")
    shoot(page, "policy-edit", whole=False)
    page.goto(f"{server.url}/fleet/enrolmentsecret/add/")
    page.get_by_label("For").fill("Branch office, ten machines")
    page.get_by_label("Devices").fill("10")
    page.get_by_role("button", name="Make the secret").click()
    page.get_by_role("heading", name="Copy this secret now").wait_for()
    shoot(page, "secret")
    page.goto(f"{server.url}/access/auditentry/")
    shoot(page, "audit")


def main() -> None:
    """Make every picture anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "state", port)
        server.command("migrate", "--tenant", "acme", "--company", "Acme")
        server.command("create-admin", "alice")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with server.running():
            light = browser.new_page(viewport=SIZE, color_scheme="light")
            faults: list[str] = []
            light.on(
                "console", lambda message: faults.append(message.text) if message.type == "error" else None
            )
            light.on("pageerror", lambda error: faults.append(str(error)))
            light.goto(f"{server.url}/")
            shoot(light, "login")
            sign_in(light, server)
            shoot(light, "empty")
            model = Path(folder) / "policy.toml"
            text = server.command("policy", "template", "restrict")
            model.write_text(f"{text}\n{CAPTURE}", encoding="utf-8")
            server.command("policy", "apply", str(model))
            people = fill(server)
            time.sleep(3 * CHECK_IN_SECONDS + 1)
            for person in people:
                person.checks_in()
            connect(light, server, Path(folder) / "state" / DATABASE)
            take_pictures(light, server, dark=False)
            for person in people:
                person.checks_in()
            dark = browser.new_page(viewport=SIZE, color_scheme="dark")
            sign_in(dark, server)
            take_pictures(dark, server, dark=True)
        browser.close()
        if faults:
            raise SystemExit("The browser complained: " + "; ".join(dict.fromkeys(faults)))


if __name__ == "__main__":
    main()
