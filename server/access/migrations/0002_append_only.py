"""The database itself refuses to change or delete audit entries."""

from typing import Any

from django.db import migrations

REFUSE_UPDATE = """
CREATE TRIGGER access_auditentry_no_update BEFORE UPDATE ON access_auditentry
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
REFUSE_DELETE = """
CREATE TRIGGER access_auditentry_no_delete BEFORE DELETE ON access_auditentry
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""


def refuse_changes(_apps: Any, schema_editor: Any) -> None:
    # PostgreSQL gets its own triggers with the migration that brings PostgreSQL.
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(REFUSE_UPDATE)
        schema_editor.execute(REFUSE_DELETE)


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]
    operations = [migrations.RunPython(refuse_changes, migrations.RunPython.noop)]
