"""How the console looks: colours, mark and navigation, for django-unfold."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may(permission: str) -> Any:
    def allowed(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return allowed


def _item(title: str, icon: str, route: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{route}"),
        "permission": _may(permission),
    }


LOOK: dict[str, Any] = {
    "SITE_TITLE": "Decorum",
    "SITE_HEADER": "Decorum",
    "SITE_SUBHEADER": "Messaging in line with policy",
    "SITE_URL": None,
    "SITE_ICON": lambda _request: static("console/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("console/mark.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda _request: static("console/console.css")],
    "SCRIPTS": [lambda _request: static("console/console.js")],
    "COLORS": {
        "primary": {
            "50": "oklch(97.3% .012 230)",
            "100": "oklch(94.2% .028 230)",
            "200": "oklch(89% .052 230)",
            "300": "oklch(81% .085 231)",
            "400": "oklch(71% .112 233)",
            "500": "oklch(60% .118 236)",
            "600": "oklch(50% .108 238)",
            "700": "oklch(43% .092 239)",
            "800": "oklch(37% .076 240)",
            "900": "oklch(31% .06 241)",
            "950": "oklch(23% .045 242)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": "Overview", "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
                    _item("Devices", "devices", "fleet_device_changelist", "fleet.view_device"),
                    _item(
                        "Policies", "policy", "policies_publication_changelist", "policies.view_publication"
                    ),
                    _item(
                        "Requests",
                        "inbox",
                        "conduct_employeerequest_changelist",
                        "conduct.view_employeerequest",
                    ),
                    _item(
                        "Unlisted messengers",
                        "rule",
                        "unlisted_review",
                        "policies.add_cataloguepublication",
                    ),
                    _item(
                        "Capture connectors",
                        "archive",
                        "records_connector_changelist",
                        "records.view_connector",
                    ),
                    _item(
                        "Enrolment secrets",
                        "key",
                        "fleet_enrolmentsecret_changelist",
                        "fleet.view_enrolmentsecret",
                    ),
                    _item("Audit log", "history", "access_auditentry_changelist", "access.view_auditentry"),
                ],
            },
        ],
    },
}
