"""The form for an enrolment secret."""

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from server.console.sent_forms import OnceForm
from server.fleet.secrets import DAYS_AT_MOST, USES_AT_MOST, Wish


class SecretForm(OnceForm):
    """What a secret shall be good for."""

    note = forms.CharField(
        label="For",
        max_length=200,
        required=False,
        help_text="Such as a team, a batch of machines, or a person.",
        widget=UnfoldAdminTextInputWidget(),
    )
    uses = forms.IntegerField(
        label="Devices",
        min_value=1,
        max_value=USES_AT_MOST,
        initial=1,
        help_text="How many devices it takes in.",
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    days = forms.IntegerField(
        label="Days",
        min_value=1,
        max_value=DAYS_AT_MOST,
        initial=7,
        help_text="How long it holds.",
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def wish(self) -> Wish:
        """Return what a valid form asks for."""
        data = self.cleaned_data
        return Wish(uses=data["uses"], days=data["days"], note=data["note"])
