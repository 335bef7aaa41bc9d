"""The page of a site in the admin."""

from unittest import mock

from django.contrib.auth import get_user_model
from django.test import TestCase

from sites.admin import SiteAdmin
from sites.models import Site
from tests.factories import SiteFactory


class SitePageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(get_user_model().objects.create_superuser("staff", password="x" * 12))
        self.site = SiteFactory()
        self.page = f"/admin/sites/site/{self.site.pk}/change/"

    def test_staff_overrule_the_quotas_of_the_plan(self) -> None:
        data = {"high_availability": "true", "backup_quota": "7", "domain_quota": ""}
        answer = self.client.post(self.page, data)
        self.assertEqual(answer.status_code, 302, answer.content[:500])
        self.site.refresh_from_db()
        self.assertEqual((self.site.backups_allowed, self.site.wants_high_availability), (7, True))
        self.assertEqual(self.site.domains_allowed, self.site.plan.domains)

    def test_what_a_job_wrote_meanwhile_stays(self) -> None:
        save = SiteAdmin.save_model

        def save_late(*arguments) -> None:
            Site.objects.filter(pk=self.site.pk).update(node="node3")
            save(*arguments)

        with mock.patch.object(SiteAdmin, "save_model", save_late):
            self.client.post(self.page, {"high_availability": "unknown", "backup_quota": "7", "vmid": "1"})
        self.site.refresh_from_db()
        self.assertEqual((self.site.node, self.site.backup_quota), ("node3", 7))
        self.assertNotEqual(self.site.vmid, 1)

    def test_nobody_adds_or_deletes_a_site(self) -> None:
        for path in ("/admin/sites/site/add/", self.page.replace("change", "delete")):
            self.assertEqual(self.client.post(path, {}).status_code, 403)
