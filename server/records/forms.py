"""The forms for a capture connector and for another token of it."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from server.console.sent_forms import OnceForm
from server.records.connectors import DAYS_AT_MOST, Wish
from server.records.models.connector import KINDS


class TokenForm(OnceForm):
    """For how long a token shall hold."""

    days = forms.IntegerField(
        label="Days",
        min_value=1,
        max_value=DAYS_AT_MOST,
        initial=180,
        help_text="How long its token holds. Make a new one before it ends, or its channels stop being captured.",
        widget=UnfoldAdminIntegerFieldWidget(),
    )


class ConnectorForm(TokenForm):
    """A connector that shall be able to report."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        help_text="Exactly as the policy's capture rules name it.",
        widget=UnfoldAdminTextInputWidget(),
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=list(KINDS.items()),
        help_text="How it gets hold of the messages. It is told to nobody but you.",
        widget=UnfoldAdminSelectWidget(),
    )
    field_order = ("name", "kind", "days")

    def __init__(self, *args: Any, named: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = named

    def wish(self) -> Wish:
        """Return what a valid form asks for."""
        data = self.cleaned_data
        return Wish(name=data["name"], kind=data["kind"], days=data["days"])
