from django.db import migrations, models

import nodepoint.fields
import nodepoint.models


def add(apps, schema_editor):
    """The one row: what this installation is called from now on."""
    apps.get_model("nodepoint", "Installation").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "identity",
                    nodepoint.fields.IdentifierField(
                        default=nodepoint.models.new_identity, editable=False, max_length=24
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
