"""docs/sides.md: how work is told from personal use, and how each signal can be fooled."""

from contract.sides import SIGNALS


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# Whose side is it?",
        "",
        "Each messenger that runs is on a side of the device: `work`, `personal` or `unknown`, and unknown counts as personal. This page is made",
        "from the program's own declarations: every signal there is, the most reliable first.",
        "",
        "* **Without a table `[profiles]` in the policy nothing but ownership counts**, and nothing below is read: on a company's device everything",
        "  is work, on a personal one everything is unknown.",
        "* **With one, the most reliable signals that speak decide.** `strong` outweighs `fair`, and that `coarse`, which is true of a whole device",
        "  or account. Where signals of the same reliability contradict each other the side is unknown, and both are named. `weak` ones decide",
        "  nothing: a personal device's messenger never becomes work by them.",
        "* **Each verdict says how sure it is** (`assurance`): high, medium or low, as its signals are strong, fair or coarse, and one less where",
        "  another signal, ownership aside, speaks for the other side.",
        "* **Signals are read once for each copy of a messenger that runs**, and again when the policy changes. Of an account nothing but its domain is",
        "  looked at, and that is dropped once the side is known: neither state, log nor report has it.",
        "* `decorum status --json` and `decorum identify --pid` show side, reason, assurance and all that spoke.",
        "",
        "| signal | what it reads | what it says | how it can be fooled | where |",
        "|---|---|---|---|---|",
    ]
    lines.extend(
        f"| `{one.name}` | {one.reads} | {one.says} | {one.fooled} | {one.where} |" for one in SIGNALS
    )
    lines += [
        "",
        "## In the policy",
        "",
        "```toml",
        "[profiles]",
        'company_domains = ["example.com"]    # what lies below it belongs to it; a.example.com does, notexample.com does not',
        'signals_off = ["edition"]            # neither read nor heard; any of the names above',
        "",
        "[[profiles.rules]]                   # each about one of folder, name and program",
        'side = "work"',
        'messenger = "telegram"               # a catalogue id; without it the rule is about any',
        'folder = "~/Work"                    # where it keeps its data: telegram-desktop -workdir ~/Work',
        "",
        "[[profiles.rules]]",
        'side = "personal"',
        'name = "home"                        # firefox -P home',
        "```",
        "",
        "A signal is switched off by its name in `signals_off`. A domain that belongs to nobody alone (`com`, `co.uk`), or that gives addresses to",
        "anybody (`gmail.com`), is refused.",
        "",
    ]
    return "\n".join(lines)
