from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    """Roles, logging in, second factors."""

    name = "nodepoint.staff"
    label = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        """Write down who logs in; have old sessions cleared."""
        from django.contrib.auth.signals import user_logged_in

        from nodepoint.staff import login, tasks  # noqa: F401 - importing registers the tasks

        user_logged_in.connect(login.note, dispatch_uid="nodepoint.staff.login")


class StaffAdminConfig(AdminConfig):
    """Django's admin with our site of it."""

    default_site = "nodepoint.staff.site.StaffSite"
