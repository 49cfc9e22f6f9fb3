"""How the console looks: colours, mark and navigation, for django-unfold."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

LOOK: dict[str, Any] = {
    "SITE_TITLE": "Decorum",
    "SITE_HEADER": "Decorum",
    "SITE_SUBHEADER": "Messaging within policy",
    "SITE_URL": None,
    "SITE_ICON": lambda _request: static("console/mark.svg"),
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
}
_ = reverse_lazy
