"""Requests in the console: the list of those that wait, each answered by one button."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from server.access.admin import ReadOnlyAdmin
from server.addresses import client_address
from server.conduct import requests
from server.conduct.models import EmployeeRequest
from server.console.templatetags.console import moment
from server.moments import utc_now


class AnsweredFilter(admin.SimpleListFilter):
    """Those that wait, unless all or the answered ones are asked for."""

    title, parameter_name = "state", "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """Return both states."""
        return [("waiting", "Waits"), ("answered", "Answered")]

    def queryset(
        self, _request: HttpRequest, queryset: QuerySet[EmployeeRequest]
    ) -> QuerySet[EmployeeRequest]:
        """Narrow the list."""
        if self.value() == "waiting":
            return queryset.filter(answered_at=None)
        return queryset.exclude(answered_at=None) if self.value() == "answered" else queryset


@admin.register(EmployeeRequest)
class RequestAdmin(ReadOnlyAdmin):
    """What people asked, newest first."""

    list_display = ("what", "words", "device_name", "asked", "state")
    list_filter = (AnsweredFilter,)
    list_select_related = ("device",)
    list_before_template = "console/requests_top.html"
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        """Add the address that notes an answer."""
        view = self.admin_site.admin_view(self.answered_view)
        return [
            path("<int:pk>/answered/", view, name="conduct_employeerequest_answered"),
            *super().get_urls(),
        ]

    def change_view(
        self, _request: HttpRequest, _object_id: str, *_args: Any, **_kwargs: Any
    ) -> HttpResponse:
        """Lead to the list; there is nothing more to see of a request."""
        return redirect("admin:conduct_employeerequest_changelist")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with the buttons for those who may answer."""
        self.may_answer = request.user.has_perm("conduct.change_employeerequest")
        response: HttpResponse = ModelAdmin.changelist_view(self, request, extra_context)
        return response

    def answered_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Note that a request was answered."""
        if request.method != "POST" or not request.user.has_perm("conduct.change_employeerequest"):
            raise PermissionDenied
        found = requests.answered(pk, request.user.get_username(), utc_now(), client_address(request))
        if found is None:
            self.message_user(request, "It was answered already, or is gone.", messages.WARNING)
        else:
            self.message_user(request, f"“{found}” is noted as answered.")
        return redirect(f"{reverse('admin:conduct_employeerequest_changelist')}?state=waiting")

    @admin.display(description="What")
    def what(self, asked: EmployeeRequest) -> SafeString:
        """Say what it is."""
        until = "" if asked.until is None else f" until {asked.until:%-d %B %Y}"
        return format_html('<span class="strong">{}</span><span class="quiet">{}</span>', asked, until)

    @admin.display(description="In their words")
    def words(self, asked: EmployeeRequest) -> SafeString:
        """Show what was written."""
        lines = ((line,) for line in asked.text.splitlines())
        return format_html('<div class="long">{}</div>', format_html_join("", "<p>{}</p>", lines))

    @admin.display(description="Device")
    def device_name(self, asked: EmployeeRequest) -> SafeString:
        """Lead to the device."""
        link = reverse("admin:fleet_device_change", args=[asked.device_id])
        return format_html('<a class="clip" title="{}" href="{}">{}</a>', asked.device, link, asked.device)

    @admin.display(description="Asked")
    def asked(self, asked: EmployeeRequest) -> SafeString:
        """Show when."""
        at: datetime = asked.asked_at
        return moment(at)

    @admin.display(description="State")
    def state(self, asked: EmployeeRequest) -> SafeString:
        """Say who has answered it, or offer to note that."""
        if asked.answered_at is not None:
            return format_html("Answered {} by {}", moment(asked.answered_at), asked.answered_by)
        if not self.may_answer:
            return format_html("{}", "Waits")
        link = reverse("admin:conduct_employeerequest_answered", args=[asked.pk])
        return format_html(
            '<button class="quiet-button" form="changelist-form" formaction="{}">Note as answered</button>',
            link,
        )
