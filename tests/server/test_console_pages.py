"""What the console offers is exactly what is meant to be there."""

from django.contrib import admin


def test_the_console_has_pages_for_these_records_and_no_others() -> None:
    offered = {model._meta.label for model in admin.site._registry}
    assert offered == {
        "access.AuditEntry",
        "fleet.Device",
        "fleet.EnrolmentSecret",
        "policies.Publication",
    }
