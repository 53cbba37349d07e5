from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0012_recommendation_evidence"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="costmonth",
            index=models.Index(fields=["cube", "first", "month"], name="cost_month_of_first"),
        ),
    ]
