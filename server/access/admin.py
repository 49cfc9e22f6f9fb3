"""The audit log in the console: to be read, and nothing else."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from server.access.models import AuditEntry
from server.console.templatetags.console import moment


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # the theme ships no types
    """Records that nobody changes by hand."""

    actions = None
    list_display_links = None
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody changes one."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes one."""
        return False


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what, newest first."""

    list_display = ("when", "actor", "action", "subject", "detail", "address")
    list_filter = ("action",)
    search_fields = ("actor", "subject", "detail", "address")

    @admin.display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> SafeString:
        """Show the time."""
        at: datetime = entry.at
        return moment(at)
