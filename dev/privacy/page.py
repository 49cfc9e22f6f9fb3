"""docs/PRIVACY.md: what is monitored and what is not, on one page."""

from typing import get_args

from contract.ceiling import DETAILS, Detail
from contract.observations import DISCLOSURES, Disclosure, Observation
from contract.policy import Retention

WHAT_LEAVES: dict[Detail, str] = {
    "nothing": "nothing leaves",
    "count": "how many messengers were used on a day, and nothing else; it leaves once the day is over",
    "kind": "that a messenger of this kind was used on a day; never which one",
    "name": "which one, on which day; it leaves after midnight",
    "hour": "which one, in which hour; it leaves when the hour is over",
    "exact": "which one, and when to the second",
}
USUAL = Retention()


def kept(one: Disclosure) -> str:
    """Return for how long the server keeps it."""
    if one.type == "question":
        return "not at all"
    if one.type == "leaving":
        return "as a line of the audit log, without a name"
    if one.type == "enrolment":
        return "with the device's record"
    if one.personal:
        return f"as the policy's `personal_data_days` says: {USUAL.personal_data_days} days, 180 at most"
    return f"as the policy's `records_days` says: {USUAL.records_days} days or more"


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# What Decorum collects",
        "",
        "This page is made from the program's own declarations. Nothing can leave a device that is not listed here: the outbox takes",
        f"these {len(get_args(Observation))} types of report and no other, and only the privacy door makes them.",
        "",
        "**Never collected**: what anybody writes or reads, with whom, in which account; titles of windows, pictures of the screen,",
        "keystrokes, what is in files, places; other programs; pages visited. In browsers Decorum's extension runs in the pages of listed messengers and",
        "nowhere else, and tells the agent of nothing but the messenger and whether its page has the keyboard; the latter never leaves.",
        "",
        "Where the policy says so, the agent looks on the device itself at the folder that a messenger keeps its data in, and at the domain of an account,",
        "to tell work from personal use: [each of these signals](sides.md). Neither leaves the device, and the domain is not even kept.",
        "",
        "| what | why | who sees it | kept | personal data |",
        "|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {one.what} | {one.why} | {one.who} | {kept(one)} | {'yes' if one.personal else 'no'} |"
        for one in DISCLOSURES
    )
    lines += [
        "",
        "## How much of it",
        "",
        "A device's own settings name the most that may leave, per ownership (company, personal) and side (work, personal, unknown). What they",
        "do not name does not leave. The policy may lower it, the server can never raise it.",
        "",
        "| detail | what leaves about a sighting |",
        "|---|---|",
    ]
    lines.extend(f"| `{detail}` | {WHAT_LEAVES[detail]} |" for detail in DETAILS)
    lines += [
        "",
        "A level for a side holds for sightings, for what is installed, for files that nothing retains, for exposure and for receipts of reminders alike; a table (`sighting`,",
        "`installed`, `unretained`, `exposure`, `receipt`) names one for each, and what it leaves out does not leave. Days are counted of sightings alone.",
        "",
        "Until a person was shown this, or the administrator recorded that it was given otherwise, nothing but a sign of life leaves about",
        "them. `decorum ledger`, and *What Decorum sees* in the tray, list literally what was sent, and compare it with what the server holds.",
        "",
        "For a company's own papers: [a data protection impact assessment](privacy/assessment.md) and, in German,",
        "[an annex to a works agreement](privacy/works-agreement.md), both made from the same declarations.",
        "",
    ]
    return "\n".join(lines)
