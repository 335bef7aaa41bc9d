from django.db import migrations, models

from nodepoint.staff.roles import OPERATOR, SUPPORT, ADMINISTRATOR, grant, make_permissions


def add(apps, schema_editor):
    """The one row, which all of staff may look at."""
    apps.get_model("sites", "Platform").objects.get_or_create(pk=1)
    using = schema_editor.connection.alias if schema_editor else "default"
    make_permissions(apps, using, ["sites"])
    for role in (SUPPORT, OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, ["sites.view_platform"])


class Migration(migrations.Migration):
    dependencies = [("sites", "0003_permissions"), ("staff", "0001_roles")]

    operations = [
        migrations.CreateModel(
            name="Platform",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("orders_paused_at", models.DateTimeField(editable=False, null=True)),
                ("orders_paused_by", models.CharField(blank=True, editable=False, max_length=128)),
                (
                    "orders_paused_reason",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="reason"),
                ),
            ],
            options={"verbose_name_plural": "platform", "default_permissions": ("view",)},
        ),
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
