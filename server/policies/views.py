"""Composing a policy: text on one side, what people will read on the other."""

from typing import Any

import msgspec
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from contract.errors import DecorumError, MalformedError
from server.addresses import client_address
from server.identity import identity_in
from server.moments import utc_now
from server.numbers import number_in
from server.policies import checking, composing, publishing
from server.policies.reading import Document, read_out
from server.policies.templates import TITLES


class Outcome(msgspec.Struct, frozen=True):
    """What checking a text found."""

    error: DecorumError | None = None
    path: str = ""
    remarks: tuple[str, ...] = ()
    document: Document | None = None


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """Edit, check and publish; every check saves the draft."""
    if not request.user.has_perm("policies.add_publication"):
        raise PermissionDenied
    company = identity_in(settings.STATE).tenant.company
    kept = composing.draft()
    revision = 0 if kept is None else kept.revision
    if request.method != "POST":
        text = composing.start_text(request.GET.get("start", ""), company)
        outcome = _checked(text, _language(request)) if text else Outcome()
        return _page(request, text, revision, outcome)
    # A form's lines end in CR LF (HTML, 4.10.21.4); the text that is digested has plain lines.
    text = request.POST.get("text", "").replace("\r\n", "\n")
    try:
        actor = request.user.get_username()
        saved = composing.save(text, _revision(request), actor, utc_now())
    except DecorumError as error:
        return _page(request, text, revision, Outcome(error))
    outcome = _checked(text, _language(request))
    if request.POST.get("do") == "publish" and outcome.error is None:
        return _publish(request, text, saved.revision)
    return _page(request, text, saved.revision, outcome)


def _checked(text: str, language: str) -> Outcome:
    try:
        checked = checking.check(text)
    except MalformedError as error:
        return Outcome(error, path=error.path)
    return Outcome(remarks=checked.remarks, document=read_out(checked.policy, language))


def _publish(request: HttpRequest, text: str, revision: int) -> HttpResponse:
    actor, identity = request.user.get_username(), identity_in(settings.STATE)
    try:
        published = publishing.publish(text, actor, identity, utc_now(), client_address(request))
    except DecorumError as error:
        return _page(request, text, revision, Outcome(error))
    if published.is_new:
        messages.success(
            request, f"{published.publication} is published; devices take it at their next check-in."
        )
    else:
        messages.info(
            request, f"{published.publication} holds this very text already; nothing was published."
        )
    return redirect("admin:policies_publication_change", published.publication.serial)


def _page(request: HttpRequest, text: str, revision: int, outcome: Outcome) -> TemplateResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Compose a policy",
        "text": text,
        "revision": revision,
        "outcome": outcome,
        "document": outcome.document,
        "models": TITLES.items(),
        "in_force": publishing.current(),
        "language": _language(request),
    }
    status = 200 if outcome.error is None or not outcome.path else 422
    return TemplateResponse(request, "console/compose_policy.html", context, status=status)


def _language(request: HttpRequest) -> str:
    return (request.POST.get("language") or request.GET.get("language") or "")[:20]


def _revision(request: HttpRequest) -> int:
    revision = number_in(request.POST.get("revision", ""))
    return -1 if revision is None else revision
