"""How people are told: its one row, and who of staff may see and change it."""

from django.db import migrations

from nodepoint.staff.roles import ADMINISTRATOR, OPERATOR, SUPPORT, grant, make_permissions

ALL = {"notices.view_notice", "notices.send_notice", "notices.view_preferences", "board.view_alert"}


def add(apps, schema_editor):
    """All roles see what was told and may send it again; operators choose how people are told. Also for tests,
    whose tables are emptied: then with the apps as they are, and no editor."""
    using = schema_editor.connection.alias if schema_editor else "default"
    apps.get_model("notices", "Preferences").objects.using(using).get_or_create(pk=1)
    make_permissions(apps, using, ["notices", "board"])
    for role in (SUPPORT, OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, ALL)
    for role in (OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, {"notices.change_preferences"})


class Migration(migrations.Migration):
    dependencies = [("notices", "0004_preferences"), ("board", "0004_alerts_seen"), ("staff", "0001_roles")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
