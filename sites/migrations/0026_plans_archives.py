from django.db import migrations

from nodepoint.staff.roles import ADMINISTRATOR, OPERATOR, SUPPORT, grant, make_permissions

PREMIUM = {"archives_daily": 14, "archives_weekly": 8}


def keep_more(apps, schema_editor):
    """Of the largest plan more archives are kept; staff have not changed that yet: the columns are new."""
    apps.get_model("sites", "Plan").objects.filter(name="premium").update(**PREMIUM)


def show(apps, schema_editor):
    """All of staff may look at archives."""
    using = schema_editor.connection.alias if schema_editor else "default"
    make_permissions(apps, using, ["sites"])
    for role in (SUPPORT, OPERATOR, ADMINISTRATOR):
        grant(apps, using, role, ["sites.view_archive"])


class Migration(migrations.Migration):
    dependencies = [("sites", "0025_archives"), ("staff", "0001_roles")]

    operations = [
        migrations.RunPython(keep_more, migrations.RunPython.noop),
        migrations.RunPython(show, migrations.RunPython.noop),
    ]
