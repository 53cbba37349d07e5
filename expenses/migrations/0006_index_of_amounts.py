from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_past_alerts'),
        ('expenses', '0005_words_on_sqlite'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='expense',
            index=models.Index(condition=models.Q(('deleted_at', None)), fields=['workspace', 'cost', 'date'], name='expense_amount'),
        ),
    ]
