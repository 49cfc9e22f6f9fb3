"""The texts of `What Decorum sees`, of the first notice and of the list of what was sent."""

from contract.ceiling import Detail
from contract.policy import Ownership, Profile

WINDOW = "What Decorum sees"
TAB_COLLECTED = "What is collected"
TAB_SENT = "What was sent"

TITLE = "What Decorum sees on this device"
OWNERSHIP: dict[Ownership, str] = {
    "company": "This device belongs to your company.",
    "personal": "This device is your own.",
}
OWNER_COMPANY = "This device belongs to {company}."
NOT_YET = "You have not confirmed the notice yet: until then only a sign of life leaves this device."

NEVER_HEADING = "What is never collected"
NEVER = (
    "What you write or read, with whom, and in which account.",
    "Titles of windows, pictures of the screen, keystrokes, passwords, what is in your files, places.",
    "Which other programs you use, and which other pages you visit.",
)
SIDES: dict[Profile, str] = {
    "work": "At work: {detail}",
    "personal": "On the personal side: {detail}",
    "unknown": "Where the side is not known: {detail}",
}
DETAILS: dict[Detail, str] = {
    "nothing": "nothing.",
    "count": "nothing but how many were used on a day, see below.",
    "kind": "that some messenger of its kind was used on a day, not which one.",
    "name": "which messenger was used on which day, not when.",
    "hour": "which messenger was opened and closed, by the hour.",
    "exact": "which messenger was opened and closed, and when.",
}
DETAILS_OF_INSTALLED: dict[Detail, str] = {
    "nothing": "nothing.",
    "count": "nothing.",
    "kind": "its kind and the day, not which one.",
    "name": "which one and the day, not when.",
    "hour": "which one, and in which hour.",
    "exact": "which one, and when.",
}
DETAILS_OF_FILES: dict[Detail, str] = {
    "nothing": "nothing.",
    "count": "nothing.",
    "kind": "how many on a day, not by which messenger.",
    "name": "how many on a day, and by which messenger.",
    "hour": "how many on a day, and by which messenger.",
    "exact": "how many on a day, and by which messenger.",
}
DETAILS_OF_EXPOSURE: dict[Detail, str] = {
    "nothing": "nothing.",
    "count": "nothing.",
    "kind": "in how many sessions on a day, not by which messenger or for how long.",
    "name": "which one was open for how long on a day, to the quarter of an hour.",
    "hour": "which one was open for how long on a day, to the quarter of an hour.",
    "exact": "which one was open for how long on a day.",
}
DETAILS_OF_RECEIPTS: dict[Detail, str] = {
    "nothing": "nothing.",
    "count": "nothing.",
    "kind": "that there was one on a day, not which.",
    "name": "about which rule and on which day, not when.",
    "hour": "about which rule, and in which hour.",
    "exact": "about which rule, and when.",
}
DETAILS_OF_COUNTS: dict[Detail, str] = {
    "nothing": "nothing.",
    "count": "how many there were on a day, after midnight.",
    "kind": "no count, since more is told above.",
    "name": "no count, since more is told above.",
    "hour": "no count, since more is told above.",
    "exact": "no count, since more is told above.",
}
OF_A_SIDE: dict[str, dict[Detail, str]] = {
    "sighting": DETAILS,
    "daily_count": DETAILS_OF_COUNTS,
    "installed": DETAILS_OF_INSTALLED,
    "unretained": DETAILS_OF_FILES,
    "exposure": DETAILS_OF_EXPOSURE,
    "receipt": DETAILS_OF_RECEIPTS,
}
PERSON_HEADING = "What can leave this device about you"
DEVICE_HEADING = "What can leave this device about the device"
TYPES = {
    "enrolment": "Joining",
    "heartbeat": "Sign of life",
    "sighting": "Messengers in use",
    "installed": "Messengers installed",
    "unretained": "Files saved for work",
    "exposure": "Time at work",
    "daily_count": "How many on a day",
    "question": "Asking what is held",
    "leaving": "Leaving",
    "receipt": "Reminders",
    "request": "What you ask for",
    "policy": "Policies",
    "notice": "This notice",
    "trouble": "Troubles of Decorum itself",
    "tombstone": "Gaps",
}
WHY_WHO = "{why} Seen by: {who}."
NOT_FROM_HERE = "Nothing of this leaves this device."
KEPT = "Your company has set {days} days as the longest that it keeps what is about a person."
LITERALLY = "The page “What was sent” lists every line that left, literally."
UNAVAILABLE = "The agent cannot be asked what holds for this device ({sentence}) While it does not run, nothing is seen."

NOTICE_WINDOW = "Before anything is collected"
NOTICE_TITLE = "Before anything is collected"
NOTICE_INTRO = (
    "Decorum helps keep work messages inside {company}'s messaging policy. It never reads messages."
)
NOTICE_INTRO_NOBODY = "Decorum helps keep work messages inside the messaging policy. It never reads messages."
NOTICE_UNTIL = "Until you confirm below that you have read this, only a sign of life leaves this device."
NOTICE_READ = "&I have read this"
NOTICE_LATER = "You will find this page again under “What Decorum sees”."
NOTICE_FAILED = "The agent did not take it: {sentence} {remedy}"

SENT_INTRO = "Every line that left this device or tried to, newest first. Open a line to read it literally."
SENT_NONE = "Nothing has been sent from this device yet."
SENT_UNAVAILABLE = "The list cannot be read now: {sentence} {remedy}"
COLUMN_WHEN = "When"
COLUMN_WHAT = "What"
COLUMN_STATE = "State"
ACKNOWLEDGED = "received"
ATTEMPTED = ("tried {count} time", "tried {count} times")
TOOLTIP_ACKNOWLEDGED = "First tried {first}, received by the server {received}."
TOOLTIP_ATTEMPTED = "First tried {first}, not confirmed by the server yet."
SIGNS_OF_LIFE = (
    "This device said {count} time that it is there.",
    "This device said {count} times that it is there.",
)
FROM_TO = "{first} to {last}"
NOT_RECEIVED = ("{count} not received", "{count} not received")
OLDER = "Show &older lines"
COMPARE = "&Compare with the server"
COMPARING = "The server is being asked what it holds of this device…"
COMPARED_EQUAL = "The server holds what stands here and nothing else: {count} reports, byte for byte."
COMPARED_ERASED = "{count} older reports are erased there."
COMPARED_DIFFERENT = (
    "The server does not hold the same as stands here: {missing} reports are missing there, {unknown} are held there alone. "
    "Save the list, and show it to whoever answers for data protection. “decorum ledger --compare” names each difference."
)
NOT_COMPARED = "It could not be compared. {sentence} {remedy}"
SAVE_ALL = "&Save all…"
SAVE_TITLE = "Save what was sent"
SAVED = ("{count} line is saved.", "{count} lines are saved.")
NOT_SAVED = "It could not be saved: {why}"
