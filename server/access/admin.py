"""The audit log in the console: to be read, and nothing else. People and their powers have no page."""

from datetime import datetime
from operator import itemgetter
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from server.access.actions import in_words
from server.access.audit import entries
from server.access.models import AuditEntry
from server.console.templatetags.console import moment
from server.distinct import distinct

# Their pages would change people and powers without a line in the audit log; the command line does it with one.
admin.site.unregister([User, Group])


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # the theme ships no types
    """Records that nobody changes by hand."""

    actions = None
    list_display_links = None
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody changes one."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes one."""
        return False


class ActionFilter(admin.SimpleListFilter):
    """By what was done."""

    title, parameter_name = "what", "action"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """Return what was done so far."""
        return sorted(((code, in_words(code)) for code in distinct(AuditEntry, "action")), key=itemgetter(1))

    def queryset(self, _request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Narrow the list."""
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what, newest first."""

    list_display = ("when", "who", "what", "about", "more", "address")
    list_filter = (ActionFilter,)
    show_full_result_count = False
    search_fields = ("actor", "subject", "detail", "address")

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *rest: Any, **others: Any
    ) -> "Paginator[AuditEntry]":
        """Return the pages; the whole log need not be counted from its beginning."""
        pages: Paginator[AuditEntry] = super().get_paginator(request, queryset, per_page, *rest, **others)
        if not set(request.GET) - {"p", "o"}:
            pages.count = entries()
        return pages

    @admin.display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> SafeString:
        """Show the time."""
        at: datetime = entry.at
        return moment(at)

    @admin.display(description="Who", ordering="actor")
    def who(self, entry: AuditEntry) -> SafeString:
        """Say who."""
        return format_html('<span class="clip short" title="{}">{}</span>', entry.actor, entry.actor)

    @admin.display(description="What", ordering="action")
    def what(self, entry: AuditEntry) -> SafeString:
        """Say what was done; the code on hover."""
        return format_html(
            '<span class="strong whole" title="{}">{}</span>', entry.action, in_words(entry.action)
        )

    @admin.display(description="About", ordering="subject")
    def about(self, entry: AuditEntry) -> SafeString:
        """Say to what."""
        return format_html('<span class="clip short" title="{}">{}</span>', entry.subject, entry.subject)

    @admin.display(description="Detail")
    def more(self, entry: AuditEntry) -> SafeString:
        """Say more."""
        return format_html('<span class="clip short" title="{}">{}</span>', entry.detail, entry.detail)
