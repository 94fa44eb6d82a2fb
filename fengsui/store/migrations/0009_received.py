"""What came from elsewhere, and what became of it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0008_cap'),
    ]

    operations = [
        migrations.CreateModel(
            name='Arrival',
            fields=[
                ('digest', models.TextField(primary_key=True, serialize=False)),
                ('at', models.BigIntegerField(default=0)),
                ('source', models.TextField(default='')),
                ('name', models.TextField(default='')),
                ('form', models.TextField(default='')),
                ('bound', models.SmallIntegerField(default=0)),
                ('state', models.TextField(default='')),
                ('code', models.TextField(default='')),
                ('why', models.TextField(default='')),
                ('stream', models.TextField(default='')),
                ('series', models.TextField(default='')),
                ('sender', models.TextField(default='')),
                ('identifier', models.TextField(default='')),
                ('sent', models.BigIntegerField(default=0)),
                ('kind', models.TextField(default='')),
                ('hazard', models.TextField(default='')),
                ('level', models.TextField(default='')),
                ('title', models.TextField(default='')),
                ('expires', models.BigIntegerField(default=0)),
                ('valid', models.SmallIntegerField(default=0)),
                ('signer', models.TextField(default='')),
                ('seen', models.TextField(default='')),
            ],
            options={
                'db_table': 'arrival',
                'indexes': [models.Index(models.F('state'), models.F('at'), name='arrival_state'), models.Index(models.F('at'), name='arrival_at')],
            },
        ),
    ]
