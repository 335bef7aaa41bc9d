import django.db.models.deletion
import django.utils.timezone
import nodepoint.fields
import support.text
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='SupportKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('service_id', nodepoint.fields.IdentifierField(max_length=64, unique=True, verbose_name='service')),
                ('support_key', nodepoint.fields.IdentifierField(max_length=20, unique=True)),
                ('key_hash', nodepoint.fields.IdentifierField(editable=False, max_length=64, unique=True)),
                ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('SUSPENDED', 'Suspended'), ('INACTIVE', 'Terminated')], db_index=True, default='ACTIVE', max_length=16)),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('firstname', models.CharField(max_length=255, validators=[support.text.plain], verbose_name='first name')),
                ('lastname', models.CharField(blank=True, max_length=255, validators=[support.text.plain], verbose_name='last name')),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='WrongKeys',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', nodepoint.fields.IdentifierField(max_length=80, unique=True)),
                ('began_at', models.DateTimeField(db_index=True)),
                ('count', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name_plural': 'wrong keys',
            },
        ),
        migrations.CreateModel(
            name='HistoryEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('created', 'Created'), ('suspended', 'Suspended'), ('unsuspended', 'Unsuspended'), ('terminated', 'Terminated'), ('rotated', 'Rotated')], max_length=16)),
                ('before', models.CharField(blank=True, choices=[('ACTIVE', 'Active'), ('SUSPENDED', 'Suspended'), ('INACTIVE', 'Terminated')], max_length=16, verbose_name='status before')),
                ('after', models.CharField(choices=[('ACTIVE', 'Active'), ('SUSPENDED', 'Suspended'), ('INACTIVE', 'Terminated')], max_length=16, verbose_name='status after')),
                ('replaced_key', nodepoint.fields.IdentifierField(blank=True, db_index=True, help_text='Dead since then.', max_length=20)),
                ('actor', models.CharField(help_text='The token or the member of staff.', max_length=200, verbose_name='by')),
                ('reason', models.CharField(blank=True, max_length=200, validators=[support.text.plain])),
                ('request_id', models.CharField(blank=True, max_length=128, verbose_name='request')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('support_key', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='history', to='support.supportkey')),
            ],
            options={
                'verbose_name_plural': 'history',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SearchTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', nodepoint.fields.IdentifierField(max_length=64)),
                ('support_key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='support.supportkey')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('text', 'support_key'), name='support_term_once')],
            },
        ),
    ]
