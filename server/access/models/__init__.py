"""What is kept of people."""

from server.access.models.audit import AuditEntry
from server.access.models.login import FailedSignIn, LoginLink

__all__ = ["AuditEntry", "FailedSignIn", "LoginLink"]
