"""PostgreSQL, too, refuses to change, delete or empty the audit log; the table's owner can be given no less than this."""

from typing import Any

from django.db import migrations

REFUSE = """
CREATE OR REPLACE FUNCTION access_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
TRIGGER = """
CREATE OR REPLACE TRIGGER access_auditentry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION access_auditentry_refuse()
"""


def refuse_changes(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(REFUSE)
        schema_editor.execute(TRIGGER)


class Migration(migrations.Migration):
    dependencies = [("access", "0002_append_only")]
    operations = [migrations.RunPython(refuse_changes, migrations.RunPython.noop)]
