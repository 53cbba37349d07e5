from django.db import migrations


def index_words(apps, schema_editor):
    """SQLite has no index of words: it scans, and this holds all that it reads. PostgreSQL has its own (0001)."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(
            "CREATE INDEX expense_words ON expenses_expense (workspace_id, date DESC, id DESC, searched) WHERE deleted_at IS NULL"
        )


def drop_words(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP INDEX expense_words")


class Migration(migrations.Migration):
    dependencies = [("expenses", "0004_index_of_reports")]

    operations = [migrations.RunPython(index_words, drop_words)]
