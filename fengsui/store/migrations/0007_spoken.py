"""Words of insertions as they stood after a version."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0006_signals'),
    ]

    operations = [
        migrations.CreateModel(
            name='Spoken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ledger', models.TextField()),
                ('form', models.TextField()),
                ('text', models.BigIntegerField()),
            ],
            options={
                'db_table': 'spoken',
                'constraints': [models.UniqueConstraint(models.F('ledger'), models.F('form'), name='spoken_once')],
            },
        ),
    ]
