"""What the policy says to opening a messenger for work: that one, another in its place, or none. Pure."""

from collections.abc import Callable

from contract.judge import Subject, Verdict
from contract.local import WorkAnswer
from contract.policy import Policy


def permission(
    messenger: str, name: str, policy: Policy | None, judged: Callable[[Subject], Verdict]
) -> WorkAnswer:
    """Return what may be opened, best first, and why not what was asked for.

    What would be a violation gives way to what the policy offers instead. Where work goes through a platform that keeps the records, so does a
    channel of which nothing says that it is captured.

    Args:
        messenger: a catalogue id that policies speak of.
        name: what it is called.
        policy: the one in force.
        judged: the judge, as of now.
    """
    verdict = judged(Subject(messenger=messenger, name=name, listed=True, profile="work"))
    is_bypass = policy is not None and policy.model == "orchestrate" and verdict.state == "attention"
    others = () if policy is None else tuple(one for one in policy.use_instead if one != messenger)
    if policy is None or not (verdict.state == "violation" or (is_bypass and others)):
        return WorkAnswer(opens=(messenger,), sentence="", remedy="")
    return WorkAnswer(
        opens=others,
        sentence=verdict.reasons[0].sentence,
        remedy=f"Ask {policy.contacts.approvals} for an exemption.",
    )
