"""Capture connectors in the console: who is heard, each one's story, and their tokens, each shown once."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from server.addresses import client_address
from server.console import sent_forms
from server.console.present import CONNECTORS
from server.console.templatetags.console import NOTHING, moment, shown
from server.errors import RequestError
from server.identity import identity_in
from server.moments import utc_now
from server.numbers import number_in
from server.records import connectors, pages
from server.records.forms import ConnectorForm, TokenForm
from server.records.models import Connector
from server.records.models.connector import KINDS
from server.records.rules import limit_of, rules_in_force

SENT_AGAIN = (
    "The form was sent twice, and made one token. It was shown that once: if it is lost, make another."
)


@admin.register(Connector)
class ConnectorAdmin(ModelAdmin):  # type: ignore[misc]  # the theme ships no types
    """Connectors: made, heard, given another token, revoked."""

    list_display = ("standing", "connector", "kind_word", "retains", "named_by", "heard", "token")
    list_display_links = None
    list_before_template = "console/connectors_top.html"
    list_per_page = 50
    actions = None

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """A connector is revoked, not deleted: its story stays."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that give another token and take one back."""
        view = self.admin_site.admin_view
        own = [
            path("<str:pk>/token/", view(self.token_view), name="records_connector_token"),
            path("<str:pk>/revoke/", view(self.revoke_view), name="records_connector_revoke"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, with what the policy counts on and is not heard."""
        self.now, self.rules = utc_now(), rules_in_force()
        extra = {"lacking": pages.lacking(self.now), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, extra)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, *_args: Any, **_kwargs: Any
    ) -> TemplateResponse:
        """Show a connector's story."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = pages.connector_page(_found(object_id), may_change=self.has_change_permission(request))
        context = {**self.admin_site.each_context(request), **page, "form": TokenForm()}
        return TemplateResponse(request, "console/connector.html", context)

    def add_view(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """Make a connector and show its token this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ConnectorForm(request.POST or None, named=request.GET.get("name", "")[:200])
        context = {**self.admin_site.each_context(request), "title": "New capture connector", "form": form}
        if request.method == "POST" and form.is_valid():
            form_id, wish = form.cleaned_data["form_id"].hex, form.wish()
            if sent_forms.was_sent(request, form_id):
                self.message_user(request, SENT_AGAIN, messages.WARNING)
                return redirect("admin:records_connector_changelist")
            try:
                context |= pages.made(connectors.make(wish, *_by(request)), wish.name, wish.days)
                sent_forms.remember(request, form_id)
            except RequestError as error:
                form.add_error("name", f"{error.detail} {error.remedy}")
        return TemplateResponse(request, "console/new_connector.html", context)

    def token_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Give a connector another token and show it this once."""
        connector, form = _to_change(request, pk), TokenForm(request.POST)
        if not form.is_valid():
            self.message_user(request, f"Choose 1 to {connectors.DAYS_AT_MOST} days.", messages.ERROR)
            return redirect("admin:records_connector_change", connector.pk)
        form_id, days = form.cleaned_data["form_id"].hex, form.cleaned_data["days"]
        if sent_forms.was_sent(request, form_id):
            self.message_user(request, SENT_AGAIN, messages.WARNING)
            return redirect("admin:records_connector_change", connector.pk)
        token = connectors.renew(connector, days, *_by(request))
        sent_forms.remember(request, form_id)
        page = {"title": "New token", **pages.made(token, connector.name, days)}
        context = {**self.admin_site.each_context(request), **page}
        return TemplateResponse(request, "console/new_connector.html", context)

    def revoke_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Take a connector's token back."""
        connector = _to_change(request, pk)
        connectors.revoke(connector, request.user.get_username(), utc_now(), client_address(request))
        told = f"The token of “{connector}” was taken back. Nothing that it retains counts as captured now."
        self.message_user(request, told)
        return redirect("admin:records_connector_change", connector.pk)

    @admin.display(description="State")
    def standing(self, connector: Connector) -> SafeString:
        """Show the state as shape and word."""
        return shown(CONNECTORS[connector.state(self.now, limit_of(connector.name, self.rules))])

    @admin.display(description="Connector", ordering="name")
    def connector(self, connector: Connector) -> SafeString:
        """Lead to its story."""
        link = reverse("admin:records_connector_change", args=(connector.pk,))
        return format_html('<a class="strong clip" href="{}" title="{}">{}</a>', link, connector, connector)

    @admin.display(description="Kind", ordering="kind")
    def kind_word(self, connector: Connector) -> str:
        """Say how it gets hold of messages."""
        return KINDS.get(connector.kind, connector.kind)

    @admin.display(description="Says it retains")
    def retains(self, connector: Connector) -> SafeString:
        """Say whose messages it says it retains."""
        told = pages.covered(connector) or NOTHING
        return format_html('<span class="clip" title="{}">{}</span>', told, told)

    @admin.display(description="Policy names it for")
    def named_by(self, connector: Connector) -> SafeString:
        """Say for which messengers the policy in force names it."""
        told = ", ".join(rule.name for rule in pages.rules_for(connector, self.rules)) or "nothing"
        return format_html('<span class="clip" title="{}">{}</span>', told, told)

    @admin.display(description="Last heard", ordering="last_heard_at")
    def heard(self, connector: Connector) -> SafeString:
        """Say when it was last heard."""
        return moment(connector.last_heard_at)

    @admin.display(description="Token", ordering="expires_at")
    def token(self, connector: Connector) -> SafeString:
        """Say whether its token opens, and until when."""
        state = connector.token_state(self.now)
        if state != "open":
            return format_html('<span class="flag">{}</span>', state)
        word = "flag" if pages.ends_soon(connector, self.now) else "quiet"
        return format_html('<span class="{}">ends</span> {}', word, moment(connector.expires_at))


def _by(request: HttpRequest) -> tuple[str, str, datetime, str]:
    """Return who asks, of which tenant, when and from where."""
    tenant = identity_in(settings.STATE).tenant.id
    return request.user.get_username(), tenant, utc_now(), client_address(request)


def _found(pk: str) -> Connector:
    number = number_in(pk)
    connector = None if number is None else Connector.objects.filter(pk=number).first()
    if connector is None:
        raise Http404
    return connector


def _to_change(request: HttpRequest, pk: str) -> Connector:
    """Return a connector that this request may change.

    Raises:
        PermissionDenied: no form, or nobody who may.
        Http404: there is none.
    """
    if request.method != "POST" or not request.user.has_perm("records.change_connector"):
        raise PermissionDenied
    return _found(pk)
