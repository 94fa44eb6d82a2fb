"""Gateways configured by form."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0003_desk'),
    ]

    operations = [
        migrations.CreateModel(
            name='Way',
            fields=[
                ('name', models.TextField(primary_key=True, serialize=False)),
                ('kind', models.TextField(default='')),
                ('accepts', models.TextField(default='["actual"]')),
                ('settings', models.TextField(default='{}')),
                ('position', models.BigIntegerField(default=0)),
                ('active', models.BooleanField(default=True)),
                ('changed', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'way',
            },
        ),
    ]
