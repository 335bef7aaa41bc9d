"""All roles see what the board shows; operators put it right with permissions that they have already."""

from django.db import migrations

from nodepoint.staff.roles import ADMINISTRATOR, OPERATOR, SUPPORT, grant, make_permissions

VIEW = {"board.view_systemstate", "board.view_finding", "board.view_callcount"}


def add(apps, schema_editor):
    """Also for tests, whose tables are emptied: then with the apps as they are, and no editor."""
    using = schema_editor.connection.alias if schema_editor else "default"
    make_permissions(apps, using, ["board"])
    for role in (SUPPORT, OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, VIEW)


class Migration(migrations.Migration):
    dependencies = [("board", "0001_initial"), ("staff", "0001_roles")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
