"""Where every site orders its own certificate (NPM_CERTIFICATE=letsencrypt)."""

import time
from datetime import timedelta
from unittest import mock

from django.test import override_settings

from nodepoint.jobs.models import Job
from sites.connections import npm
from sites.flows import PROVISION
from sites.models import Site
from tests.base import on_one_database
from tests.sites.base import SiteTestCase

NAME = "janedoe.nodepoint.eu"


@on_one_database
class LetsEncryptTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.shared = int(self.lab.settings["NPM_CERTIFICATE"])
        self.enterContext(override_settings(NPM_CERTIFICATE="letsencrypt"))

    def certificates(self) -> list[int]:
        """The ids of all certificates but the shared one."""
        return [c["id"] for c in self.state()["npm"]["certificates"] if c["id"] != self.shared]

    def assert_shared_one_is_there(self) -> None:
        self.assertIn(self.shared, [c["id"] for c in self.state()["npm"]["certificates"]])

    def test_the_host_uses_a_certificate_of_its_own_and_forces_tls(self):
        site = self.live_site()
        (certificate,) = self.certificates()
        self.assertEqual(site.certificate_id, certificate)
        self.assertEqual(npm().certificate(certificate).domain_names, {NAME})
        (host,) = self.state()["npm"]["proxy_hosts"]
        self.assertEqual(host["certificate_id"], certificate)
        self.assertTrue(host["ssl_forced"] and host["http2_support"] and host["meta"]["nginx_online"])

    def test_it_is_ordered_when_the_name_and_the_host_are_there(self):
        self.live_site()
        asked = [what for _, what in self.calls]
        record = next(what for what in asked if what.startswith("POST /client/v4/zones"))
        order = asked.index("POST /api/nginx/certificates")
        self.assertLess(asked.index(record), order)
        self.assertLess(asked.index("POST /api/nginx/proxy-hosts"), order)
        self.assertLess(order, asked.index("PUT /api/nginx/proxy-hosts/1"))

    def test_deletion_removes_the_host_before_its_certificate_and_never_the_shared_one(self):
        site = self.live_site()
        self.calls.clear()
        self.delete()
        self.run_jobs()
        gone = [what.split("/")[3] for system, what in self.calls if system == "npm" and "DELETE" in what]
        self.assertEqual(gone, ["proxy-hosts", "certificates"])
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
        self.assert_nothing_left()
        self.assert_shared_one_is_there()

    def test_an_authority_that_refuses_undoes_the_order(self):
        site = self.create(public_ip="198.51.100.9")  # the name leads elsewhere: the challenge fails
        self.run_jobs()
        self.assert_undone(site)
        self.assertIn("Nginx Proxy Manager", self.job(site).error)
        self.assertIn("challenges have failed", self.job(site).detail)
        self.assert_shared_one_is_there()
        # Not before its time is over, and not more often than the authority permits in an hour.
        self.assertGreater(self.job(site).finished_at - self.job(site).created_at, timedelta(minutes=25))
        self.assertEqual(self.count("npm", "POST /api/nginx/certificates"), 5)

    def test_an_authority_that_refuses_for_a_while_delays_the_order_only(self):
        authority = self.lab.npm.state.certificates._authority
        with mock.patch.object(authority, "_points_here", return_value=False):
            site = self.create()
            self.run_for(12 * 60)
            step = self.step(site, "certificate")
            self.assertEqual(step.state, "waiting", self.tale(site))
            self.assertIn("Let's Encrypt could not verify the name", step.error)
            self.assertRegex(step.detail, "^challenge: .*Some challenges have failed")
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(len(self.certificates()), 1)

    def test_a_missing_permission_undoes_the_order_at_once(self):
        self.fault("npm", "refuse", "POST /api/nginx/certificates", count=1000)
        site = self.create()
        self.run_jobs()
        self.assert_undone(site)
        self.assertLess(self.job(site).finished_at - self.job(site).created_at, timedelta(minutes=5))

    def begun(self, name: str = NAME) -> int:
        """An order that NPM carries out although our call for it has ended: its certificate, unfinished."""
        certificates = self.lab.npm.state.certificates
        with self.lab.lock:
            row = certificates._insert({"provider": "letsencrypt", "domain_names": [name]})
            certificates._runs[row["id"]] = {"id": row["id"], "names": [name], "clears_the_way": False}
        return row["id"]

    def ended(self, id: int) -> None:
        """It ends well."""
        certificates = self.lab.npm.state.certificates
        with self.lab.lock:
            del certificates._runs[id]
            certificates._issue(certificates._rows[id], time.time())

    def test_an_order_that_still_runs_is_neither_repeated_nor_are_hosts_taken_from_under_it(self):
        site = self.create()
        self.run_until(site, "proxy_host", state="done")
        first = self.begun()
        self.run_for(60)
        self.assertEqual(self.count("npm", "POST /api/nginx/certificates"), 0)
        self.assertIn("still ordering", self.step(site, "certificate").error)
        self.delete()
        self.run_for(60)
        # NPM would put the file of a deleted host back when the order ends, and nothing could remove it.
        self.assertEqual(len(self.state()["npm"]["proxy_hosts"]), 1)
        self.ended(first)
        self.run_jobs()
        self.assert_nothing_left()
        self.assertEqual(self.certificates(), [])

    def test_an_order_that_died_with_npm_is_cleared_away_and_repeated(self):
        site = self.create()
        self.run_until(site, "proxy_host", state="done")
        dead = self.begun()
        with self.lab.lock:
            self.lab.npm.state.certificates._runs.clear()
        self.run_jobs()
        self.assert_live(site)
        site.refresh_from_db()
        self.assertNotEqual(site.certificate_id, dead)
        self.assertEqual(self.certificates(), [site.certificate_id])

    def test_a_running_certbot_is_waited_for(self):
        runs = self.lab.npm.state.certificates._runs
        runs[0] = {"id": 0}
        site = self.create()
        self.run_for(120)
        step = self.step(site, "certificate")
        self.assertEqual(step.state, "waiting", self.tale(site))
        self.assertEqual(step.error, "Nginx Proxy Manager is busy.")
        runs.clear()
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(len(self.certificates()), 1)

    def test_a_certbot_that_never_ends_undoes_the_order_in_time(self):
        self.lab.npm.state.certificates._runs[0] = {"id": 0}
        site = self.create()
        self.run_jobs()
        self.assert_undone(site)
        took = self.job(site).finished_at - self.job(site).created_at
        self.assertLess(took.total_seconds(), PROVISION.deadline + 120)

    def test_a_certificate_that_is_ours_by_a_lost_answer_is_used(self):
        self.fault("npm", "drop_after", "POST /api/nginx/certificates")
        site = self.live_site()
        self.assertEqual(self.certificates(), [site.certificate_id])

    def test_somebody_elses_certificate_for_the_name_is_neither_used_nor_deleted(self):
        with self.lab.lock:
            theirs = self.lab.npm.state.certificates.install([NAME], 90)
            row = self.lab.npm.state.certificates._rows[theirs]
            row["created_on"] = "2026-01-01 00:00:00"
        site = self.live_site()
        self.assertNotEqual(site.certificate_id, theirs)
        self.delete()
        self.run_jobs()
        self.assertEqual(self.certificates(), [theirs])

    def test_a_site_keeps_and_loses_its_own_when_the_setting_changes_meanwhile(self):
        self.live_site()
        with override_settings(NPM_CERTIFICATE=str(self.shared)):
            self.delete()
            self.run_jobs()
        self.assertEqual(self.certificates(), [])
        self.assert_shared_one_is_there()


@on_one_database
class SharedCertificateTests(SiteTestCase):
    def test_no_certificate_is_ordered(self):
        site = self.live_site()
        self.assertEqual(self.count("npm", "POST /api/nginx/certificates"), 0)
        self.assertIsNone(site.certificate_id)

    def test_a_missing_or_expired_one_makes_no_host_without_tls(self):
        with override_settings(NPM_CERTIFICATE="4711"):
            site = self.create()
            self.run_jobs()
        self.assert_undone(site)
        self.assertEqual(self.count("npm", "POST /api/nginx/proxy-hosts"), 0)
        self.assertIn("4711", self.job(site).detail)

    def test_it_outlives_every_site(self):
        self.live_site()
        self.delete()
        self.run_jobs()
        self.assertEqual(len(self.state()["npm"]["certificates"]), 1)
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())
