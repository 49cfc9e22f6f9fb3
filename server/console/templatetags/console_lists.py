"""The bar above the list of devices: every standing with its count, and what else narrows the list."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from django import template

from server.fleet.figures import Figures
from server.fleet.standing import STANDINGS

register = template.Library()
_OTHERS = ("messenger", "never_started", "profile", "ownership", "serial", "q")


class Chip(msgspec.Struct, frozen=True):
    """A part of the list, and how many are in it."""

    standing: str
    count: int
    link: str
    is_chosen: bool


class Narrowed(msgspec.Struct, frozen=True):
    """Something else that narrows the list, and the address without it."""

    text: str
    without: str


@register.inclusion_tag("console/standings_bar.html", takes_context=True)
def standings_bar(context: Any, cl: Any) -> dict[str, Any]:
    """Show the bar for a change list of devices."""
    query = {name: value[-1] if isinstance(value, list) else value for name, value in cl.params.items()}
    query |= {name: values[-1] for name, values in cl.filter_params.items()}
    chosen = query.pop("standing", "")
    others = {name: query[name] for name in _OTHERS if name in query}
    counted: Figures = context["request"].figures
    numbers = counted.standings
    chips = [Chip("", sum(numbers.values()), _link({}), not chosen and not others)]
    chips += [
        Chip(standing, numbers[standing], _link({"standing": standing}), standing == chosen)
        for standing in STANDINGS
        if numbers[standing] or standing != "revoked"
    ]
    kept = {"standing": chosen} if chosen else {}
    narrowed = [
        Narrowed(
            f"{name.replace('_', ' ')}: {value}"[:60],
            _link(kept | {one: other for one, other in others.items() if one != name}),
        )
        for name, value in others.items()
    ]
    return {"chips": chips, "narrowed": narrowed, "counted_at": counted.counted_at}


def _link(query: dict[str, Any]) -> str:
    return f"?{urlencode(query)}"
