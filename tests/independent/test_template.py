"""`build_template`, and an order that is made from what it has built."""

from django.test import override_settings

from sites import services
from tests.independent.base import IndependentCase
from tests.independent.pve.cluster import TEMPLATES


class TemplateTests(IndependentCase):
    """On 9.2."""

    def test_a_golden_template_is_on_all_nodes_and_makes_sites(self):
        pools: list[str | None] = []
        self.api.before(r"POST /nodes/\w+/vzdump", lambda: pools.extend(self.cluster.pools.values()))
        template, _ = services.build_template()
        self.run_jobs()
        template.refresh_from_db()
        self.assertEqual(template.state, "ready", self.tale())
        self.assertEqual(pools, ["nodepoint"], "it was not made inside of the pool")
        self.assertEqual((self.cluster.guests, self.cluster.pools), ({}, {}))
        name = template.volid.partition("vztmpl/")[2]
        for files in self.cluster.files.values():
            self.assertTrue(files[f"{TEMPLATES}/{name}"].startswith(b"base"))
            self.assertEqual(len(files), 2)
        with override_settings(PROXMOX_TEMPLATE=template.volid):
            site = self.live_site()
        self.assertTrue(self.guest(site).inside.base)


class NarrowTemplate(IndependentCase):
    """On 8.4, by a token with as few rights as it goes."""

    version = "8.4"

    def test_it_works_with_the_privileges_of_a_pool(self):
        self.cluster.permissions.by_pool()
        template, _ = services.build_template()
        self.run_jobs()
        template.refresh_from_db()
        self.assertEqual(template.state, "ready", self.tale())
        self.assertFalse([r for r in self.api.requests if r.status == 403])
