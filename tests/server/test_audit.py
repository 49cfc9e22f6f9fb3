from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from server.access import audit
from server.access.actions import in_words
from server.access.models import AuditEntry
from server.errors import RequestError
from server.identity import Identity
from tests.server.conftest import FakeClock


@pytest.fixture
def entry(identity: Identity, clock: FakeClock) -> AuditEntry:
    audit.record(clock.now, "alice", "policy.published", "Policy number 1", "x" * 900, "192.0.2.1")
    return AuditEntry.objects.get()


def test_an_entry_is_neither_changed_nor_deleted(entry: AuditEntry) -> None:
    entry.actor = "nobody"
    with pytest.raises(RequestError):
        entry.save()
    with pytest.raises(RequestError):
        entry.delete()


@pytest.mark.parametrize(
    "statement", ["UPDATE access_auditentry SET actor = 'nobody'", "DELETE FROM access_auditentry"]
)
def test_the_database_itself_refuses(entry: AuditEntry, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.get().actor == "alice"


def test_what_is_too_long_is_cut_not_lost(entry: AuditEntry) -> None:
    assert entry.detail == "x" * 500


def test_the_same_thing_is_written_down_again_after_a_while(identity: Identity, clock: FakeClock) -> None:
    for hours, expected in ((0, 1), (12, 2)):
        clock.advance(timedelta(hours=hours))
        audit.record_rarely(clock.now, "x", "a.b", "same")
        audit.record_rarely(clock.now, "x", "a.b", "same")
        assert AuditEntry.objects.filter(subject="same").count() == expected
    audit.record_rarely(clock.now, "x", "a.b", "other")
    assert AuditEntry.objects.count() == 3


def test_every_action_has_words() -> None:
    assert in_words("check_in.seal_signature") == "Check-in refused: seal signature"
    assert in_words("something.new") == "something.new"
