"""Template tags: states as shape and word, times relative with the absolute on hover."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from server.console.exposure import spent
from server.console.present import CONNECTORS, STANDINGS, Look, icon_svg, verdict_look
from server.moments import relative, utc_now

register = template.Library()
NOTHING = "\N{EN DASH}"


@register.simple_tag
def verdict(state: str) -> SafeString:
    """Return a verdict as shape and word."""
    return shown(verdict_look(state))


@register.simple_tag
def standing(name: str) -> SafeString:
    """Return a device's standing as shape and word."""
    return shown(STANDINGS[name])


@register.simple_tag
def connector(name: str) -> SafeString:
    """Return a capture connector's state as shape and word."""
    return shown(CONNECTORS[name])


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return one of our icons."""
    return mark_safe(icon_svg(name))  # noqa: S308 - our own file


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """Return a time relative to now, absolute on hover."""
    if at is None:
        return format_html('<span class="quiet">{}</span>', NOTHING)
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        f"{local:%a %Y-%m-%d %H:%M:%S %Z}",
        relative(at, utc_now()),
    )


@register.simple_tag
def clock(at: datetime) -> SafeString:
    """Return a time of day, the whole of it on hover."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        f"{local:%a %Y-%m-%d %H:%M:%S %Z}",
        f"{local:%H:%M}",
    )


@register.filter(name="spent")
def spent_filter(seconds: int) -> str:
    """Return a time that was spent, in hours and minutes."""
    return spent(seconds)


@register.simple_tag
def in_force() -> SafeString:
    """Return the mark of the policy in force."""
    return shown(Look("in force", "circle-check", "compliant"))


def shown(look: Look) -> SafeString:
    """Return shape and word together."""
    svg = mark_safe(icon_svg(look.icon))  # noqa: S308 - our own file
    return format_html('<span class="state state-{}">{}<span>{}</span></span>', look.tone, svg, look.word)
