"""All roles see customers and note what they learn; operators remove notes of others."""

from django.db import migrations

from nodepoint.staff.roles import ADMINISTRATOR, OPERATOR, SUPPORT, grant, make_permissions

EVERYBODY = {"people.view_note", "people.add_note"}


def add(apps, schema_editor):
    """Also for tests, whose tables are emptied: then with the apps as they are, and no editor."""
    using = schema_editor.connection.alias if schema_editor else "default"
    make_permissions(apps, using, ["people"])
    for role in (SUPPORT, OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, EVERYBODY)
    for role in (OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, {"people.delete_note"})


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("staff", "0001_roles")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
