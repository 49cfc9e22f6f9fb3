"""The help window's texts."""

from ui.present.picture import Shape

WINDOW = "Help"
TITLE = "How to read Decorum"
SHAPES: dict[Shape, tuple[str, str]] = {
    "compliant": ("In line", "Nothing is expected of you."),
    "attention": ("Needs attention", "Something is to be looked at; it need not be your doing."),
    "violation": ("Not in line", "A messenger is open that the policy does not allow here and now."),
    "exempt": ("Exempt", "Somebody has allowed it for a while."),
    "unknown": (
        "Waiting, or not certain",
        "There is no policy yet, or it cannot be said. Neither is a failure.",
    ),
}
ASK_HEADING = "Whom to ask"
ASK = "About the policy: {contact}"
ASK_ADMINISTRATOR = "Your administrator"
TECHNICAL_HEADING = "For technicians"
VERSIONS = "Decorum {version}, agent {agent}"
VERSION = "Decorum {version}, agent not reached"
COMMANDS = "In a terminal, “decorum status” tells the same, and “decorum policy show” shows the policy."
