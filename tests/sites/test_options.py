"""POST /action/options: what customers choose about WordPress inside their site."""

import re

from django.db import connection
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites import install, options
from sites.models import Plan, Site
from tests.base import on_one_database
from tests.factories import SiteFactory
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.sites.test_install_script import NAME, bash, site
from tests.visitor import visit

DEFAULTS = {"xmlrpc": False, "upload_mb": 128, "memory_mb": 256, "cache": True}
CHOSEN = {"xmlrpc": True, "upload_mb": 1, "memory_mb": 512, "cache": False}
CHOSEN_SIZES = {**DEFAULTS, "upload_mb": 300, "memory_mb": 64}


@on_one_database
class BoundTests(SimpleTestCase):
    def test_the_script_is_given_what_was_chosen(self):
        order = site()
        names = ("XMLRPC", "UPLOAD_MB", "MEMORY_LIMIT_MB", "PAGE_CACHE")
        given = install.parameters(order)
        self.assertEqual([given[name] for name in names], ["no", 128, 0, "yes"])
        order.xmlrpc, order.upload_mb, order.php_memory_mb, order.page_cache = True, 2048, 400, False
        given = install.parameters(order)
        self.assertEqual([given[name] for name in names], ["yes", 2048, 400, "no"])

    def test_a_smaller_plan_lowers_the_limit_and_a_larger_one_gives_it_back(self):
        order = site()
        order.php_memory_mb = 1500
        for memory, limit in ((2048, 512), (8192, 1500), (512, 128)):
            order.plan.memory_mb = memory
            self.assertEqual(options.of(order).memory_mb, limit)
            self.assertEqual(install.parameters(order)["MEMORY_LIMIT_MB"], limit)

    def test_the_default_that_is_told_is_that_of_the_script(self):
        head = install.script(site(), NAME).rpartition("# In braces")[0]
        for memory in (256, 1023, 1024, 8191, 8192, 32768):
            said = bash(f"{head}\nMEMORY={memory}\nMEMORY_LIMIT_MB=0\nphp_options\n", "-s").stdout.decode()
            limit = re.search(r"^memory_limit = (\d+)M$", said, re.MULTILINE)
            self.assertEqual(int(limit[1]), options.usual_memory(Plan(memory_mb=memory)))


class OptionsTests(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()
        self.calls.clear()

    def options(self, **chosen):
        return self.act("/action/options", options=chosen)

    def visit(self, path: str, **options):
        npm, authority = self.lab.npm, str(self.lab.keys.authority_file)
        url = f"https://{self.site.hostname}{path}"
        return visit(f"127.0.0.1:{npm.https_port}", url, verify=authority, **options)

    def scripts(self) -> int:
        """How many times a script was run since the last time."""
        number = sum(call.endswith("bash -s install") for _, call in self.calls)
        self.calls.clear()
        return number

    def test_what_is_chosen_holds_inside_and_stays_through_a_rollback_and_a_restart(self):
        self.assertEqual(self.get("/status?service_id=1001").json()["options"], DEFAULTS)
        self.assertEqual(self.visit("/xmlrpc.php").status_code, 403)
        self.assert_answer(self.options(**CHOSEN), options=CHOSEN)
        for again in ("", "/action/mkbak", "/action/rollback", "/action/restart"):
            if again:
                backups = self.get("/action/getbak?service_id=1001").json()["backups"]
                self.act(again, **({"bak": backups[0]["name"]} if again.endswith("rollback") else {}))
            with self.subTest(after=again):
                self.assertEqual(self.visit("/xmlrpc.php").status_code, 405, self.tale(self.site))
                self.assertEqual(self.get("/status?service_id=1001").json()["options"], CHOSEN)
        entry = Entry.objects.get(act="sites.options")
        self.assertEqual((entry.before["xmlrpc"], entry.after["xmlrpc"]), (False, True))

    def test_only_what_is_named_changes_and_nothing_is_done_when_nothing_does(self):
        self.assert_answer(self.options(xmlrpc=True), options={**DEFAULTS, "xmlrpc": True})
        self.assertEqual(self.scripts(), 1)
        for same in ({"xmlrpc": True}, {"cache": True}, {}, {"unknown": 5}):
            self.assert_answer(self.options(**same), options={**DEFAULTS, "xmlrpc": True})
        self.assert_answer(
            self.options(upload_mb=300, memory_mb=64), options={**CHOSEN_SIZES, "xmlrpc": True}
        )
        self.assert_answer(self.options(upload_mb=None, memory_mb=None, xmlrpc=False), options=DEFAULTS)
        self.assertEqual((self.scripts(), Job.objects.filter(kind="sites.options").count()), (2, 3))

    def test_in_a_stopped_container_they_hold_from_its_next_start(self):
        self.act("/action/stop")
        self.calls.clear()
        self.assert_answer(self.options(xmlrpc=True), options={**DEFAULTS, "xmlrpc": True})
        self.assertEqual(self.scripts(), 0)
        self.act("/action/start")
        self.assertEqual((self.scripts(), self.visit("/xmlrpc.php").status_code), (1, 405))

    def test_a_script_that_fails_leaves_the_wish_for_the_next_request(self):
        self.fault("ssh", "error", f"INSTALL {self.site.vmid} web", 3)
        answer = self.options(xmlrpc=True)
        self.assert_readable(self.assert_refused(answer, 500, "infrastructure")["error"])
        self.assertEqual(self.visit("/xmlrpc.php").status_code, 403)
        self.assert_answer(self.options(xmlrpc=True), options={**DEFAULTS, "xmlrpc": True})
        self.assertEqual(self.visit("/xmlrpc.php").status_code, 405)

    def test_options_that_change_while_a_script_runs_are_not_taken_for_done(self):
        self.ask("/action/options", options={"xmlrpc": True})
        self.run_until(self.site, "tuned", "sites.options", ref="install")
        Site.objects.filter(pk=self.site.pk).update(page_cache=False)
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertIsNone(self.site.tuned_for_mb, self.tale(self.site))

    def test_bad_input_and_other_refusals(self):
        for bad, said in (
            ({"upload_mb": 0}, "1 to 20480 MB"),
            ({"upload_mb": 20481}, "1 to 20480 MB"),
            ({"memory_mb": 63}, "64 to 512 MB"),
            ({"memory_mb": 513}, "64 to 512 MB"),
            ({"memory_mb": 10**30}, "64 to 512 MB"),
            ({"xmlrpc": "perhaps"}, "xmlrpc"),
            ({"xmlrpc": None}, "xmlrpc"),
            ({"upload_mb": "1; }"}, "upload_mb"),
            ({"cache": [True]}, "cache"),
        ):
            with self.subTest(bad):
                body = self.assert_refused(self.options(**bad), 400, "validation")
                self.assertIn(said, f"{body['error']} {body['fields']}")
        for bad in (None, [], "xmlrpc", 5):
            answer = self.post("/action/options", {"service_id": "1001", "options": bad})
            self.assert_refused(answer, 400, "validation")
        self.assert_refused(self.post("/action/options", {"service_id": "1001"}), 400, "validation")
        wish = {"xmlrpc": True}
        suspended = SiteFactory(suspended_at="2026-01-01T00:00:00Z").service_id
        provisioning = SiteFactory(provisioning=True).service_id
        for service_id, status, code in (
            ("never", 404, "not_found"),
            (suspended, 401, "service_suspended"),
            (provisioning, 409, "wrong_state"),
        ):
            answer = self.ask("/action/options", service_id, options=wish)
            self.assert_refused(answer, status, code)
        self.assertFalse(Job.objects.filter(kind="sites.options").exists())
        with CaptureQueriesContext(connection) as queries:
            self.ask("/action/options", options=wish)
        self.assertLessEqual(len(queries), 25)
        self.assert_refused(self.ask("/action/options", options={"cache": False}), 409, "busy")
