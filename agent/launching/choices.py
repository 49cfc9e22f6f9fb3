"""Which messengers a person is offered to open for work. Pure."""

from collections.abc import Callable, Iterable, Iterator

from contract.catalogue import Catalogue, Messenger
from contract.facts import Platform
from contract.local import WorkAnswer, WorkChoice
from contract.policy import Policy


def choices(
    installed: Iterable[str],
    catalogue: Catalogue,
    policy: Policy | None,
    answer: Callable[[str], WorkAnswer],
    platform: Platform,
) -> tuple[WorkChoice, ...]:
    """Return what the policy wants used for work, then what is installed and may be, by name; nothing without a policy.

    Args:
        installed: ids of the messengers that are installed.
        catalogue: what is known of them.
        policy: the one in force.
        answer: what the policy says to opening one.
        platform: this system.
    """
    if policy is None:
        return ()
    own = (
        one for one in installed if answer(one).opens[:1] == (one,) and _has_a_way(one, catalogue, platform)
    )
    named = dict.fromkeys((*policy.use_instead, *sorted(own, key=catalogue.name_of)))
    return tuple(_known(named, catalogue))


def _known(ids: Iterable[str], catalogue: Catalogue) -> Iterator[WorkChoice]:
    for messenger in ids:
        if messenger in catalogue.messengers:
            yield WorkChoice(messenger, catalogue.name_of(messenger))


def _has_a_way(messenger: str, catalogue: Catalogue, platform: Platform) -> bool:
    entry: Messenger | None = catalogue.messengers.get(messenger)
    return entry is not None and (
        entry.apart_on(platform, "") is not None or any(one.platform == "web" for one in entry.seen)
    )
