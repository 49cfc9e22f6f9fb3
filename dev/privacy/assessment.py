"""docs/privacy/assessment.md: a data protection impact assessment (GDPR, Article 35), filled in as far as a program can."""

from contract.ceiling import DETAILS
from contract.observations import DISCLOSURES
from dev.privacy.page import USUAL, WHAT_LEAVES, kept

_BLANK = "**[to be filled in]**"
_RISKS: tuple[tuple[str, str, str], ...] = (
    (
        "Somebody's private messaging becomes known to the employer",
        (
            "The ceiling is the device's own and empty by default; on a personal device nothing of the personal or unknown side leaves; a "
            "policy only lowers it, the server never raises it."
        ),
        "Ceiling set by MDM; property tests over settings, policies and sightings; `decorum ledger`.",
    ),
    (
        "Messages, contacts or accounts are read",
        "The agent asks the system which programs run, and no more; the extension runs in messengers' pages alone and reads nothing of them.",
        "Source; `docs/THREATS.md`; tests with real browsers and 200 other sites.",
    ),
    (
        "People are watched before they know",
        "Until the notice was shown, or its giving was recorded, nothing but a sign of life leaves.",
        "Notice receipts; tests for each person of a shared device.",
    ),
    (
        "Times of use become a record of behaviour and performance",
        (
            "Times can be rounded to the hour or left out; they leave only when that hour or day is over; the journal's head tells no counts; "
            "for how long a messenger was open at work is told as a day's total, rounded where exact times may not leave."
        ),
        "Ceiling `hour`, `name`, `kind` or `count`; `docs/PRIVACY.md`.",
    ),
    (
        "Data is kept for longer than needed",
        f"Personal data is erased once a day, after {USUAL.personal_data_days} days by default and 180 at most; seals and digests stay.",
        "`decorum-server retention`; the audit log.",
    ),
    (
        "The server is misused, or broken into",
        "Roots and ceilings come from MDM; policies are sealed by a key that may lie offline; the console's uses are in the audit log.",
        "`docs/THREATS.md`, each line with its test.",
    ),
    (
        "A person cannot find out what is held of them",
        "The ledger lists every byte that left; the device compares it with what the server holds; the console gives it out as a file.",
        "`decorum ledger --compare`; *Everything held about this device*.",
    ),
    (
        "A wrong verdict harms somebody",
        (
            "Each verdict names its rule and its reasons; unknown counts as personal; nothing is closed before its deadline, nor under a policy "
            "or a clock that is in doubt; unlisted messengers are never enforced unless the policy says so."
        ),
        "The journal; `decorum status`; exemptions where the company grants them.",
    ),
)


def page() -> str:
    """Return the assessment as Markdown."""
    lines = [
        "# Data protection impact assessment: Decorum",
        "",
        "A template under Article 35 GDPR. What the program does is filled in from its own declarations; what only the company knows is",
        f"marked {_BLANK}. It is no legal advice, and has not been reviewed by a lawyer.",
        "",
        "## 1. The processing (Article 35(7)(a))",
        "",
        f"- **Controller, data protection officer, date, version**: {_BLANK}",
        f"- **Purpose**: to keep work messaging within the company's messaging policy, and to be able to prove it. {_BLANK}",
        f"- **Legal basis** (such as Article 6(1)(c) or (f); works agreement under Article 88): {_BLANK}",
        f"- **Persons concerned**: employees who use company devices, and those who use their own for work. {_BLANK}",
        f"- **Processors and places** (hosting of the server; the orchestration platform, if any): {_BLANK}",
        "- **Means**: an agent on the device sees which messengers run, judges them there under the policy, reminds people, and reports no more",
        "  than the device's ceiling lets through, sealed, to the company's own server. No content, no contacts, no accounts, no titles.",
        "",
        "| data | purpose | recipients | kept | personal data |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.what} | {one.why} | {one.who} | {kept(one)} | {'yes' if one.personal else 'no'} |"
        for one in DISCLOSURES
    ]
    lines += [
        "",
        "**How much of a sighting leaves**, set by the company's MDM per ownership and side:",
        "",
        "| device | work side | personal side | unknown side |",
        "|---|---|---|---|",
        f"| the company's | {_BLANK} | {_BLANK} | {_BLANK} |",
        f"| a person's own | {_BLANK} | nothing (recommended) | nothing (recommended) |",
        "",
        "Each is one of: " + "; ".join(f"`{detail}`, {WHAT_LEAVES[detail]}" for detail in DETAILS) + ".",
        "",
        "## 2. Necessity and proportionality (Article 35(7)(b))",
        "",
        f"- **Why a milder means does not do** (training, a written policy alone, spot checks): {_BLANK}",
        "- **Minimisation**: the judgement is made on the device; transitions are reported, never samples; the ceiling may leave out times, names or",
        "  everything; what is reported leaves no earlier than its own coarseness allows.",
        "- **Transparency (Articles 12 to 14)**: a notice before anything is collected, the page *What Decorum sees*, the policy as people read it.",
        "- **Access and erasure (Articles 15 and 17)**: `decorum ledger --compare` on the device; the console's file; erasing by retention.",
        "- **No automated decision (Article 22)**: verdicts are shown to people; what follows from one is decided by a person.",
        f"- **Views of the persons concerned or their representatives (Article 35(9))**: {_BLANK}",
        "",
        "## 3. Risks and measures (Article 35(7)(c) and (d))",
        "",
        "| risk | what stands against it | how it can be checked | what remains (likelihood, severity) |",
        "|---|---|---|---|",
    ]
    lines += [f"| {risk} | {measure} | {check} | {_BLANK} |" for risk, measure, check in _RISKS]
    lines += [
        "",
        "What Decorum cannot do stands in [limitations](../limitations.md); it belongs to this assessment.",
        "",
        "## 4. Outcome",
        "",
        f"- **Remaining risk acceptable, or prior consultation (Article 36)**: {_BLANK}",
        f"- **Next review**: with each policy that raises what leaves, and at the latest on {_BLANK}",
        "",
    ]
    return "\n".join(lines)
