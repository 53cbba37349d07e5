

import cloudconsole.sealing.fields
from django.db import migrations, models

from cloudconsole.sealing.errors import Unreadable
from cloudconsole.sealing.keyring import Context, keyring


def name_keys(apps, schema_editor):
    """Write beside each ciphertext which of FERNET_KEYS made it; what none of them opens keeps an empty id."""
    credentials = apps.get_model("accounts", "AwsCredential").objects
    for pk, sealed in credentials.values_list("pk", "sealed").iterator():
        for key in keyring().keys.values():
            try:
                key.open(bytes(sealed), Context("", ""))
            except Unreadable:
                continue
            credentials.filter(pk=pk).update(sealed_with=key.key_id)
            break


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='EncryptionKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key_id', models.CharField(editable=False, max_length=200, unique=True)),
                ('canary', models.BinaryField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('given_up_at', models.DateTimeField(editable=False, help_text='Since when an operator has accepted that the key, and what it sealed, is lost.', null=True)),
            ],
        ),
        migrations.AddField(
            model_name='awscredential',
            name='sealed_with',
            field=cloudconsole.sealing.fields.KeyIdField(db_index=True, default='', editable=False, max_length=200),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='awscredential',
            name='sealed',
            field=cloudconsole.sealing.fields.SealedField(),
        ),
        migrations.RunPython(name_keys, migrations.RunPython.noop),
    ]
