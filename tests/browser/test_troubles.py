"""Ten cases of trouble that the lab can cause: each is found on the board, understood, and put right with at
most three clicks from there. docs/staff.md walks through them with the pictures that are taken here."""

import time
from datetime import timedelta

from django.core import mail
from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.connections import cloudflare, npm
from sites.models import CustomDomain, Site
from tests.browser.base import BOARD, StaffBrowserTestCase
from tests.factories import SiteFactory
from tests.sites.domains import SHOP

AWAY = {"kind": "drop_before", "count": 100_000}
MOST_CLICKS = 3
WELL = ("well", "All is well. Nothing needs you.")


class TroubleTests(StaffBrowserTestCase):
    def find_on_board(self, verdict: str, *words: str) -> None:
        """The first sentence of the board tells it, and so does its group."""
        self.look_at_everything()
        self.go(BOARD)
        state, sentence = self.verdict()
        self.assertIn(verdict, sentence, self.text("#np-needs"))
        self.assertEqual(state, "failing" if sentence.startswith("Look at this now") else "waiting")
        self.shows(*words, css="#np-needs")
        self.clicks = 0

    def put_right(self, said: str) -> None:
        """The last click; its page says what happens now, and the workers do it."""
        self.click("Yes, do it")
        self.shows(said, css="body")
        self.assertLessEqual(self.clicks, MOST_CLICKS)
        self.run_jobs()

    def is_well_again(self) -> None:
        """Nothing is left on the board."""
        self.pass_time(600)
        self.look_at_everything()
        self.go(BOARD)
        self.assertEqual(self.verdict(), WELL, self.text("#np-needs"))

    def healthy_site(self) -> Site:
        """One that has been live for a while."""
        site = self.live_site()
        self.pass_time(600)
        site.refresh_from_db()
        return site

    def test_1_an_order_that_cloudflare_refused(self) -> None:
        self.fault("cloudflare", "refuse", "POST /client/v4/zones")
        self.create()
        self.pass_time()
        self.find_on_board("Look at this now: failed jobs (1)", "Create site: 1001", "Cloudflare")
        self.click("Create site: 1001")
        self.shows("FAILED, UNDONE", "Customers read:", "The system said:", "Ask for it again")
        self.picture("1-refused")
        self.click("Ask for it again")
        self.put_right("Asked for again: this is the new job.")
        self.assertEqual(Site.objects.get(live_key="1001").state, Site.State.LIVE)
        self.is_well_again()

    def test_2_an_order_that_waits_for_the_proxy(self) -> None:
        self.fault("npm", **AWAY)
        site = self.create()
        self.pass_time(700)
        self.find_on_board("systems down (1), jobs stuck or being undone (1)", "Nginx Proxy Manager")
        self.picture("2-stuck")
        self.clear_faults()
        self.click("Create site: 1001")
        self.shows("Held up. Setting up the proxy: Nginx Proxy Manager did not answer", "next try in")
        self.click("Retry now")
        self.put_right("It is being called.")
        self.assert_live(site)
        self.is_well_again()

    def test_3_a_deletion_that_waits_for_a_node(self) -> None:
        site = self.healthy_site()
        self.control("node", node=site.node, up=False)
        self.delete()
        self.pass_time(700)
        self.find_on_board("jobs stuck or being undone (1)", "Delete site: 1001")
        self.click("Delete site: 1001")
        self.shows("Held up. Deleting the container: Proxmox VE could not be reached.", "Gives up never")
        self.picture("3-node-away")
        self.control("node", node=site.node, up=True)
        self.click("Retry now")
        self.put_right("It is being called.")
        self.assert_nothing_left()
        self.is_well_again()

    def test_4_a_rollback_that_proxmox_failed(self) -> None:
        site = self.healthy_site()
        name = self.act("/action/mkbak").json()["backup"]
        self.fault("proxmox", "refuse", "/rollback", count=100)
        self.act("/action/rollback", bak=name)
        self.clear_faults()
        self.pass_time()
        self.find_on_board("failed jobs (1)", "1001", "Proxmox VE")
        self.click("Roll back")
        self.shows(name, "Proxmox VE", "Ask for it again")
        self.assertEqual(self.container(site.vmid)["status"], "running")
        self.picture("4-rollback")
        self.click("Ask for it again")
        self.put_right("Asked for again")
        self.assertEqual(Job.objects.filter(kind="sites.rollback", state="succeeded").count(), 1)
        self.is_well_again()

    def test_5_an_e_mail_without_its_link(self) -> None:
        self.fault("ssh", "error", "bash -s password", count=100_000)
        self.create()
        self.pass_time()
        self.clear_faults()
        self.find_on_board("Nothing is on fire. To be looked at today: failed e-mails", "Sending the e-mail")
        self.click("Sending the e-mail: 1001")
        self.shows("The SSH service of the node failed", "Retry now")
        self.picture("5-mail")
        self.click("Retry now")
        self.put_right("It is being called.")
        self.assertIn("Jane.Doe@example.com", [to for message in mail.outbox for to in message.to])
        self.is_well_again()

    def test_6_a_domain_whose_certificate_was_refused(self) -> None:
        self.healthy_site()
        self.accept()
        self.fault("npm", "refuse", "POST /api/nginx/certificates", count=100_000)
        self.pass_time()
        self.clear_faults()
        self.find_on_board("failed jobs (1)", "Nginx Proxy Manager")
        self.click("certificate")
        self.shows(SHOP, "Ask for it again")
        self.assertTrue(self.served())
        self.picture("6-certificate")
        self.click("Ask for it again")
        self.put_right("Asked for again")
        self.assertEqual(CustomDomain.objects.get().certificate, "active")
        self.is_well_again()

    def test_7_a_suspended_site_that_runs(self) -> None:
        site = self.healthy_site()
        self.act("/suspend")
        self.pass_time(600)
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            cluster.power.fork_start(cluster.containers[site.vmid], "root@pam", time.time())
        self.lab.world.settle()
        self.find_on_board("Look at this now: suspended but running (1)", f"1001: container {site.vmid}")
        self.click(f"1001: container {site.vmid} (runs although suspended)")
        self.shows("It is suspended and its container runs all the same.", "SUSPENDED")
        self.picture("7-suspended-runs")
        self.click("Verify and repair")
        self.put_right("It is being looked at.")
        self.assertEqual(self.container(site.vmid)["status"], "stopped")
        self.is_well_again()

    def test_8_a_record_and_a_proxy_host_that_are_gone(self) -> None:
        site = self.healthy_site()
        cloudflare().delete_record(site.dns_record_id)
        npm().delete_proxy_host(site.proxy_host_id)
        self.find_on_board("Look at this now: things that are gone (2)", f"record {site.hostname}")
        self.picture("8-gone")
        self.click(f"record {site.hostname}")
        self.shows(f"Cloudflare: record {site.hostname} missing.", f"proxy host {site.hostname} missing.")
        self.click("Verify and repair")
        self.put_right("It is being looked at.")
        (record,) = cloudflare().find_records(site.hostname)
        self.assertEqual(record.content, site.public_ip)
        self.assertEqual(len(self.hosts_of(site.hostname)), 1)
        self.is_well_again()

    def test_9_a_container_that_is_gone(self) -> None:
        site = self.healthy_site()
        del self.lab.proxmox.cluster.containers[site.vmid]
        self.find_on_board("Look at this now: things that are gone (1)", f"1001: container {site.vmid}")
        self.click(f"1001: container {site.vmid}")
        self.shows(f"The cluster shows no container {site.vmid}.", "Unlink")
        self.picture("9-container-gone")
        self.click("Unlink")
        self.fill(typed="1001", reason="Destroyed by hand, the customer knows")
        self.put_right("It is being looked for.")
        self.assert_nothing_left()
        self.is_well_again()

    def test_10_something_left_over(self) -> None:
        gone = SiteFactory(service_id="0999", deleted=True, ended_at=timezone.now() - timedelta(days=3))
        cloudflare().create_record("A", "gone.nodepoint.eu", "203.0.113.9", comment=gone.owner_mark)
        self.find_on_board("Nothing is on fire. To be looked at today: differences (1)", "gone.nodepoint.eu")
        self.click("record gone.nodepoint.eu")
        self.shows("left over", "Put right")
        self.picture("10-left-over")
        self.click("Put right")
        self.put_right("It is being put right.")
        self.assertEqual(cloudflare().find_records("gone.nodepoint.eu"), [])
        self.is_well_again()
