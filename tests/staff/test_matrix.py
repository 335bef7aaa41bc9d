"""Role x model x act: what each role may do with each model in the admin, asked of the pages themselves."""

import uuid
from typing import Any

from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.jobs.models import new_id
from nodepoint.notices.models import STAFF, Notice
from nodepoint.staff.acts import ActsMixin
from tests.base import LabTestCase
from tests.factories import SiteFactory
from tests.staff.base import make_staff
from tests.staff.operations import make_job

ROLES = ("nobody", "support", "operator", "administrator", "superuser")  # nobody: staff without a role
# s: sees list and page, a: adds, c: changes, d: deletes; p: a page of our own, which a POST only shows again.
# What is done by acts of their own (suspending, revoking, steering, …) is in test_acts and test_act_table.
# One column for each of ROLES.
EXPECTED: dict[str, tuple[str, str, str, str, str]] = {
    "api.Token": ("", "s", "sac", "sac", "sac"),
    "audit.Entry": ("", "s", "s", "s", "s"),
    "auth.Group": ("", "", "", "sacd", "sacd"),
    "auth.User": ("", "", "", "sacd", "sacd"),
    "axes.AccessAttempt": ("", "", "", "s", "s"),
    "board.Alert": ("", "s", "s", "s", "s"),
    "board.CallCount": ("", "s", "s", "s", "s"),
    "board.Finding": ("", "s", "s", "s", "s"),
    "board.SystemState": ("", "s", "s", "s", "s"),
    "dns.Customer": ("", "s", "s", "s", "s"),
    "dns.TemplateRecord": ("", "s", "sacd", "sacd", "sacd"),
    "dns.Zone": ("", "s", "s", "s", "s"),
    "jobs.Job": ("", "sp", "sp", "sp", "sp"),
    "notices.Notice": ("", "s", "s", "s", "s"),
    "notices.Preferences": ("", "s", "sc", "sc", "sc"),
    "people.Note": ("", "s", "s", "s", "s"),
    "sites.ClusterNode": ("", "sp", "sp", "sp", "sp"),
    "sites.Archive": ("", "s", "s", "s", "s"),
    "sites.CustomDomain": ("", "s", "s", "s", "s"),
    "sites.Plan": ("", "s", "sacd", "sacd", "sacd"),
    "sites.Platform": ("", "sp", "sp", "sp", "sp"),
    "sites.Site": ("", "sp", "sp", "sp", "sp"),
    "sites.Spare": ("", "s", "s", "s", "s"),
    "sites.Template": ("", "s", "s", "s", "s"),
    "support.HistoryEntry": ("", "s", "s", "s", "s"),
    "support.SupportKey": ("", "s", "s", "s", "s"),
}


def make(model: type[models.Model]) -> models.Model:
    """A row of any model: what it demands is filled by type."""
    if model._meta.label == "sites.Site":
        return SiteFactory()
    if model._meta.label == "jobs.Job":
        return make_job(kind="sites.start", state="succeeded")
    if (found := model._default_manager.first()) is not None:
        return found
    if model._meta.label == "notices.Notice":
        return Notice.objects.create(pk=new_id(), kind=STAFF, about="sites.site:1")
    demanded = (
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.has_default() or field.null or field.auto_created)
    )
    return model._default_manager.create(**{field.name: value_for(field) for field in demanded})


def value_for(field: models.Field) -> Any:
    """Something that fits."""
    if field.is_relation:
        return make(field.related_model)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.CharField | models.TextField):
        return uuid.uuid4().hex[: min(field.max_length or 12, 12)]
    return "192.0.2.1" if isinstance(field, models.GenericIPAddressField) else 1


class MatrixTests(LabTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.users = {
            "nobody": make_staff("nobody"),
            "superuser": make_staff("root", superuser=True),
            **{role: make_staff(f"a-{role}", role) for role in ROLES[1:4]},
        }

    def letters(self, model: type[models.Model], row: models.Model) -> str:
        """What the user who is logged in may do."""
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        own = issubclass(type(admin.site._registry[model]), (ActsMixin, ReadOnlyAdmin))
        rights = {
            "s": self.opens(f"{name}_changelist") and self.opens(f"{name}_change", row.pk),
            "a": self.opens(f"{name}_add"),
            "p" if own else "c": self.takes(f"{name}_change", row.pk),
            "d": self.opens(f"{name}_delete", row.pk),
        }
        return "".join(letter for letter, may in rights.items() if may)

    def opens(self, page: str, *args: Any) -> bool:
        answer = self.client.get(reverse(page, args=args))
        self.assertIn(answer.status_code, (200, 302, 403), page)
        return answer.status_code != 403

    def takes(self, page: str, *args: Any) -> bool:
        """Whether a form is taken, however wrong what stands in it."""
        answer = self.client.post(reverse(page, args=args), {"_continue": "1"})
        self.assertIn(answer.status_code, (200, 302, 403), page)
        return answer.status_code != 403

    def test_roles_models_acts(self) -> None:
        found = {}
        for model in admin.site._registry:
            row = make(model)
            columns = []
            for role in ROLES:
                self.client.force_login(self.users[role])
                columns.append(self.letters(model, row))
            found[model._meta.label] = tuple(columns)
        self.assertEqual(found, EXPECTED)
