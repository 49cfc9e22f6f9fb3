"""What is and is not collected on this device, as a page; and the first notice, which is the same page."""

from collections.abc import Iterable

from contract.ceiling import Detail
from contract.local import DisclosurePage
from contract.observations import DISCLOSURES, Disclosure
from contract.policy import Profile
from ui.present.page import Block, Page
from ui.texts import say
from ui.texts import sees as texts

_FROM_SIDES = {"sighting", "installed", "unretained", "exposure", "receipt", "daily_count"}
"""Types that leave only as far as a side's ceiling lets them."""
_TELLS_OF_NONE: tuple[Detail, ...] = ("nothing", "count")


def sees_page(page: DisclosurePage, company: str | None) -> Page:
    """Return the page `What Decorum sees`.

    Args:
        page: what holds for this device.
        company: the company's name, once the device is enrolled.
    """
    return Page(tuple(_sees(page, company)))


def notice_page(page: DisclosurePage, company: str | None) -> Page:
    """Return the first notice."""
    intro = say(texts.NOTICE_INTRO, company=company) if company else say(texts.NOTICE_INTRO_NOBODY)
    blocks = (
        Block("title", say(texts.NOTICE_TITLE)),
        Block("text", intro),
        Block("text", say(texts.NOTICE_UNTIL)),
        *_body(page),
        Block("muted", say(texts.NOTICE_LATER)),
    )
    return Page(blocks)


def unavailable_page(sentence: str) -> Page:
    """Return what can be said while the agent cannot be asked: what is never collected, and what can leave at most."""
    return Page(
        (
            Block("title", say(texts.TITLE)),
            Block("muted", say(texts.UNAVAILABLE, sentence=sentence)),
            *_never(),
            *_everything(None),
        )
    )


def _sees(page: DisclosurePage, company: str | None) -> Iterable[Block]:
    yield Block("title", say(texts.TITLE))
    if page.ownership == "company" and company:
        yield Block("muted", say(texts.OWNER_COMPANY, company=company))
    else:
        yield Block("muted", say(texts.OWNERSHIP[page.ownership]))
    if page.notice_due:
        yield Block("heading", say(texts.NOT_YET))
    yield from _body(page)


def _body(page: DisclosurePage) -> Iterable[Block]:
    yield from _never()
    yield from _everything(page)
    if page.retention_days is not None:
        yield Block("text", say(texts.KEPT, days=page.retention_days))
    yield Block("text", say(texts.LITERALLY))


def _never() -> Iterable[Block]:
    yield Block("heading", say(texts.NEVER_HEADING))
    for sentence in texts.NEVER:
        yield Block("item", say(sentence))


def _everything(page: DisclosurePage | None) -> Iterable[Block]:
    """Yield every type of report, those about the person first; None if nobody knows what holds for this device."""
    for heading, personal in ((texts.PERSON_HEADING, True), (texts.DEVICE_HEADING, False)):
        yield Block("heading", say(heading))
        for disclosure in DISCLOSURES:
            if disclosure.personal is personal:
                yield from _type(disclosure, page)


def _type(disclosure: Disclosure, page: DisclosurePage | None) -> Iterable[Block]:
    yield Block("strong", say(texts.TYPES[disclosure.type]))
    if page is not None and disclosure.type in _FROM_SIDES and _is_closed(page, disclosure.type):
        yield Block("text", say(texts.NOT_FROM_HERE))
        return
    yield Block("text", say(disclosure.what))
    if page is not None and disclosure.type in texts.OF_A_SIDE:
        words = texts.OF_A_SIDE[disclosure.type]
        for side, detail in _details(page, disclosure.type).items():
            yield Block("item", say(texts.SIDES[side], detail=say(words[detail])))
    yield Block("muted", say(texts.WHY_WHO, why=say(disclosure.why), who=say(disclosure.who)))


def _details(page: DisclosurePage, kind: str) -> dict[Profile, Detail]:
    of_sightings: dict[Profile, Detail] = {
        "work": page.work,
        "personal": page.personal,
        "unknown": page.unknown,
    }
    if kind == "exposure":  # the work side's alone
        of_sightings = {"work": page.work}
    return page.others.get(kind, of_sightings)


def _is_closed(page: DisclosurePage, kind: str) -> bool:
    """Tell whether nothing of a type leaves; days are counted only of a side of which no more is told."""
    details = set(_details(page, kind).values())
    return "count" not in details if kind == "daily_count" else details <= set(_TELLS_OF_NONE)
