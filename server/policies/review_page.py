"""The console's page on which a person decides of messengers that no list knows whether they are any."""

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
from contract.policy import Policy, parse_published
from server.addresses import client_address
from server.errors import CatalogueFaultsError, RequestError
from server.fleet import unlisted
from server.identity import identity_in
from server.moments import utc_now
from server.policies import catalogues, publishing, reviewing
from server.policies.catalogues import Published
from server.policies.reviewing import By, Wish

_MADE_FOR = (("both", "both"), ("business", "business"), ("consumer", "private use"))
PERMISSION = "policies.add_cataloguepublication"


class Refused(msgspec.Struct, frozen=True):
    """What could not be done, with which messenger, and what was written for it."""

    messenger: str
    error: DecorumError
    findings: tuple[str, ...]
    wish: Wish
    is_waiting: bool
    """Whether it stands on the page among what waits."""


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """Show what waits; take a decision, which is published at once."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, None)
    messenger = request.POST.get("messenger", "")
    wish = Wish(**{name: request.POST.get(name, "").strip() for name in Wish.__struct_fields__})
    by = By(request.user.get_username(), identity_in(settings.STATE), utc_now(), client_address(request))
    try:
        published = _decide(request.POST.get("do", ""), messenger, wish, by)
    except DecorumError as error:
        findings = error.findings if isinstance(error, CatalogueFaultsError) else ()
        waits = messenger in {one.messenger for one in reviewing.queue().waiting}
        return _page(request, Refused(messenger, error, findings, wish, waits))
    messages.success(
        request, f"{published.publication} is published; devices take it at their next check-in."
    )
    if rule := _rule_of_its_own(messenger):
        messages.warning(
            request,
            f"The policy in force has a rule for {messenger} ({rule}). Write it for the messenger's new id, or it holds no more.",
        )
    return redirect("admin:unlisted_review")


def _decide(do: str, messenger: str, wish: Wish, by: By) -> Published:
    match do:
        case "add":
            return reviewing.add(messenger, wish, by)
        case "never":
            return reviewing.dismiss(messenger, by)
        case "take_back":
            return reviewing.take_back(messenger, by)
        case _:
            raise RequestError("The form does not say what to do.", "Use the buttons of this page.")


def _rule_of_its_own(messenger: str) -> str:
    """Return the rule that the policy in force has for this id, where the catalogue has another for it now."""
    policy = _in_force()
    if policy is None or messenger not in {one.messenger for one in reviewing.queue().added}:
        return ""
    return next((rule.id for rule in policy.channels if rule.messenger == messenger), "")


def _in_force() -> Policy | None:
    publication = publishing.current()
    try:
        return None if publication is None else parse_published(publication.text)
    except MalformedError:
        return None  # the page of the policy itself says so


def _page(request: HttpRequest, refused: Refused | None) -> TemplateResponse:
    policy, newest = _in_force(), catalogues.newest_version()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Unlisted messengers",
        "queue": reviewing.queue(),
        "refused": refused,
        "newest": newest,
        "using": unlisted.devices_using(newest),
        "kinds": _MADE_FOR,
        "listed": sorted(
            (entry.name, messenger) for messenger, entry in catalogues.in_use().messengers.items()
        ),
        "is_enforced": policy is not None and policy.enforce_unlisted,
    }
    return TemplateResponse(request, "console/review.html", context, status=422 if refused else 200)
