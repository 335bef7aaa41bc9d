import django.utils.timezone
from django.db import migrations, models

import nodepoint.fields
import sites.models


class Migration(migrations.Migration):

    dependencies = [
        ('sites', '0005_search'),
    ]

    operations = [
        migrations.CreateModel(
            name='Template',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('build_id', nodepoint.fields.IdentifierField(default=sites.models.new_build_id, editable=False, max_length=16, unique=True)),
                ('state', models.CharField(choices=[('building', 'Building'), ('ready', 'Ready'), ('failed', 'Failed')], default='building', max_length=16)),
                ('source', models.CharField(help_text='The template that it is built from.', max_length=255)),
                ('volid', models.CharField(blank=True, help_text='What PROXMOX_TEMPLATE has to name to use it.', max_length=255, verbose_name='volume')),
                ('distribution', models.CharField(blank=True, max_length=32)),
                ('wordpress_version', models.CharField(blank=True, max_length=32, verbose_name='WordPress')),
                ('built_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('vmid', models.PositiveIntegerField(null=True, unique=True, verbose_name='VMID')),
                ('private_ip', models.GenericIPAddressField(null=True, protocol='IPv4', unique=True, verbose_name='private IP')),
                ('node', models.CharField(blank=True, help_text='Where the container is.', max_length=64)),
                ('built_on', models.CharField(blank=True, help_text='Where the archive was made.', max_length=64, verbose_name='node')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
    ]
