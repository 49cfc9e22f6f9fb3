"""What is kept of conduct."""

from server.conduct.models.request import EmployeeRequest

__all__ = ["EmployeeRequest"]
