"""The console as a Django admin site with a first page of its own."""

from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from server.addresses import client_address
from server.moments import utc_now

FIRST_LISTS = {
    "fleet": "fleet_device",
    "policies": "policies_publication",
    "conduct": "conduct_employeerequest",
    "records": "records_connector",
    "access": "access_auditentry",
}


class Console(UnfoldAdminSite):  # type: ignore[misc]  # the theme ships no types
    """The console: for signed-in staff, each page for those who have its permission."""

    index_title = "Overview"
    login_template = "console/login.html"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        # Django builds its site before models are ready, so the form, which needs them, comes here.
        from server.access.forms import SignInForm  # noqa: PLC0415

        self.login_form = SignInForm
        super().__init__(name)

    def extra_urls(self) -> list[URLPattern]:
        """Return the addresses of pages that are no lists of records."""
        from server.policies.review_page import review  # noqa: PLC0415 - models are ready only now
        from server.policies.views import edit  # noqa: PLC0415 - alike

        return [
            path("policies/edit/", self.admin_view(edit), name="policy_edit"),
            path("policies/unlisted/", self.admin_view(review), name="unlisted_review"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the answers that a person comes for."""
        from server.console.overview import overview  # noqa: PLC0415 - alike

        context = {
            **self.each_context(request),
            "title": self.index_title,
            "overview": overview(utc_now()) if request.user.has_perm("fleet.view_device") else None,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "console/overview.html", context)

    def app_index(
        self, _request: HttpRequest, app_label: str, _extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead from the folder in an address to the list that stands for it."""
        return redirect(f"admin:{FIRST_LISTS[app_label]}_changelist")

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Let people change their own password, and write down that they did."""
        from server.access import audit  # noqa: PLC0415 - alike

        with transaction.atomic():
            response: HttpResponse = super().password_change(request, extra_context)
            if response.status_code == HTTPStatus.FOUND:
                name, address = request.user.get_username(), client_address(request)
                audit.record(utc_now(), name, "person.password_changed", name, "in the console", address)
        return response
