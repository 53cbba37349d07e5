import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0013_months_of_first"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="costslice",
            index=models.Index(fields=["source", "cube", "day"], name="cost_slice_of_source"),
        ),
        migrations.AlterField(
            model_name="costslice",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="slices",
                to="costs.costsource",
            ),
        ),
    ]
