"""The form with which people sign in; too many failures, and the next must wait."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from server.access import audit, throttle
from server.addresses import client_address
from server.moments import utc_now


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # the theme ships no types
    """Name and password."""

    def clean(self) -> dict[str, Any]:
        """Check both, unless too many attempts have failed lately.

        Raises:
            ValidationError: wrong, or too many were.
        """
        name, now = str(self.cleaned_data.get("username", "")), utc_now()
        address = client_address(self.request)
        if throttle.must_wait(name, address, now):
            audit.record_rarely(now, "somebody", "sign_in.throttled", address, "", address)
            raise ValidationError("Too many sign-ins have failed. Wait a quarter of an hour, then try again.")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            throttle.failed(name, address, now)
            audit.record_rarely(now, "somebody", "sign_in.failed", address, "", address)
            raise
        if self.get_user() is None:
            return cleaned  # a field was left out, and says so itself; nobody has proven anything
        throttle.succeeded(name)
        audit.record(now, name, "person.signed_in", name, "by password", address)
        return cleaned
