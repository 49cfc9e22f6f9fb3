"""Forms that make something which is shown once: a form that is sent twice, as by a reload, makes it once."""

from uuid import uuid4

from django import forms
from django.http import HttpRequest

_REMEMBERED = 20
_KEY = "sent_forms"


class OnceForm(forms.Form):
    """A form that makes something; `console/form_fields.html` draws it."""

    form_id = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput())
    """Tells a form that is sent twice, as by a reload, from two forms."""


def was_sent(request: HttpRequest, form_id: str) -> bool:
    """Tell whether this session sent a form before that made something."""
    return form_id in request.session.get(_KEY, [])


def remember(request: HttpRequest, form_id: str) -> None:
    """Remember that a form made something."""
    request.session[_KEY] = [*request.session.get(_KEY, []), form_id][-_REMEMBERED:]
