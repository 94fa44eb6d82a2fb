"""Messages for other systems: which were made of which version, and what kept one from leaving."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0007_spoken'),
    ]

    operations = [
        migrations.CreateModel(
            name='Cap',
            fields=[
                ('identifier', models.TextField(primary_key=True, serialize=False)),
                ('stream', models.TextField(default='')),
                ('version', models.BigIntegerField(default=0)),
                ('series', models.TextField(default='')),
                ('second', models.BigIntegerField(default=0)),
                ('expires', models.BigIntegerField(default=0)),
                ('digest', models.TextField(default='')),
                ('fault', models.TextField(default='')),
            ],
            options={
                'db_table': 'cap',
                'indexes': [models.Index(models.F('series'), models.F('second'), name='cap_series')],
                'constraints': [models.UniqueConstraint(models.F('stream'), models.F('version'), name='cap_version')],
            },
        ),
    ]
