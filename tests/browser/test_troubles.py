"""Twelve cases of trouble that the lab can cause: each is found on the board, understood, and put right with
at most three clicks from there. docs/staff.md walks through them with the pictures that are taken here.

Here are the first six, jobs that failed or wait; the others are in test_troubles_more.py."""

from django.core import mail

from nodepoint.jobs.models import Job
from sites.models import CustomDomain, Site
from tests.browser.troubles import AWAY, TroubleTestCase
from tests.sites.domains import SHOP


class TroubleTests(TroubleTestCase):
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
        self.find_on_board("Nothing is on fire. To be looked at today: failed e-mails", "is not sent")
        self.click("is not sent: 1001")
        self.shows("The SSH service of the node failed", "Ask for it again")
        self.picture("5-mail")
        self.click("Ask for it again")
        self.put_right("Asked for again")
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
