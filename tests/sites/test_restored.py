"""The database comes back from a dump: what is younger is found by its marks and adopted, nothing is given
out twice, nothing is removed until staff release it."""

from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from nodepoint.jobs import halted
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites.models import Backup, CustomDomain, Platform, Site
from tests.dumps import Dump
from tests.sites.base import SiteTransactionTestCase
from tests.sites.domains import SHOP, DomainMixin

PLACE = ("vmid", "private_ip", "subdomain")


class RestoredCase(DomainMixin, SiteTransactionTestCase):
    def restored(self, *words: str) -> str:
        """What the command prints, and what it closes with."""
        out = StringIO()
        try:
            call_command("restored", *words, stdout=out)
        except CommandError as error:
            return f"{out.getvalue()}{error}"
        return out.getvalue()

    def standing(self) -> dict[str, Any]:
        """All that stands in the systems, whatever it is doing."""
        state = self.state()
        parts = {"proxmox": ("containers", "ha"), "cloudflare": ("records",), "npm": ("proxy_hosts",)}
        return {
            f"{system} {name}": state[system][name] for system, names in parts.items() for name in names
        }

    def act(self, path: str, service_id: str, **body: Any) -> None:
        """A call that has to be done at the end."""
        self.clock.time = self.clock.now()
        answer = self.post(path, {"service_id": service_id, **body}, Prefer="respond-async")
        self.assertEqual(answer.status_code, 200, answer.content)
        self.run_jobs()

    def places(self) -> dict[str, tuple]:
        """Where every live site is."""
        rows = Site.objects.filter(state=Site.State.LIVE)
        return {site.service_id: (site.pk, site.node, *(getattr(site, name) for name in PLACE)) for site in rows}


class RestoredTests(RestoredCase):
    def test_five_orders_a_deletion_and_another_plan_after_the_dump(self) -> None:
        for number in (1, 2):
            self.live_site(service_id=f"old{number}", email=f"old{number}@example.com")
        dump = Dump()
        self.delete("old1")
        self.run_jobs()
        self.act("/wp/upgrade/", "old2", plan="standard")
        for number in range(5):
            plan = "premium" if number == 4 else "basic"
            self.live_site(service_id=f"new{number}", email=f"new{number}@example.com", plan=plan)
        self.add(SHOP, "new0")
        self.act("/action/mkbak", "new1")
        self.act("/suspend", "new2")
        places, stood = self.places(), self.standing()
        backup = Backup.objects.get(state=Backup.State.READY)
        dump.restore()
        self.assertEqual(set(self.places()), {"old1", "old2"})

        said = self.restored()
        self.assertEqual(self.places(), places, said)
        self.assertEqual(self.standing(), stood, "nothing is written to any system")
        self.assertEqual(Site.objects.get(service_id="old2").plan.name, "standard")
        self.assertEqual(Site.objects.get(service_id="old1").state, Site.State.DELETED, said)
        sites = {site.service_id: site for site in Site.objects.all()}
        self.assertEqual([sites[f"new{number}"].plan.name for number in range(5)], ["basic"] * 4 + ["premium"])
        self.assertTrue(sites["new2"].suspended)
        self.assertIsNone(sites["new4"].high_availability, "as the plan says")
        domain = CustomDomain.objects.get(domain=SHOP)
        self.assertEqual((domain.site, domain.serves), (sites["new0"], True))
        again = Backup.objects.get(state=Backup.State.READY)
        self.assertEqual((again.site.service_id, again.name), ("new1", backup.name))
        self.assertEqual(said.count("tell them on its page"), 5, said)
        self.assertIn("adopted", said)

        refused = self.order(service_id="next", email="new3@example.com")
        self.assertEqual((refused.status_code, refused.json()["code"]), (409, "no_capacity"))
        self.assertIn("Nothing new", self.restored())
        self.assertEqual(self.places(), places)
        self.assertIn("Released", self.restored("--release"))
        self.assertIn("No restored database waits", self.restored("--release"))

        site = self.live_site(service_id="next", email="new3@example.com")
        for place in places.values():
            self.assertTrue({site.vmid, site.private_ip, site.subdomain}.isdisjoint(place))
        self.assertGreater(site.pk, max(place[0] for place in places.values()))
        out = StringIO()
        call_command("reconcile", stdout=out)
        self.assertIn("; 0 found", out.getvalue())
        for service_id in [*places, "next"]:
            self.delete(service_id)
        self.run_jobs()
        self.assert_nothing_left()
