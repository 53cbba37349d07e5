from django.db import migrations, models

import cloudconsole.sealing.fields
from audit import triggers


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('seq', models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor_id', models.BigIntegerField(help_text='Empty: the installation itself, or somebody not signed in.', null=True)),
                ('actor_name', models.CharField(blank=True, max_length=150)),
                ('role', models.CharField(blank=True, help_text="The actor's role at that moment.", max_length=16)),
                ('ip', models.CharField(blank=True, max_length=45, verbose_name='address')),
                ('auth', models.CharField(blank=True, max_length=16, verbose_name='signed in by')),
                ('action', models.CharField(max_length=64)),
                ('subject', models.CharField(blank=True, help_text='What or whom it was done to, as a name for people.', max_length=255)),
                ('account_pk', models.BigIntegerField(null=True)),
                ('account_alias', models.CharField(blank=True, max_length=63)),
                ('account_number', models.CharField(blank=True, max_length=12)),
                ('account_environment', models.CharField(blank=True, max_length=16)),
                ('region', models.CharField(blank=True, max_length=32)),
                ('target', models.CharField(blank=True, help_text='The AWS resource or the row, as an id for programs.', max_length=2048)),
                ('outcome', models.CharField(choices=[('success', 'Done'), ('failure', 'Failed'), ('refused', 'Refused'), ('intent', 'About to happen')], max_length=16)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('aws_request_id', models.CharField(blank=True, max_length=128)),
                ('detail', models.JSONField(default=dict)),
                ('prev_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64, unique=True)),
            ],
            options={
                'ordering': ['-seq'],
                'indexes': [models.Index(fields=['actor_id', '-seq'], name='audit_event_by_actor'), models.Index(fields=['account_pk', '-seq'], name='audit_event_by_account'), models.Index(fields=['account_environment', '-seq'], name='audit_event_by_environment'), models.Index(fields=['action', '-seq'], name='audit_event_by_action'), models.Index(fields=['at'], name='audit_event_by_time')],
                'constraints': [models.UniqueConstraint(fields=('prev_hash',), name='audit_event_follows_once'), models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='audit_event_counts_from_one'), models.CheckConstraint(condition=models.Q(('outcome__in', ['success', 'failure', 'refused', 'intent'])), name='audit_event_outcome_is_known')],
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField()),
                ('hash', models.CharField(blank=True, max_length=64)),
                ('seal', models.CharField(max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='audit_head_is_one')],
            },
        ),
        migrations.CreateModel(
            name='RememberedAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user_id', models.BigIntegerField()),
                ('key', models.CharField(max_length=255)),
                ('fingerprint', models.CharField(help_text='Keyed hash of method, address and body.', max_length=64)),
                ('claimed_at', models.DateTimeField()),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('headers', models.JSONField(default=dict)),
                ('body', cloudconsole.sealing.fields.SealedField(default=b'')),
                ('body_key', cloudconsole.sealing.fields.KeyIdField(blank=True, db_index=True, default='', editable=False, max_length=200)),
            ],
            options={
                'indexes': [models.Index(fields=['claimed_at'], name='remembered_answer_age')],
                'constraints': [models.UniqueConstraint(fields=('user_id', 'key'), name='remembered_answer_once')],
            },
        ),
        migrations.RunPython(triggers.install_by_migration, triggers.remove_by_migration),
    ]
