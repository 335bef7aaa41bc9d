"""The complete life of a site against the independent Proxmox VE, for 8.4 and 9.2, on both plans: all acts,
and between them `reconcile`, which must find nothing."""

from sites.models import Site
from tests.independent.base import GATEWAY, NAMESERVER, IndependentCase
from tests.independent.pve.front import ADDRESS

NAME = "janedoe.nodepoint.eu"
DOMAIN = "shop.example.org"


class Life:
    """From the order to nothing left."""

    smaller, bigger = "basic", "standard"
    high_availability = False

    def test_all_acts_from_the_order_to_nothing_left(self):
        self.site = self.live_site(plan=self.smaller)
        self.ordered()
        for act in (self.power, self.backups, self.domains, self.suspension, self.upgrade):
            with self.subTest(act.__name__):
                act()
                self.assert_no_difference()
        self.assertTrue(self.good("/action/login")["url"].startswith(f"https://{NAME}/wp-admin/"))
        self.good("/delete-site")
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertEqual(self.site.state, Site.State.DELETED, self.tale())
        self.assert_nothing_left()
        self.assert_no_difference()

    def ordered(self) -> None:
        """Size, mark, firewall, HA, pool, first snapshot, and a page for visitors by the site's own name."""
        site, guest = self.site, self.guest(self.site)
        self.assertEqual((guest.config["hostname"], guest.config["unprivileged"]), ("janedoe", "1"))
        self.assertIn(site.owner_mark, guest.config["description"].splitlines())
        self.assertEqual(guest.disk_gb, site.plan.disk_gb)
        self.assertEqual(self.cluster.pools, {site.vmid: "nodepoint"})
        self.assertEqual(list(guest.snapshots), ["initial"])
        self.assertEqual(site.vmid in self.cluster.ha.resources, self.high_availability)
        for address, port, may in ((ADDRESS, 80, True), ("192.168.1.77", 80, False), (ADDRESS, 22, False)):
            self.assertEqual(guest.firewall.lets("in", address, port=port), may, (address, port))
        for address, may in ((GATEWAY, True), (NAMESERVER, True), ("192.168.1.77", False), ("1.1.1.1", True)):
            self.assertEqual(guest.firewall.lets("out", address, "udp", 53), may, address)
        self.assertEqual((self.front.names[-1], self.front.page(NAME)[0]), (NAME, 200))
        self.assertEqual(self.status(), "running")
        self.assert_no_difference()

    def status(self) -> str:
        """As the API gives it, once the cluster has heard."""
        self.clock.move(20)
        return self.get("/status?service_id=1001").json()["status"]

    def power(self) -> None:
        guest = self.guest(self.site)
        for act, runs in (("stop", False), ("stop", False), ("start", True), ("start", True)):
            self.good(f"/action/{act}")
            self.assertEqual((guest.running, self.status()), (runs, "running" if runs else "stopped"), act)
        since = guest.since
        self.good("/action/restart")
        self.assertTrue(guest.running)
        self.assertGreater(guest.since, since)

    def backups(self) -> None:
        guest = self.guest(self.site)
        first = self.good("/action/mkbak")["backup"]
        second = self.good("/action/mkbak")["backup"]
        self.assertEqual(list(guest.snapshots), ["initial", first, second])
        self.assertTrue(guest.snapshots[first]["held"], "the database was not held")
        listed = self.get("/action/getbak?service_id=1001").json()["backups"]
        names = [backup["name"] for backup in listed if backup["kind"] == "customer"]
        self.assertEqual(names, [second, first])
        guest.config["memory"] = "16"  # what a rollback would not bring back
        self.good("/action/rollback", bak=first)
        self.assertEqual(
            (guest.parent, guest.running, guest.config["memory"]),
            (first, True, str(self.site.plan.memory_mb)),
        )
        self.good("/action/delbak", bak=first)
        self.good("/action/delbak", bak=second)
        self.good("/action/reset")
        self.assertTrue(guest.running)
        self.assertIn("initial", guest.snapshots)

    def domains(self) -> None:
        self.public_dns(DOMAIN, "A", self.site.public_ip)
        self.good("/action/setdomain", domain=DOMAIN)
        self.run_jobs()
        self.assertIn(DOMAIN, self.front.hosts())
        self.assertEqual(self.front.page(DOMAIN)[0], 200, "the site goes by its customer's domain")
        self.assert_no_difference()
        self.good("/action/toggle", enabled=False)
        self.assertEqual(self.front.hosts(), {})
        self.good("/action/toggle", enabled=True)
        self.assertEqual(set(self.front.hosts()), {NAME, DOMAIN})
        self.good("/action/deldomain", domain=DOMAIN)
        self.run_jobs()
        self.assertEqual(self.front.page(NAME)[0], 200)

    def suspension(self) -> None:
        guest = self.guest(self.site)
        self.good("/suspend")
        self.assertEqual((guest.running, guest.config.get("onboot"), self.front.hosts()), (False, "0", {}))
        self.assertEqual(self.status(), "suspended")
        self.assert_no_difference()
        self.good("/unsuspend")
        self.assertEqual((guest.running, guest.config.get("onboot")), (True, "1"))
        self.assertEqual(set(self.front.hosts()), {NAME})

    def upgrade(self) -> None:
        guest = self.guest(self.site)
        self.good("/wp/upgrade/", plan=self.bigger)
        self.site.refresh_from_db()
        plan = self.site.plan
        self.assertEqual(
            (guest.config["memory"], guest.config["cores"], guest.disk_gb, guest.running),
            (str(plan.memory_mb), str(plan.cores), plan.disk_gb, True),
        )


class BasicOn92(Life, IndependentCase):
    """The plan basic on 9.2, up to standard."""


class PremiumOn92(Life, IndependentCase):
    """The plan premium, with HA."""

    smaller = bigger = "premium"
    high_availability = True


class BasicOn84(BasicOn92):
    """The same on 8.4; here the upgrade brings HA with it."""

    version, bigger = "8.4", "premium"


class PremiumOn84(PremiumOn92):
    """The same on 8.4."""

    version = "8.4"
