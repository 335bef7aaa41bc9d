"""The groups support, operator and administrator."""

from django.db import migrations

from nodepoint.staff.roles import grant, make_permissions

APPS = (
    "sites",
    "dns",
    "support",
    "jobs",
    "audit",
    "api",
    "auth",
    "axes",
    "otp_totp",
    "otp_static",
)
SUPPORT = {
    "sites.view_plan",
    "sites.view_site",
    "sites.view_backup",
    "sites.view_customdomain",
    "dns.view_customer",
    "dns.view_zone",
    "dns.view_templaterecord",
    "support.view_supportkey",
    "support.view_historyentry",
    "jobs.view_job",
    "jobs.view_jobstep",
    "audit.view_entry",
    "api.view_token",
    "support.rotate_supportkey",
    "sites.power_site",
    "sites.back_up_site",
    "sites.login_site",
}
OPERATOR = SUPPORT | {
    "sites.add_plan",
    "sites.change_plan",
    "sites.delete_plan",
    "sites.add_site",
    "sites.change_site",
    "sites.delete_site",
    "sites.roll_back_site",
    "sites.suspend_site",
    "sites.upgrade_site",
    "sites.route_site",
    "sites.override_site",
    "dns.add_zone",
    "dns.change_zone",
    "dns.delete_zone",
    "dns.add_templaterecord",
    "dns.change_templaterecord",
    "dns.delete_templaterecord",
    "support.add_supportkey",
    "support.change_supportkey",
    "jobs.steer_job",
    "api.add_token",
    "api.change_token",
}
ADMINISTRATOR = OPERATOR | {
    f"{app}.{verb}_{model}"
    for app, model in (("auth", "user"), ("auth", "group"))
    for verb in ("view", "add", "change", "delete")
} | {
    "otp_totp.view_totpdevice",
    "otp_totp.delete_totpdevice",
    "axes.view_accessattempt",
    "axes.delete_accessattempt",
}
ROLES = {"support": SUPPORT, "operator": OPERATOR, "administrator": ADMINISTRATOR}


def add(apps, schema_editor):
    """Also for tests, whose tables are emptied: then with the apps as they are, and no editor."""
    using = schema_editor.connection.alias if schema_editor else "default"
    make_permissions(apps, using, APPS)
    for role, permissions in ROLES.items():
        grant(apps, using, role, permissions, make_group=True)


class Migration(migrations.Migration):
    dependencies = [
        ("sites", "0003_permissions"),
        ("dns", "0002_template"),
        ("support", "0002_permissions"),
        ("jobs", "0002_permissions"),
        ("audit", "0001_initial"),
        ("api", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("axes", "0010_accessattemptexpiration"),
        ("otp_totp", "0003_add_timestamps"),
        ("otp_static", "0003_add_timestamps"),
    ]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
