"""The audit log in the console: to be read, and nothing else. People and their powers have no page."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from server.access.actions import in_words
from server.access.models import AuditEntry
from server.console.templatetags.console import moment

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


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what, newest first."""

    list_display = ("when", "who", "what", "about", "more", "address")
    list_filter = ("action",)
    search_fields = ("actor", "subject", "detail", "address")

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
