from django.db import migrations

from nodepoint.staff.roles import ADMINISTRATOR, OPERATOR, SUPPORT, grant, make_permissions


def add(apps, schema_editor):
    """All of staff may look at the nodes."""
    using = schema_editor.connection.alias if schema_editor else "default"
    make_permissions(apps, using, ["sites"])
    for role in (SUPPORT, OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, ["sites.view_clusternode"])


class Migration(migrations.Migration):
    dependencies = [("sites", "0027_nodes"), ("staff", "0001_roles")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
