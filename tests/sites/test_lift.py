"""Sites of an earlier install script are lifted to this release's: some at once, watched, stoppable."""

from io import StringIO
from unittest import mock

from django.core.management import CommandError, call_command

from nodepoint.jobs.models import Job
from sites import install
from sites.models import Platform, Site
from sites.services import lift
from sites.steps.lifting import LIFT, LIFTING, liftable
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.visitor import visit

NEWER = install.LEVEL + 1


class LiftCase(ActsMixin, SiteTestCase):
    def sites(self, number: int) -> list[Site]:
        """Live sites of this level; after them comes a newer one."""
        made = [self.create(service_id=f"L{n}", email=f"l{n}@example.com") for n in range(number)]
        self.run_jobs()
        for site in made:
            site.refresh_from_db()
            self.assertEqual((site.state, site.level), (Site.State.LIVE, install.LEVEL), self.tale(site))
        self.enterContext(mock.patch.object(install, "LEVEL", NEWER))
        return made

    def levels(self) -> list[int]:
        return list(Site.objects.order_by("pk").values_list("level", flat=True))

    def all(self) -> Job:
        return Job.objects.filter(kind=LIFTING).latest("created_at")


class LiftTests(LiftCase):
    def test_those_that_run_are_lifted_at_once_and_the_others_when_they_start_next(self):
        _, stopped, suspended = self.sites(3)
        self.act("/action/stop", stopped.service_id)
        self.act("/suspend", suspended.service_id)
        job = lift.lift_all(2, actor="staff anna")
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, self.levels()), ("succeeded", [NEWER, NEWER - 1, NEWER - 1]))
        self.assertEqual(lift.progress(job).done, 1)
        self.assertIn("1 lifted, 0 failed, 2 still below", job.steps.get().detail + job.warning)
        self.act("/action/start", stopped.service_id)
        self.act("/unsuspend", suspended.service_id)
        self.assertEqual(self.levels(), [NEWER] * 3)
        self.assertFalse(liftable().exists())

    def test_no_more_than_the_batch_at_once_and_nobody_is_refused_meanwhile(self):
        first, *_ = self.sites(4)
        lift.lift_all(2)
        most = 0
        while lift.lifting():
            self.run_calls(1)
            most = max(most, Job.objects.filter(kind=LIFT, state__in=Job.ALIVE).count())
            if not Job.objects.filter(kind="sites.backup").exists() and most:
                answer = self.ask("/action/mkbak", first.service_id)
                self.assertEqual(answer.status_code, 200, answer.content)
        self.run_jobs()
        self.assertEqual((most, self.levels()), (2, [NEWER] * 4))
        self.assertEqual(Job.objects.get(kind="sites.backup").state, "succeeded")

    def test_three_failures_in_a_row_stop_it_and_it_is_begun_anew(self):
        sites = self.sites(5)
        for site in sites[1:]:
            self.fault("ssh", "error", f"INSTALL {site.vmid} web", 3)
        lift.lift_all(1)
        self.run_jobs()
        job = self.all()
        self.assertEqual(job.state, "failed")
        self.assertIn("3 sites in a row", job.error)
        self.assertIn(", ".join(reversed([site.service_id for site in sites[1:4]])), job.detail)
        self.assertEqual(self.levels(), [NEWER] + [NEWER - 1] * 4)
        self.clear_faults()
        lift.lift_all(5)
        self.run_jobs()
        self.assertEqual((self.all().state, self.levels()), ("succeeded", [NEWER] * 5))

    def test_it_is_stopped_after_those_at_work(self):
        self.sites(3)
        self.assertFalse(lift.stop_lifting())
        lift.lift_all(1)
        while not Job.objects.filter(kind=LIFT).exists():
            self.run_calls(1)
        self.assertTrue(lift.stop_lifting(actor="staff anna"))
        self.run_jobs()
        self.assertEqual((self.all().state, self.levels()), ("succeeded", [NEWER] + [NEWER - 1] * 2))
        lift.lift_all(1)
        self.assertIsNone(Platform.current().lift_stopped_at)
        self.run_jobs()
        self.assertEqual(self.levels(), [NEWER] * 3)

    def test_after_a_rollback_the_level_is_that_of_the_script_that_ran_since(self):
        (site,) = self.sites(1)
        self.fault("ssh", "error", f"INSTALL {site.vmid} web", 3)
        self.act("/action/reset", site.service_id)
        self.assertEqual(self.levels(), [0])
        self.act("/action/restart", site.service_id)
        self.assertEqual(self.levels(), [NEWER])

    def test_visitors_notice_nothing(self):
        made = self.sites(12)
        lift.lift_all(4)
        npm, authority = self.lab.npm, str(self.lab.keys.authority_file)
        while lift.lifting():
            self.run_calls(4)
            for site in made:
                url = f"https://{site.hostname}/"
                answer = visit(f"127.0.0.1:{npm.https_port}", url, verify=authority)
                self.assertEqual(answer.status_code, 200)
        self.run_jobs()
        self.assertEqual(self.levels(), [NEWER] * 12)

    def test_the_command(self):
        self.sites(2)
        for bad in ({"batch": 0}, {"batch": 51}, {"stop": True}):
            with self.assertRaises(CommandError):
                call_command("lift", **bad)
        out = StringIO()
        call_command("lift", "--batch", "2", "--no-wait", stdout=out)
        self.assertEqual(out.getvalue().strip(), self.all().pk)
        call_command("lift", "--stop", stdout=out)
        self.run_jobs()
        self.assertEqual(self.levels(), [NEWER - 1] * 2)

        def carried_out(*_: object) -> None:
            self.run_jobs()

        with mock.patch("sites.management.commands.lift.sleep", carried_out):
            call_command("lift", stdout=out)
            call_command("lift", stdout=out)
        self.assertIn("2 lifted, 0 failed, 0 at work, 2 in all", out.getvalue())
        self.assertIn(f"All sites that run have level {NEWER}.", out.getvalue())
