"""The words that every window shares: states, sides, stances, how much is reported, days and months."""

from contract.ceiling import Detail
from contract.judge import VerdictState
from contract.policy import Profile, Stance

APPLICATION = "Decorum"

STATES: dict[VerdictState, str] = {
    "compliant": "in line",
    "attention": "needs attention",
    "violation": "not in line",
    "exempt": "exempt",
    "pending": "waiting",
    "unknowable": "not certain",
}
SIDES: dict[Profile, str] = {"work": "work", "personal": "personal", "unknown": "side not known"}
STANCES: dict[Stance, str] = {
    "approved": "approved",
    "personal_only": "personal use only",
    "restricted": "breaks and free time only",
    "banned": "not allowed",
}
CAPTURED = "captured"
REPORTED: dict[Detail, str] = {
    "nothing": "not reported",
    "count": "counted, not named",
    "kind": "reported without name",
    "name": "name and day reported",
    "hour": "name and hour reported",
    "exact": "name and time reported",
}

YESTERDAY = "yesterday {clock}"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ON_WEEKDAY = "{weekday} {clock}"
ON_DAY = "{day} {month} {clock}"
ON_DATE = "{day} {month} {year}"
