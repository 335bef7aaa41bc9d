"""The certificate of a custom domain: a job of the domain, slow to repeat, the domain served meanwhile."""

import time
from datetime import timedelta
from typing import Any
from unittest import mock

from nodepoint.jobs import tasks
from nodepoint.jobs.models import Job, JobStep
from sites.clients.npm import Certificate, Npm
from sites.connections import npm
from sites.models import Site
from tests.base import on_one_database
from tests.sites.domains import SHOP, DomainTestCase

HOUR = 3600


@on_one_database
class CertificateTests(DomainTestCase):
    def details(self) -> dict:
        """How the domain is, as customers see it."""
        return self.domains()["details"][0]

    def fail_challenges(self, count: int = 1000) -> None:
        """The authority cannot see the challenge, although DNS is right."""
        authority = self.lab.npm.state.certificates._authority
        authority._points_here = lambda name: False

    def mend_challenges(self) -> None:
        """As it is without `fail_challenges`."""
        del self.lab.npm.state.certificates._authority._points_here

    def test_a_refusal_is_told_and_the_domain_is_served_by_http(self):
        self.fail_challenges()
        self.accept()
        self.run_for(60)
        details = self.details()
        self.assertEqual((details["status"], details["certificate"]), ("active", "failed"))
        self.assert_readable(details["error"])
        self.assertTrue(self.served())
        self.assertEqual(self.host_of()["certificate_id"], 0)
        self.assertEqual(self.certificates_of(), [])

    def test_at_most_five_tries_in_any_hour_and_they_become_rare(self):
        self.fail_challenges()
        domain = self.accept()
        self.run_for(5 * 24 * HOUR)
        failures = self.order_step(domain).data["failures"]
        self.assertGreater(len(failures), 8)
        for begin in failures:
            self.assertLessEqual(sum(begin <= at < begin + HOUR for at in failures), 5)
        self.assertGreater(failures[-1] - failures[-2], 6 * HOUR)
        self.assertEqual(self.orders(), len(failures))

    def test_removing_and_adding_it_again_does_not_get_round_the_limit(self):
        self.fail_challenges()
        for _ in range(8):
            self.clock.move(60)
            self.accept()
            self.run_for(30)
            self.assertEqual(self.del_domain().status_code, 200)
            self.run_for(30)
            self.assertEqual(self.domains()["domains"], [])
        self.assertEqual(self.orders(), 5)

    def test_it_succeeds_when_the_fault_is_mended(self):
        self.fail_challenges()
        self.accept()
        self.run_for(HOUR)
        self.mend_challenges()
        self.run_jobs()
        self.assertEqual(self.details(), {**self.details(), "certificate": "active", "error": None})
        self.assertEqual([self.host_of()["certificate_id"]], self.certificates_of())
        self.assertTrue(self.host_of()["ssl_forced"])

    def test_asking_again_orders_at_once(self):
        self.fail_challenges()
        self.accept()
        self.run_for(HOUR)
        self.mend_challenges()
        self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)
        self.run_for(60)
        self.assertEqual(self.details()["certificate"], "active")
        self.run_jobs()
        states = Job.objects.filter(kind="sites.certificate").order_by("created_at")
        self.assertEqual(list(states.values_list("state", flat=True)), ["cancelled", "succeeded"])
        self.assertEqual(len(self.certificates_of()), 1)

    def test_a_week_without_is_the_end(self):
        self.fail_challenges()
        domain = self.accept()
        self.run_for(8 * 24 * HOUR)
        self.assertFalse(Job.objects.filter(subject=domain.key, state__in=Job.ALIVE).exists())
        details = self.details()
        self.assertEqual((details["status"], details["certificate"]), ("active", "failed"))
        self.assertIn("add it again", details["error"])
        self.assertTrue(self.served())

    def test_a_customers_mistake_alarms_nobody(self):
        self.fail_challenges()
        domain = self.accept()
        self.run_for(HOUR)
        job = Job.objects.get(subject=domain.key)
        Job.objects.filter(pk=job.pk).update(created_at=job.created_at - timedelta(days=2))
        self.assertEqual(tasks.alarm(), 0)

    def test_dns_is_asked_again_before_each_order(self):
        self.accept()
        self.point(SHOP, "198.51.100.7")
        self.run_for(HOUR)
        self.assertEqual(self.orders(), 0)
        self.assertEqual(self.details()["certificate"], "failed")
        self.assertIn("leads to 198.51.100.7", self.details()["error"])
        self.point()
        self.run_jobs()
        self.assertEqual((self.details()["certificate"], self.details()["error"]), ("active", None))
        self.assertEqual(self.orders(), 1)

    def test_a_lost_answer_is_no_second_order(self):
        self.fault("npm", "drop_after", "POST /api/nginx/certificates")
        self.add()
        self.assertEqual(self.details()["certificate"], "active")
        self.assertEqual((self.orders(), len(self.certificates_of())), (1, 1))

    def test_another_order_at_npm_is_waited_for(self):
        self.lab.npm.state.certificates._runs[0] = {"id": 0}
        self.accept()
        self.run_for(300)
        self.assertEqual(self.details()["certificate"], "pending")
        self.lab.npm.state.certificates._runs.clear()
        self.run_jobs()
        self.assertEqual(self.details()["certificate"], "active")

    def test_the_authoritys_own_limit_is_waited_for_in_hours(self):
        authority = self.lab.npm.state.certificates._authority
        for _ in range(5):
            authority.note([SHOP], self.clock.time.timestamp())
        self.accept()
        self.run_for(3 * HOUR)
        self.assertLessEqual(self.orders(), 4)
        self.assertEqual(self.details()["certificate"], "failed")
        self.assertIn("Let's Encrypt permits no more certificates", self.details()["error"])

    def test_npm_away_for_hours_delays_it_only(self):
        domain = self.accept()
        while self.job(self.site, "sites.add_domain").alive:
            self.run_calls(1)
        self.fault("npm", "drop_before", "/api/nginx/certificates", 100_000)
        self.run_for(2 * HOUR)
        self.assertEqual(self.details()["certificate"], "pending", self.order_step(domain).detail)
        self.clear_faults()
        self.run_jobs()
        self.assertEqual(self.details()["certificate"], "active")

    def test_a_host_that_npm_put_back_although_it_was_switched_off_is_taken_off_again(self):
        domain = self.accept()
        while not self.certificates_of():
            self.run_calls(1)
        self.toggle(enabled=False)
        ordering = JobStep.objects.filter(name="encryption", state__in=JobStep.ACTIVE)
        ordering.update(due_at=self.clock.time + timedelta(minutes=1))
        self.run_for(30)
        self.assertFalse(self.host_of()["enabled"])
        row = self.host_of() | {"enabled": True}
        with self.lab.lock:  # as NPM does at the end of an order: from what it read at its beginning
            self.lab.npm.state._write_config(row)
            self.lab.npm.state.nginx.reload()
        self.assertTrue(self.served())
        self.run_jobs()
        self.assertFalse(self.served(), self.tale(self.site))
        domain.refresh_from_db()
        self.assertEqual(domain.certificate, "active")

    def test_a_failed_order_serves_no_domain_that_was_switched_off_meanwhile(self):
        self.accept()
        order = Npm.create_certificate
        authority = self.lab.npm.state.certificates._authority

        def switched_off_meanwhile(client: Npm, *args: Any) -> Certificate:
            Site.objects.filter(pk=self.site.pk).update(proxy_enabled=False)
            return order(client, *args)

        def refused(name: str) -> bool:
            self.lab.npm.state.disable(self.lab.npm.state.find(name)[0]["id"])
            return False

        authority._points_here = refused
        with mock.patch.object(Npm, "create_certificate", switched_off_meanwhile):
            while not self.orders():
                self.run_calls(1)
        self.assertFalse(self.host_of()["enabled"])
        self.assertFalse(self.served())
        self.assertEqual(self.details()["certificate"], "failed")

    def test_a_domain_stays_at_npm_as_long_as_its_order_runs_there(self):
        domain = self.accept()
        while self.job(self.site, "sites.add_domain").alive:
            self.run_calls(1)
        certificates = self.lab.npm.state.certificates
        with self.lab.lock:
            row = certificates._insert({"provider": "letsencrypt", "domain_names": [SHOP]})
            certificates._runs[row["id"]] = {"id": row["id"]}
        self.run_for(60)
        self.assertEqual(self.orders(), 0)
        self.assertIn("still ordering", self.order_step(domain).error)
        self.del_domain()
        self.run_for(60)
        self.assertEqual(self.host_of()["domain_names"], [SHOP])
        with self.lab.lock:
            certificates._runs.clear()
            certificates._issue(row, time.time())
        self.run_jobs()
        self.assertEqual(self.domains()["domains"], [])
        self.assertEqual((self.certificates_of(), npm().find_proxy_hosts(SHOP)), ([], []))

    def order_of_an_earlier_call(self) -> None:
        """NPM lists an order whose answer was lost, and which may never end."""
        with self.lab.lock:
            self.lab.npm.state.certificates._insert({"provider": "letsencrypt", "domain_names": [SHOP]})

    def test_an_order_that_died_is_given_its_time_and_the_next_one_its_own(self):
        domain = self.accept()
        while self.job(self.site, "sites.add_domain").alive:
            self.run_calls(1)
        self.order_of_an_earlier_call()
        self.run_for(10 * 60)
        self.order_of_an_earlier_call()
        _, second = sorted(self.certificates_of())
        self.run_for(6 * 60)
        self.assertEqual(self.certificates_of(), [second], "the second one has been there for 6 minutes")
        self.assertIn("still ordering", self.order_step(domain).error)
        self.run_jobs()
        self.assertEqual(self.details()["certificate"], "active")
        self.assertNotIn(second, self.certificates_of())

    def test_a_domain_whose_order_died_can_be_removed(self):
        self.accept()
        while self.job(self.site, "sites.add_domain").alive:
            self.run_calls(1)
        self.order_of_an_earlier_call()
        self.del_domain()
        self.run_for(12 * 60)  # longer than a customer's wish has time
        self.assertEqual(len(self.hosts_of()), 1)
        self.run_jobs()
        self.assertEqual(self.domains()["domains"], [], self.tale(self.site))
        self.assertEqual((self.certificates_of(), self.hosts_of()), ([], []))

    def test_somebody_elses_certificate_for_the_name_is_neither_used_nor_deleted(self):
        with self.lab.lock:
            certificates = self.lab.npm.state.certificates
            theirs = certificates.install([SHOP], 90)
            certificates._rows[theirs]["created_on"] = "2026-01-01 00:00:00"
        self.add()
        self.assertNotEqual(self.host_of()["certificate_id"], theirs)
        self.del_domain()
        self.run_jobs()
        self.assertEqual(self.certificates_of(), [theirs])
