"""The status window's texts, and those of the tray's menu."""

from contract.judge import VerdictState
from ui.link_state import LinkKind

TITLE = "Decorum"

SENTENCES: dict[VerdictState, str] = {
    "compliant": "You are in line with the policy",
    "exempt": "You are in line with the policy",
    "attention": "Something needs your attention",
    "violation": "Something is not in line with the policy",
    "pending": "Waiting for the policy",
    "unknowable": "It cannot be said yet whether all is in line",
}
ONE_VIOLATION = "{name} is not in line with the policy"
MANY_VIOLATIONS = (
    "{count} messenger is not in line with the policy",
    "{count} messengers are not in line with the policy",
)
ONE_ATTENTION = "{name} needs your attention"
EXPIRED = "The policy on this device has expired"
NOT_ENROLLED = "This device is not enrolled"

LINK_SENTENCES: dict[LinkKind, str] = {
    "connecting": "Connecting to the agent…",
    "connected": "Waiting for the agent's first word…",
    "absent": "The Decorum agent is not running",
    "untrusted": "Someone else answers in the agent's place",
    "agent_older": "The agent is older than this program",
    "agent_newer": "Decorum was updated meanwhile",
    "malformed": "The agent's answer cannot be read",
    "silent": "The agent does not answer",
    "refused": "The agent turned this program away",
}
LINK_MUTED: dict[LinkKind, str] = {
    "absent": "Nothing is seen, and nothing is reported meanwhile.",
    "untrusted": "Nothing was told to it, and what it says is not shown.",
    "agent_older": "Nothing can be shown until both are of the same age.",
    "agent_newer": "This program is still the old one.",
    "malformed": "What it says is not shown. Trying again by itself.",
    "silent": "Trying again by itself.",
    "refused": "Trying again by itself.",
}
LINK_TODO: dict[LinkKind, tuple[str, str]] = {
    "absent": (
        "Start the agent",
        "It starts with the computer. If it stays away for more than a minute, tell your administrator.",
    ),
    "untrusted": ("Tell your administrator", "They will want to know this: {detail}"),
    "agent_older": ("Update Decorum as a whole", "Your administrator can do this."),
    "agent_newer": ("Start this program again", "Everything else is up to date already."),
    "malformed": ("Update Decorum as a whole", "If this stays, tell your administrator: {detail}"),
    "silent": ("Give it a moment", "If this stays, restart the computer or tell your administrator."),
    "refused": ("Tell your administrator", "It said: {detail}"),
}

MUTED_JOIN = " · "
POLICY_NAME = "{title} {version}"
NO_POLICY = "no policy has reached this device yet"
CHECKED = "checked {when}"
CHECKING = "checking in…"
NOTHING_LEAVES = "Nothing leaves it, and no policy holds here yet."

UNREACHABLE = "The server has not been reached since {when}."
UNREACHABLE_EVER = "The server has not been reached yet."
CONNECTING_SERVER = "Asking the server…"
POLICY_HOLDS = "The policy stays in force."
WAITING = ("{count} report waits here.", "{count} reports wait here.")
EXEMPTION_HOLDS = "An exemption holds."
NO_TRAY = "Your desktop shows no tray icons, so Decorum opened this window once."

TODO = "To do"
ENROL_TITLE = "Ask your administrator to enrol this device"
ENROL_DETAIL = "With an enrolment secret from them you can do it yourself: run “decorum enrol”."
NOTICE_TITLE = "Read what Decorum sees"
NOTICE_DETAIL = "Until you have been shown it, only a sign of life leaves this device."
EXPIRED_TITLE = "Connect to the company's network"
EXPIRED_DETAIL = "The policy can then be renewed. Until then nothing is enforced."
UNRETAINED_TITLE = (
    "{count} file for work is retained nowhere",
    "{count} files for work are retained nowhere",
)
UNRETAINED_DETAIL = "Saved from {name}. What you hand over, the company keeps as its record."
UNRETAINED_ASK = "Saved from {name}. Ask {contact} how such files are to be kept."
UNRETAINED_ASK_ANYONE = "Saved from {name}. Ask your administrator how such files are to be kept."
REFUSED_TITLE = "The server refused this device"
REFUSED_DETAIL = "Tell your administrator. Your reports wait here, and the policy stays in force."
OPEN_SINCE = {
    "work": "Open at work since {when}",
    "personal": "Open on the personal side since {when}",
    "unknown": "Open since {when}",
}
RULE = "rule: {rule}"
RULE_DEFAULTS = {"default-work": "every other messenger", "default-personal": "every other messenger"}
OR = " or "
CONTINUE_SENTENCE = "Continue in {names}."

CONTINUE = "&Continue in {name}"
READ_NOTICE = "&Read it now"
READ_RULE = "&Read the rule"
HAND_OVER = "&Hand over"
TRY_AGAIN = "&Try again"
RESTART = "&Start again"
CHECK_IN = "&Check in now"
DEFER = "Remind me &later"

MESSENGERS = "Messengers here"
NO_MESSENGER = "None is running."
SEES_LINK = "What Decorum &sees"
POLICY_LINK = "&Policy"
HELP_LINK = "&Help"
REFRESH = "Check in now (F5)"

MENU_OPEN = "&Open Decorum"
MENU_FOR_WORK = "Open for &work"
NOT_OPENED = "{name} was not opened"
NOT_HANDED_OVER = "The files were not handed over"
TOOLTIP = "Decorum: {sentence}"
TODO_COUNT = ("{count} thing to do", "{count} things to do")
