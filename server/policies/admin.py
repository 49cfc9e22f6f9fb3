"""Published policies in the console: a list, and each as people read it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from server.access.admin import ReadOnlyAdmin
from server.console.templatetags.console import in_force, moment
from server.numbers import number_in
from server.policies.models import Publication
from server.policies.publishing import current
from server.policies.reading import read_published


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    """What was published, newest first."""

    list_display = ("number", "name", "own_version", "state", "published", "how", "ends")
    list_before_template = "console/compose.html"
    ordering = ("-serial",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list."""
        newest = current()
        self.current_serial = 0 if newest is None else newest.serial
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, *_args: Any, **_kwargs: Any
    ) -> TemplateResponse:
        """Show one as people read it, with the text that it was made from."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        serial = number_in(object_id)
        publication = None if serial is None else Publication.objects.filter(pk=serial).first()
        if publication is None:
            raise Http404
        newest = current()
        context = {
            **self.admin_site.each_context(request),
            "title": "Published policy",
            "publication": publication,
            "is_current": newest is not None and newest.serial == publication.serial,
            "document": read_published(publication.text, request.GET.get("language", "")),
        }
        return TemplateResponse(request, "console/publication.html", context)

    @admin.display(description="Number", ordering="serial")
    def number(self, publication: Publication) -> int:
        """Show the serial."""
        return publication.serial

    @admin.display(description="Policy", ordering="title")
    def name(self, publication: Publication) -> SafeString:
        """Lead to its text."""
        link = reverse("admin:policies_publication_change", args=(publication.pk,))
        title = publication.title
        return format_html('<a class="strong clip" href="{}" title="{}">{}</a>', link, title, title)

    @admin.display(description="Version", ordering="version")
    def own_version(self, publication: Publication) -> int:
        """Show the author's own count."""
        return publication.version

    @admin.display(description="State")
    def state(self, publication: Publication) -> SafeString | str:
        """Say whether it is in force."""
        return in_force() if publication.pk == self.current_serial else "superseded"

    @admin.display(description="Published", ordering="issued_at")
    def published(self, publication: Publication) -> SafeString:
        """Say when."""
        return moment(publication.issued_at)

    @admin.display(description="By")
    def how(self, publication: Publication) -> str:
        """Say by whom."""
        return "renewed by the server" if publication.is_renewal else publication.published_by

    @admin.display(description="Ends", ordering="expires_at")
    def ends(self, publication: Publication) -> SafeString:
        """Say until when devices take it, unless it is renewed."""
        return moment(publication.expires_at)
