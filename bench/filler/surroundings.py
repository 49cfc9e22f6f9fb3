"""What a server has besides its fleet after two years: an audit log, and enrolment secrets that were used up."""

from datetime import datetime, timedelta

from django.db import connection

from server.fleet.models import EnrolmentSecret

YEARS = timedelta(days=730)
SECRETS = 400
_AUDIT = """
    INSERT INTO access_auditentry (at, actor, action, subject, detail, address)
    SELECT
        %(first)s + (%(last)s - %(first)s) * (n::float / %(count)s),
        CASE WHEN kind < 55 THEN 'server' WHEN kind < 80 THEN 'device ' || device
            ELSE (ARRAY['alice', 'bob', 'carol', 'command line'])[1 + n %% 4] END,
        CASE WHEN kind < 50 THEN 'device.enrolled' WHEN kind < 55 THEN 'device.key_changed'
            WHEN kind < 70 THEN 'check_in.seal_signature' WHEN kind < 80 THEN 'enrolment.secret_expired'
            WHEN kind < 98 THEN 'person.signed_in' WHEN kind < 99 THEN 'device.revoked' ELSE 'secret.issued' END,
        CASE WHEN kind < 80 OR kind = 98 THEN 'device ' || device ELSE '' END,
        CASE WHEN kind < 50 THEN 'with “Branch ' || n %% 400 || '”' ELSE '' END,
        '10.' || n %% 7 || '.' || n %% 251 || '.' || n %% 241
    FROM (
        SELECT n, hashint4(n) & 2147483647 AS hash, (hashint4(n) & 2147483647) %% 100 AS kind, left(md5(n::text), 20) AS device
        FROM generate_series(1, %(count)s) AS n
    ) AS made
"""
_ERASED = """
    INSERT INTO access_auditentry (at, actor, action, subject, detail, address)
    VALUES (%s, 'server', 'retention.applied', 'Policy number 1', 'made up, so that nothing is erased while pages are measured', '')
"""


def audit_log(count: int, now: datetime) -> None:
    """Write an audit log of two years, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_AUDIT, {"first": now - YEARS, "last": now, "count": count})
        cursor.execute(_ERASED, [now])


def secrets_of_the_past(now: datetime) -> None:
    """Leave secrets that took devices in once."""
    EnrolmentSecret.objects.bulk_create(
        EnrolmentSecret(
            digest=f"{number:064x}",
            note=f"Branch {number}",
            uses_at_most=25,
            uses=number % 26,
            created_at=now - YEARS * (number / SECRETS),
            created_by="alice",
            expires_at=now - YEARS * (number / SECRETS) + timedelta(days=7),
        )
        for number in range(1, SECRETS)
    )
