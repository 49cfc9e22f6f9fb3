"""Devices and enrolment secrets in the console."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from server.access import audit
from server.access.admin import ReadOnlyAdmin
from server.addresses import client_address
from server.console import present, sent_forms
from server.console.templatetags.console import moment, standing
from server.fleet import device_keys, holdings, revocation, secrets
from server.fleet.figures import figures
from server.fleet.filters import (
    ChannelFilter,
    ExposureFilter,
    NeverStartedFilter,
    OwnershipFilter,
    ProfileFilter,
    SerialFilter,
    StandingFilter,
    kept_count,
    known_count,
)
from server.fleet.flags import flags
from server.fleet.forms import SecretForm
from server.fleet.models import Device, EnrolmentSecret
from server.fleet.pages import device_page, made_secret
from server.fleet.standing import standing_of
from server.moments import utc_now
from server.policies import publishing

SENT_AGAIN = "The form was sent twice, and made one secret. It was shown that once: if it is lost, take it back and make another."


class DeviceList(ChangeList):  # type: ignore[misc]  # the theme ships no types
    """The list of devices; how many there are in all was counted with the standings."""

    def get_results(self, request: HttpRequest) -> None:
        """Count and fetch a page."""
        super().get_results(request)
        self.full_result_count = request.figures.devices  # type: ignore[attr-defined]  # see `changelist_view`


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """The fleet as a list, and each device's story."""

    list_display = ("standing", "device", "ownership_word", "system", "policy", "heard", "odd")
    list_filter = (
        StandingFilter,
        OwnershipFilter,
        ChannelFilter,
        NeverStartedFilter,
        ExposureFilter,
        ProfileFilter,
        SerialFilter,
    )
    list_before_template = "console/standings.html"
    search_fields = ("name", "id")
    show_full_result_count = False
    ordering = ("name", "id")

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that tell what is held of a device, take it out, let it back in, and let it replace another."""
        view = self.admin_site.admin_view
        own = [
            path("<str:pk>/holdings/", view(self.holdings_view), name="fleet_device_holdings"),
            path("<str:pk>/revoke/", view(self.revoke_view), name="fleet_device_revoke"),
            path("<str:pk>/ask-key/", view(self.ask_key_view), name="fleet_device_ask_key"),
            path("<str:pk>/let-back/", view(self.let_back_view), name="fleet_device_let_back"),
            path("<str:pk>/replace/<str:old>/", view(self.replace_view), name="fleet_device_replace"),
        ]
        return [*own, *super().get_urls()]

    def holdings_view(self, request: HttpRequest, pk: str) -> StreamingHttpResponse:
        """Give what is held of a device as a file, for whoever asks for their data."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        device, now = get_object_or_404(Device, pk=pk), utc_now()
        actor, address = request.user.get_username(), client_address(request)
        audit.record(now, actor, "device.holdings_given", f"device {device.pk}", str(device), address)
        answer = StreamingHttpResponse(holdings.as_json(device), content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="decorum-{device.pk}.json"'
        return answer

    def revoke_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Take a device out."""
        device = _to_change(request, pk)
        revocation.revoke(device, request.user.get_username(), utc_now(), client_address(request))
        self.message_user(request, f"“{device}” was taken out. It is refused from its next word on.")
        return redirect("admin:fleet_device_change", device.pk)

    def ask_key_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Ask a device for a new key."""
        device = _to_change(request, pk)
        actor, address = request.user.get_username(), client_address(request)
        device_keys.ask_for_change(device, actor, utc_now(), address)
        self.message_user(request, f"“{device}” is asked for a new key at its next check-in.")
        return redirect("admin:fleet_device_change", device.pk)

    def let_back_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Let a device back in."""
        device = _to_change(request, pk)
        revocation.let_back(device, request.user.get_username(), utc_now(), client_address(request))
        self.message_user(request, f"“{device}” was let back in.")
        return redirect("admin:fleet_device_change", device.pk)

    def replace_view(self, request: HttpRequest, pk: str, old: str) -> HttpResponse:
        """Let a device take the place of another record of the same machine."""
        device, other = _to_change(request, pk), _to_change(request, old)
        if other not in revocation.same_machine(device):
            raise Http404
        revocation.replace(other, device, request.user.get_username(), utc_now(), client_address(request))
        self.message_user(request, f"This record took the place of {other.pk[:8]}.")
        return redirect("admin:fleet_device_change", device.pk)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with the standings that lead to parts of it."""
        newest = publishing.current()
        self.current_serial = 0 if newest is None else newest.serial
        request.figures = figures(utc_now())  # type: ignore[attr-defined]  # for this request alone
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *rest: Any, **others: Any
    ) -> "Paginator[Device]":
        """Return the pages; the length of a list that one thing narrows is known already, or found more easily."""
        pages: Paginator[Device] = super().get_paginator(request, queryset, per_page, *rest, **others)
        known = known_count(request.GET, request.figures)  # type: ignore[attr-defined]  # see `changelist_view`
        if known is not None:
            pages.count = known
        elif request.figures.counted_at is not None:  # type: ignore[attr-defined]  # alike
            pages.count = kept_count(request.GET, queryset)
        return pages

    def get_changelist(self, _request: HttpRequest, **_kwargs: Any) -> type[DeviceList]:
        """Return the list that knows how long it is."""
        return DeviceList

    def change_view(
        self, request: HttpRequest, object_id: str, *_args: Any, **_kwargs: Any
    ) -> TemplateResponse:
        """Show a device's story."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        device = Device.objects.select_related("enrolled_with").filter(pk=object_id).first()
        if device is None:
            raise Http404
        return TemplateResponse(
            request,
            "console/device.html",
            {**self.admin_site.each_context(request), **device_page(request, device)},
        )

    @admin.display(description="State", ordering="state")
    def standing(self, device: Device) -> SafeString:
        """Show the state as shape and word."""
        return standing(standing_of(device, utc_now()))

    @admin.display(description="Device", ordering="name")
    def device(self, device: Device) -> SafeString:
        """Lead to its story."""
        link = reverse("admin:fleet_device_change", args=(device.pk,))
        return format_html('<a class="strong clip" href="{}" title="{}">{}</a>', link, device, device)

    @admin.display(description="Ownership", ordering="ownership")
    def ownership_word(self, device: Device) -> str:
        """Say who owns it."""
        return present.OWNERSHIPS.get(device.ownership, device.ownership)

    @admin.display(description="System", ordering="platform")
    def system(self, device: Device) -> SafeString:
        """Say what runs there."""
        name = present.PLATFORMS.get(device.platform, device.platform)
        return format_html('<span class="whole">{}, {}</span>', name, device.version)

    @admin.display(description="Policy", ordering="policy_serial")
    def policy(self, device: Device) -> str:
        """Say the number of the policy it holds."""
        return str(device.policy_serial) if device.policy_serial else "none yet"

    @admin.display(description="Last check-in", ordering="last_check_in_at")
    def heard(self, device: Device) -> SafeString:
        """Say when it was last heard."""
        return moment(device.last_check_in_at)

    @admin.display(description="Remarks")
    def odd(self, device: Device) -> SafeString:
        """Say what stands out."""
        found = flags(device, self.current_serial)
        return format_html_join(
            " ", '<span class="flag" title="{}">{}</span>', ((flag.sentence, flag.word) for flag in found)
        )


@admin.register(EnrolmentSecret)
class SecretAdmin(ModelAdmin):  # type: ignore[misc]  # the theme ships no types
    """Enrolment secrets: made, shown once, taken back."""

    list_display = ("label", "used", "state", "ends", "made", "created_by", "take_back")
    list_display_links = None
    list_before_template = "console/new_secret.html"
    list_per_page = 50
    actions = None

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """A secret is never changed."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """A secret is taken back, not deleted: its devices remember it."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the address that takes one back."""
        take_back = self.admin_site.admin_view(self.take_back_view)
        own = [path("<int:pk>/take-back/", take_back, name="fleet_enrolmentsecret_take_back")]
        return [*own, *super().get_urls()]

    def change_view(
        self, _request: HttpRequest, _object_id: str, *_args: Any, **_kwargs: Any
    ) -> HttpResponse:
        """Lead to the list; there is nothing more to see of a secret."""
        return redirect("admin:fleet_enrolmentsecret_changelist")

    def add_view(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """Make a secret and show it this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SecretForm(request.POST or None)
        context = {**self.admin_site.each_context(request), "title": "New enrolment secret", "form": form}
        if request.method == "POST" and form.is_valid():
            form_id = form.cleaned_data["form_id"].hex
            if sent_forms.was_sent(request, form_id):
                self.message_user(request, SENT_AGAIN, messages.WARNING)
                return redirect("admin:fleet_enrolmentsecret_changelist")
            context |= made_secret(request, form.wish())
            sent_forms.remember(request, form_id)
        return TemplateResponse(request, "console/secret.html", context)

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a secret back."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        secret = EnrolmentSecret.objects.filter(pk=pk).first()
        if secret is None:
            raise Http404
        secrets.revoke(secret, request.user.get_username(), utc_now(), client_address(request))
        self.message_user(request, f"“{secret}” was taken back; devices that it took in stay.")
        return redirect("admin:fleet_enrolmentsecret_changelist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnrolmentSecret]:
        """Return all, newest first."""
        found: QuerySet[EnrolmentSecret] = super().get_queryset(request)
        return found

    @admin.display(description="For")
    def label(self, secret: EnrolmentSecret) -> SafeString:
        """Say what it is for."""
        return format_html('<span class="strong clip" title="{}">{}</span>', secret, secret)

    @admin.display(description="Devices")
    def used(self, secret: EnrolmentSecret) -> str:
        """Say how many it has taken in."""
        return f"{secret.uses} of {secret.uses_at_most}"

    @admin.display(description="State")
    def state(self, secret: EnrolmentSecret) -> str:
        """Say whether it still opens."""
        return secret.state(utc_now())

    @admin.display(description="Ends")
    def ends(self, secret: EnrolmentSecret) -> SafeString:
        """Say until when it holds."""
        return moment(secret.expires_at)

    @admin.display(description="Made")
    def made(self, secret: EnrolmentSecret) -> SafeString:
        """Say when it was made."""
        return moment(secret.created_at)

    @admin.display(description="")
    def take_back(self, secret: EnrolmentSecret) -> SafeString | str:
        """Offer to take it back."""
        if secret.state(utc_now()) != "open":
            return ""
        link = reverse("admin:fleet_enrolmentsecret_take_back", args=(secret.pk,))
        return format_html(
            '<button class="quiet-button" form="changelist-form" formaction="{}">Take back</button>', link
        )


def _to_change(request: HttpRequest, pk: str) -> Device:
    """Return a device that this request may change.

    Raises:
        PermissionDenied: no form, or nobody who may.
        Http404: there is none.
    """
    if request.method != "POST" or not request.user.has_perm("fleet.change_device"):
        raise PermissionDenied
    device = Device.objects.filter(pk=pk).first()
    if device is None:
        raise Http404
    return device
