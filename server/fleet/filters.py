"""How the list of devices is narrowed by its address; every number in the console leads here."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import SimpleListFilter
from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, QueryDict

from contract import wire
from server.console.exposure import ANY
from server.console.present import OWNERSHIPS, PROFILES, STANDINGS
from server.distinct import distinct
from server.fleet.exposure import DAYS, exposed, exposure
from server.fleet.figures import Figures
from server.fleet.models import ChannelSeen, Device, InstalledMessenger
from server.fleet.standing import filtered
from server.moments import utc_now
from server.numbers import number_in
from server.policies.catalogues import in_use

KEPT_SECONDS = 60
Choices = list[tuple[str, str]]


class StandingFilter(SimpleListFilter):
    """By where they stand."""

    title, parameter_name = "state", "standing"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return every standing."""
        return [(name, look.word) for name, look in STANDINGS.items()]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list."""
        return filtered(queryset, self.value(), utc_now())


class OwnershipFilter(SimpleListFilter):
    """By who owns them."""

    title, parameter_name = "ownership", "ownership"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return both."""
        return list(OWNERSHIPS.items())

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list."""
        return queryset.filter(ownership=self.value()) if self.value() else queryset


class ChannelFilter(SimpleListFilter):
    """By a messenger seen on them; together with the profile, by a channel."""

    title, parameter_name = "messenger seen", "messenger"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return the messengers seen so far."""
        seen = distinct(ChannelSeen, "messenger")
        known = in_use()
        names = ((messenger, known.name_of(messenger)) for messenger in seen if messenger)
        return sorted(names, key=lambda pair: pair[1].casefold())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list; one channel must have both the messenger and the profile."""
        if not self.value():
            return queryset
        seen = ChannelSeen.objects.filter(messenger=self.value())
        if profile := request.GET.get(ProfileFilter.parameter_name):
            seen = seen.filter(profile=profile)
        return queryset.filter(pk__in=seen.values("device"))


class NeverStartedFilter(SimpleListFilter):
    """By a messenger that is installed on them and was never started; together with the profile, by its side."""

    title, parameter_name = "installed, never started", "never_started"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return the messengers that are installed anywhere."""
        known = in_use()
        names = ((one, known.name_of(one)) for one in distinct(InstalledMessenger, "messenger") if one)
        return sorted(names, key=lambda pair: pair[1].casefold())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list."""
        if not self.value():
            return queryset
        unused = never_started(self.value() or "", request.GET.get(ProfileFilter.parameter_name))
        return queryset.filter(pk__in=unused.values("device"))


class ExposureFilter(SimpleListFilter):
    """By a messenger that was open at work and not captured on them, or by any."""

    title, parameter_name = f"not captured, {DAYS} days", "exposed"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return the messengers that were, and what stands for all of them."""
        told = exposure(utc_now()).by_messenger
        uncaptured = [one for one, amount in told.items() if one and amount.uncaptured_seconds]
        if not uncaptured:
            return [(ANY, "any messenger")]
        known = in_use()
        names = sorted(((one, known.name_of(one)) for one in uncaptured), key=lambda pair: pair[1].casefold())
        return [(ANY, "any messenger"), *names]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list."""
        if not self.value():
            return queryset
        open_ones = exposed(utc_now(), None if self.value() == ANY else self.value())
        return queryset.filter(Exists(open_ones.filter(device=OuterRef("pk"))))


class ProfileFilter(SimpleListFilter):
    """By the side on which a messenger was seen."""

    title, parameter_name = "side", "profile"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return the sides."""
        return list(PROFILES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list."""
        if not self.value() or {ChannelFilter.parameter_name, NeverStartedFilter.parameter_name} & {
            *request.GET
        }:
            return queryset  # with a messenger, its filter asks for the profile, too
        return queryset.filter(pk__in=ChannelSeen.objects.filter(profile=self.value()).values("device"))


class SerialFilter(SimpleListFilter):
    """By the policy that they hold."""

    title, parameter_name = "policy number", "serial"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Choices:
        """Return the numbers that devices hold, newest first."""
        held = sorted(distinct(Device, "policy_serial"), reverse=True)
        return [(str(number), str(number)) for number in held[:20]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        """Narrow the list; what is no number filters nothing."""
        serial = number_in(self.value() or "")
        return queryset if serial is None else queryset.filter(policy_serial=serial)


def never_started(messenger: str, profile: str | None) -> QuerySet[InstalledMessenger]:
    """Return where a messenger is installed and was never started; on any side without a profile."""
    unused = InstalledMessenger.objects.filter(
        messenger=messenger, is_there=True, is_started=False
    ).order_by()
    return unused.filter(profile=profile) if profile else unused


def known_count(query: QueryDict, counted: Figures) -> int | None:
    """Return how many devices an address leads to, where that needs no counting of devices; None where it does."""
    narrowing = _narrowing(query)
    match narrowing:
        case {"standing": standing} if len(narrowing) == 1 and standing in counted.standings:
            return counted.standings[standing]
        case {"messenger": messenger, "profile": profile} if len(narrowing) == 2 and messenger and profile:
            return ChannelSeen.objects.filter(messenger=messenger, profile=profile).count()
        case {"never_started": messenger, "profile": profile} if (
            len(narrowing) == 2 and messenger and profile
        ):
            return never_started(messenger, profile).count()
        case _:
            return None if narrowing else counted.devices


def kept_count(query: QueryDict, devices: QuerySet[Device]) -> int:
    """Return how many devices an address leads to, counted once a minute: for a large fleet, whose pages say that they do so."""
    narrowing = urlencode(sorted(_narrowing(query).items()))
    return int(
        cache.get_or_set(f"devices-{wire.digest(narrowing.encode())}", devices.count, KEPT_SECONDS) or 0
    )


def _narrowing(query: QueryDict) -> dict[str, str]:
    """Return what of an address makes the list shorter."""
    return {name: str(query[name]) for name in query if name not in {"p", "o"}}
