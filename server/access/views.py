"""Signing in by a one-time link."""

from django.contrib import admin
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from server.access import audit, login_links
from server.addresses import client_address
from server.moments import utc_now


@require_http_methods(["GET", "POST"])
def once(request: HttpRequest, token: str) -> HttpResponse:
    """Show whom the link signs in; only the form on that page uses it up, so that a preview of the link does not."""
    now = utc_now()
    if request.method == "POST":
        user = login_links.redeem(token, now)
        if user is not None:
            login(request, user)
            audit.record(
                now, user.username, "person.signed_in", user.username, "by link", client_address(request)
            )
            return redirect("admin:index")
    else:
        user = login_links.owner(token, now)
    status = 200 if user is not None else 410
    return TemplateResponse(
        request, "console/once.html", {**admin.site.each_context(request), "person": user}, status=status
    )
