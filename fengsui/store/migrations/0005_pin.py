"""Digits by which a person decides through a link; lanes that are held over a restart."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0004_ways'),
    ]

    operations = [
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('lane', models.TextField(primary_key=True, serialize=False)),
                ('since', models.BigIntegerField(default=0)),
                ('reason', models.TextField(default='')),
            ],
            options={
                'db_table': 'hold',
            },
        ),
        migrations.CreateModel(
            name='Pin',
            fields=[
                ('person', models.TextField(primary_key=True, serialize=False)),
                ('hash', models.TextField(default='')),
                ('failures', models.BigIntegerField(default=0)),
                ('failed_at', models.BigIntegerField(default=0)),
            ],
            options={
                'db_table': 'pin',
            },
        ),
    ]
