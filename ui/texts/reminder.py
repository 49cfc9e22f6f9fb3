"""The reminder window's texts."""

WINDOW = "Decorum reminder"
UNDERSTOOD = "&Understood"
CONTINUE = "&Continue in {name}"
DEFER = "Remind me &later"
WHY = "&Why do I see this?"
WHY_RULE = "Because of the rule “{rule}”."
WHY_DEFAULT = "Because of the rule for every messenger that the policy does not name."
READ_POLICY = "Read it in the &policy"
MORE = ("{count} more reminder after this one", "{count} more reminders after this one")
