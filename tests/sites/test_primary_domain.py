"""The name that WordPress has for itself: the customer's first domain with a certificate, else our own."""

from itertools import product

from lab.wordpress import Visit
from nodepoint.jobs.models import Job
from sites.models import CustomDomain, Site
from tests.sites.acts import ActsMixin
from tests.sites.domains import SHOP, DomainTestCase
from tests.sites.faults import Act

OWN = "janedoe.nodepoint.eu"
OTHER = "other.example.net"
PRIMARY = "/etc/wordpress-primary-domain"


class PrimaryDomainTests(ActsMixin, DomainTestCase):
    def inside(self) -> str:
        """What the file in the container says."""
        with self.lab.lock:
            return self.lab.guest._guests[900]["files"][PRIMARY].strip()

    def known(self) -> str:
        return Site.objects.get(vmid=900).serves_as

    def assert_primary(self, name: str) -> None:
        self.assertEqual((self.inside(), self.known()), (name, name), self.tale(self.site))

    def leads_to(self, name: str) -> str:
        """Where the container sends a visitor of this name; empty: it answers itself."""
        with self.lab.lock:
            visit = Visit(name, "/")
            answer = self.lab.guest.http(900, visit, 0.0)
        return answer.headers.get("Location", "")

    def test_a_new_site_goes_by_the_platforms_name(self):
        self.assert_primary(OWN)
        self.assertEqual(self.leads_to(OWN), "")
        self.assertEqual(self.leads_to("foreign.example"), f"https://{OWN}/")

    def test_the_first_domain_with_a_certificate_becomes_the_name(self):
        self.add()
        self.assert_primary(SHOP)
        self.assertEqual(self.leads_to(SHOP), "")
        self.assertEqual(self.leads_to(OWN), f"https://{SHOP}/")
        self.add(OTHER)
        self.assert_primary(SHOP)
        self.assertEqual(self.leads_to(OTHER), f"https://{SHOP}/")
        self.assertEqual(Job.objects.filter(kind="sites.primary").count(), 1)

    def test_without_a_certificate_it_leads_to_the_platforms_name(self):
        self.lab.npm.state.certificates._authority._points_here = lambda name: False
        self.accept()
        self.run_for(60)
        self.assert_primary(OWN)
        self.assertTrue(self.served())

    def test_it_is_given_back_before_the_domain_goes(self):
        self.add()
        self.add(OTHER)
        seen = []
        gone = self.lab.npm.state.delete

        def note(*args, **options):
            seen.append(self.inside())
            return gone(*args, **options)

        self.lab.npm.state.delete = note
        self.assertEqual(self.del_domain().status_code, 200)
        self.run_jobs()
        self.assertEqual(seen, [OTHER])
        self.assert_primary(OTHER)
        self.del_domain(OTHER)
        self.run_jobs()
        self.assert_primary(OWN)
        self.assertEqual(CustomDomain.objects.count(), 0)

    def test_the_removal_of_another_domain_touches_nothing_inside(self):
        self.add()
        self.add(OTHER)
        before = self.count("ssh", "bash -s install")
        self.del_domain(OTHER)
        self.run_jobs()
        self.assert_primary(SHOP)
        self.assertEqual(self.count("ssh", "bash -s install"), before)

    def test_a_rollback_brings_back_no_earlier_name(self):
        self.add()
        self.act("/action/reset")
        self.assert_primary(SHOP)

    def test_a_rollback_brings_back_no_domain_that_is_gone(self):
        self.add()
        bak = self.act("/action/mkbak").json()["backup"]
        self.del_domain()
        self.run_jobs()
        self.assert_primary(OWN)
        self.act("/action/rollback", bak=bak)
        self.assert_primary(OWN)

    def test_in_a_stopped_site_it_is_done_at_the_next_start(self):
        self.act("/action/stop")
        self.add()
        self.assertEqual(self.inside(), OWN)
        self.act("/action/start")
        self.assert_primary(SHOP)

    def test_a_site_that_cannot_be_told_keeps_no_domain_from_going(self):
        self.add()
        self.fault("ssh", "error", "INSTALL 900 configuration", count=100)
        self.del_domain()
        self.run_jobs()
        job = Job.objects.get(kind="sites.remove_domain")
        self.assertEqual(job.state, "succeeded", self.tale(self.site))
        self.assert_readable(job.warning)
        self.assertEqual(self.hosts_of(), [])
        self.clear_faults()
        self.act("/action/restart")
        self.assert_primary(OWN)

    def test_faults_that_pass(self):
        faults = ("error", "drop_before", "drop_after")
        calls = (Act("ssh", "bash -s install"), Act("ssh", "install.status"))
        for number, (fault, act) in enumerate(product(faults, calls)):
            with self.subTest(fault=fault, call=act.match):
                name = f"shop{number}.example.com"  # Let's Encrypt counts the certificates of one name
                self.fault(act.system, fault, act.match)
                self.add(name)
                self.assert_primary(name)
                self.fault(act.system, fault, act.match)
                self.del_domain(name)
                self.run_jobs()
                self.assert_primary(OWN)
                self.clear_faults()

    def test_a_suspension_meanwhile_is_not_held_up(self):
        self.accept()
        self.act("/suspend")
        self.run_jobs()
        self.act("/unsuspend")
        self.run_jobs()
        self.assert_primary(SHOP)
