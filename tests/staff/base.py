"""Members of staff for tests, by their roles."""

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import TestCase
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from nodepoint.audit.models import Entry

PASSWORD = "correct horse battery"
MIGRATED_ROLES = (
    "nodepoint.staff.migrations.0001_roles",
    "nodepoint.board.migrations.0002_roles",
    "sites.migrations.0004_platform",
    "nodepoint.notices.migrations.0005_row",
    "nodepoint.people.migrations.0002_roles",
)


def make_staff(name: str, *roles: str, superuser: bool = False) -> User:
    """A member of staff in these roles, who can log in with PASSWORD."""
    if not Group.objects.exists():  # a test with real transactions has emptied the tables
        for migration in MIGRATED_ROLES:
            import_module(migration).add(apps, None)
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, is_superuser=superuser)
    user.groups.set(Group.objects.filter(name__in=roles))
    assert user.groups.count() == len(roles)
    return user


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    """The code that the app shows, or will show after so many half minutes."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = timezone.now().timestamp() + steps * device.step
    return f"{totp.token():06d}"


class StaffTestCase(TestCase):
    """Logging in by the pages themselves."""

    def log_in(self, name: str, password: str = PASSWORD, path: str = "/admin/", **extra: str):
        """Name and password on the login page."""
        data = {"username": name, "password": password, "next": path}
        return self.client.post(f"/admin/login/?next={path}", data, **extra)

    def last_entry(self) -> Entry:
        """The newest one of the log of acts."""
        return Entry.objects.order_by("-pk")[0]
