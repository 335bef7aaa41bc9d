"""What has failed stays on the board until the same was done after all: other acts that succeed meanwhile
hide nothing."""

from typing import Any

from django.utils import timezone

from nodepoint.board import troubles
from nodepoint.jobs import registry, steering
from nodepoint.jobs.models import Job
from sites.models import Backup, Site
from tests.factories import SiteFactory
from tests.staff.operations import BoardTestCase, ago, make_job

ONE = {"service_id": "A", "domain": "one.example.org", "backup": "BAK1", "discard_backups": False}
OTHER = {"service_id": "A", "domain": "other.example.org", "backup": "BAK2", "discard_backups": False}
POWER = {"start", "stop", "restart", "suspend", "unsuspend", "repair"}
INSIDE = {"start", "restart", "unsuspend", "repair", "upgrade", "primary"}
# Each act of a site by the acts that make it good when they succeed later, for the same domain or backup.
MADE_GOOD = {
    "start": POWER,
    "stop": POWER,
    "restart": POWER,
    "options": {"options", *INSIDE},
    "safemode": {"safemode", "rollback", "reset"},
    "lift": {"lift", *INSIDE},
    "toggle": {"toggle", "suspend", "unsuspend", "repair"},
    "rollback": {"rollback", "reset"},
    "reset": {"rollback", "reset"},
    "backup": {"backup"},
    "delete_backup": {"delete_backup"},
    "count_addresses": {"count_addresses"},
    "replace_addresses": {"replace_addresses"},
    "import": {"import"},
    "export": {"export"},
    "upgrade": {"upgrade"},
    "repair": {"repair"},
    "add_domain": {"add_domain", "remove_domain"},
    "remove_domain": {"add_domain", "remove_domain"},
}


class MadeGoodTests(BoardTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = SiteFactory(service_id="A")

    def job(self, act: str, state: str = Job.State.SUCCEEDED, **values: Any) -> Job:
        return make_job(self.site.key, f"sites.{act}", **{"state": state, "data": ONE, **values})

    def fail(self, act: str) -> Job:
        return self.job(act, Job.State.FAILED)

    def on_the_board(self) -> list[Job]:
        page = self.client.get("/admin/")
        found = troubles.unsettled()
        self.assertEqual(b"Failed jobs" in page.content, bool(found))
        return found

    def test_each_act_is_made_good_by_those_that_do_the_same_and_by_no_other(self) -> None:
        acts = [
            flow.name.removeprefix("sites.") for flow in registry.flows() if flow.name.startswith("sites.")
        ]
        for act, cures in MADE_GOOD.items():
            failed = self.fail(act)
            for later in acts:
                done = self.job(later, created_at=ago(seconds=30))
                with self.subTest(failed=act, later=later):
                    self.assertEqual(failed in troubles.unsettled(), later not in cures)
                done.delete()
            failed.delete()

    def test_what_came_before_and_what_failed_too_makes_nothing_good(self) -> None:
        for act in MADE_GOOD:
            failed = self.fail(act)
            self.job(act, created_at=ago(minutes=5))
            again = self.job(act, Job.State.FAILED, created_at=ago(seconds=30))
            self.assertCountEqual(self.on_the_board(), [failed, again], act)
            Job.objects.all().delete()

    def test_another_domain_or_backup_is_another_thing(self) -> None:
        for act in ("add_domain", "remove_domain", "delete_backup"):
            failed = self.fail(act)
            self.job(act, created_at=ago(seconds=30), data=OTHER)
            self.assertEqual(self.on_the_board(), [failed], act)
            self.assertFalse(steering.same_thing(failed, Job.objects.latest("created_at")))
            Job.objects.all().delete()

    def test_a_backup_that_went_with_a_rollback_need_not_be_deleted_any_more(self) -> None:
        backup = Backup.objects.create(site=self.site, name="BAK1", state=Backup.State.READY)
        failed = self.fail("delete_backup")
        self.job("rollback", created_at=ago(seconds=30), data={**OTHER, "discard_backups": True})
        self.assertEqual(self.on_the_board(), [failed], "it was older, and is still there")
        Backup.objects.filter(pk=backup.pk).update(state=Backup.State.DELETED)
        self.assertEqual(self.on_the_board(), [])

    def test_nothing_is_left_to_be_done_for_a_site_that_goes_or_a_domain_that_is_gone(self) -> None:
        self.fail("backup")
        domain = self.site.custom_domains.create(domain="one.example.org")
        of_domain = make_job(domain.key, "sites.certificate", state=Job.State.FAILED)
        self.assertEqual(len(self.on_the_board()), 2)
        Site.objects.filter(pk=self.site.pk).update(deletion_requested_at=timezone.now())
        self.assertEqual(self.on_the_board(), [of_domain])
        domain.delete()
        self.assertEqual(self.on_the_board(), [])
