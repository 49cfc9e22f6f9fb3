"""Administrators, made on the command line by whoever may read the state folder."""

from datetime import datetime
from typing import Literal

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from server.access import audit
from server.errors import RequestError

Outcome = Literal["created", "password_changed", "unchanged"]


def make_administrator(name: str, password: str | None, now: datetime) -> Outcome:
    """Make a person an administrator, with a password or without.

    Raises:
        RequestError: a name that cannot be used or belongs to somebody else, or too weak a password.
    """
    user = User.objects.filter(username=name).first()
    if user is not None and not (user.is_superuser and user.is_active):
        raise RequestError(f"{name} is known, but not as an administrator.", "Choose another name.")
    if user is not None and password is None:
        return "unchanged"
    outcome: Outcome = "created" if user is None else "password_changed"
    user = user or User(username=name, is_staff=True, is_superuser=True)
    try:
        user.username_validator(name)
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise RequestError(" ".join(error.messages), "Choose another.") from error
    user.set_password(password)
    with transaction.atomic():
        user.save()
        action = "person.created" if outcome == "created" else "person.password_changed"
        audit.record(now, audit.COMMAND_LINE, action, name, "administrator")
    return outcome


def person(name: str) -> User:
    """Return somebody who may sign in.

    Raises:
        RequestError: nobody is called so.
    """
    user = User.objects.filter(username=name, is_active=True, is_staff=True).first()
    if user is None:
        raise RequestError(f"Nobody called {name} may sign in.", "Run `decorum-server create-admin` first.")
    return user
