from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget_sums(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """They do not know their hosts. The log, which is kept as long as they are, does: the next tick sums it up anew."""
    apps.get_model("gateway", "DaySum").objects.all().delete()
    apps.get_model("gateway", "SummedDay").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0003_day_sums"),
    ]

    operations = [
        migrations.RunPython(forget_sums, migrations.RunPython.noop),
        migrations.AddField(
            model_name="daysum",
            name="host",
            field=models.CharField(blank=True, help_text="As the log has it.", max_length=260),
        ),
    ]
