"""POST /action/safemode: WordPress without plugins and theme, so that whoever administers it can log in."""

from unittest import mock

from lab.wordpress import SAFE_MODE
from nodepoint.jobs.models import Job
from sites import tasks
from tests.factories import SiteFactory
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.visitor import visit


class SafeModeTests(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()

    def safe_mode(self, enabled: object, **body):
        return self.act("/action/safemode", enabled=enabled, **body)

    def shown(self) -> tuple[bool, int]:
        """What the status says, and what a visitor's browser gets."""
        npm, authority = self.lab.npm, str(self.lab.keys.authority_file)
        url = f"https://{self.site.hostname}/"
        answer = visit(f"127.0.0.1:{npm.https_port}", url, verify=authority)
        return self.get("/status?service_id=1001").json()["safe_mode"], answer.status_code

    def test_a_broken_plugin_is_named_and_safe_mode_leads_past_it_and_back(self):
        self.lab.guest.break_site(self.site.vmid, "plugin")
        refusal = self.assert_refused(self.act("/action/login"), 409, "wrong_state")
        self.assertIn("The plugin bad is at fault: switch safe mode on", refusal["error"])
        self.assertEqual(self.shown(), (False, 500))
        self.assert_answer(self.safe_mode(True), enabled=True)
        self.assertEqual(self.shown(), (True, 200), self.tale(self.site))
        self.assertIn("#", self.act("/action/login").json()["url"])
        self.assert_answer(self.safe_mode(True), enabled=True)
        self.assert_answer(self.safe_mode(False), enabled=False)
        self.assertEqual(self.shown(), (False, 500))
        kinds = Job.objects.filter(kind="sites.safemode").values_list("state", flat=True)
        self.assertEqual(list(kinds), ["succeeded"] * 3)

    def test_where_it_does_not_help_nothing_is_switched_and_the_cause_is_told(self):
        self.lab.guest.break_site(self.site.vmid, "database")
        error = self.assert_refused(self.safe_mode(True), 500, "infrastructure")["error"]
        self.assertIn("not answer in safe mode either. At fault is its database", error)
        self.assertEqual(self.shown(), (False, 500))

    def test_a_backup_brings_back_the_mode_of_its_day(self):
        self.act("/action/mkbak")
        self.safe_mode(True)
        self.act("/action/mkbak")
        safe, plain = (one["name"] for one in self.get("/action/getbak?service_id=1001").json()["backups"])
        for bak, wanted in ((plain, False), (safe, True)):
            self.act("/action/rollback", bak=bak)
            self.assertEqual(self.shown()[0], wanted, self.tale(self.site))
        self.act("/action/reset")
        self.assertFalse(self.shown()[0])

    def test_where_a_restart_has_lost_it_on_a_full_disk_it_is_switched_on_again(self):
        tasks.look_inside()
        self.safe_mode(True)
        self.lab.guest._guests[self.site.vmid]["files"].pop(SAFE_MODE)  # it was on a tmpfs
        self.act("/action/restart")
        for begun in (1, 0):
            with mock.patch("django.utils.timezone.now", return_value=self.clock.time):
                before = Job.objects.filter(kind="sites.safemode").count()
                tasks.look_inside()
                self.assertEqual(Job.objects.filter(kind="sites.safemode").count() - before, begun)
            self.run_jobs()
        self.assertIn(SAFE_MODE, self.lab.guest._guests[self.site.vmid]["files"])
        self.assertEqual(self.job(self.site, "sites.restart").warning, "")

    def test_a_connection_that_breaks_is_made_up_for(self):
        self.fault("ssh", "drop_after", "bash -s safemode", 1)
        self.assert_answer(self.safe_mode(True), enabled=True)
        self.assertTrue(self.shown()[0])

    def test_refusals(self):
        for bad in ("perhaps", None, [], 2):
            self.assert_refused(self.safe_mode(bad), 400, "validation")
        self.assert_refused(self.post("/action/safemode", {"service_id": "1001"}), 400, "validation")
        suspended = SiteFactory(suspended_at="2026-01-01T00:00:00Z").service_id
        for service_id, status, code in (("never", 404, "not_found"), (suspended, 401, "service_suspended")):
            answer = self.ask("/action/safemode", service_id, enabled=True)
            self.assert_refused(answer, status, code)
        self.ask("/action/safemode", enabled=True)
        self.assert_refused(self.ask("/action/safemode", enabled=False), 409, "busy")
        self.run_jobs()
        self.act("/action/stop")
        self.assertIn("stopped", self.assert_refused(self.safe_mode(False), 409, "wrong_state")["error"])
