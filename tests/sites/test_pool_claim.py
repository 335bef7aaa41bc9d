"""What an order does with a ready container: it becomes the site's own, and nobody else's."""

from django.test import override_settings

from nodepoint.board import findings
from nodepoint.jobs.models import Job
from sites import install, marks
from sites.models import Plan, Site, Spare
from tests.base import on_one_database
from tests.sites.pool import PoolCase


class ClaimCase(PoolCase):
    def assert_ordinary(self, site: Site, spare: Spare) -> None:
        """The order went the ordinary way, and nothing is left of what it had claimed."""
        self.assert_live(site)
        self.assertNotEqual((site.vmid, site.private_ip), (spare.vmid, spare.private_ip))
        self.assertEqual(site.claimed, "")
        spare.refresh_from_db()
        self.assertEqual((spare.state, spare.vmid, spare.private_ip, spare.site), ("gone", None, None, None))
        self.assertTrue(spare.reason)


@on_one_database
class ClaimTests(ClaimCase):
    def test_an_order_takes_it_over_and_it_is_the_sites_own_in_every_respect(self) -> None:
        spare = self.spare()
        before, creations = self.guest(spare.vmid), self.creations()
        with override_settings(POOL_SIZE=1):
            site = self.create(plan="standard")
        self.assertEqual(
            (site.vmid, site.private_ip, site.claimed), (spare.vmid, spare.private_ip, spare.build_id)
        )
        self.run_until(site, "verified", state="done")
        site.refresh_from_db()
        self.assertEqual(self.creations(), creations)
        config, guest = self.config(site.vmid), self.guest(site.vmid)
        plan = site.plan
        self.assertEqual((int(config["memory"]), int(config["cores"])), (plan.memory_mb, plan.cores))
        self.assertIn(f"size={plan.disk_gb}G", config["rootfs"])
        self.assertEqual((config["hostname"], config["tags"]), (site.subdomain, "nodepoint"))
        self.assertEqual(
            (marks.carried(config["description"]), str(config["onboot"])), (site.owner_mark, "1")
        )
        self.assertEqual(guest["files"]["/etc/wordpress-primary-domain"].strip(), site.hostname)
        self.assertEqual(guest["admin"], site.email)
        self.assertTrue(guest["secret"])
        self.assertNotEqual(guest["secret"], before.get("secret"))
        self.assertEqual((site.claimed, site.serves_as, site.level), ("", site.hostname, install.LEVEL))
        self.assertEqual(site.tuned_for_mb, plan.memory_mb)
        spare.refresh_from_db()
        self.assertEqual((spare.state, spare.site, spare.vmid), ("claimed", site, None))
        self.run_jobs()
        self.assertIn("initial", self.container(site.vmid)["snapshots"])

    def test_what_it_taught_is_not_taken_for_what_a_whole_creation_takes(self) -> None:
        self.spare()
        site = self.ordered()
        steps = {step.name: step for step in self.job(site).steps.all()}
        self.assertEqual(
            [steps[name].work_seconds for name in ("container", "started", "wordpress")], [None] * 3
        )
        self.assertLess(sum(steps[name].usual_seconds for name in ("container", "started", "wordpress")), 6)

    @override_settings(POOL_SIZE=2)
    def test_the_oldest_goes_first_and_one_secret_is_had_once(self) -> None:
        self.fill()
        oldest, younger = sorted(self.ready(), key=lambda spare: (spare.ready_at, spare.pk))
        first = self.ordered("1001")
        second = self.ordered("1002", email="joe@example.com")
        third = self.ordered("1003", email="ann@example.com")
        self.assertEqual((first.vmid, second.vmid), (oldest.vmid, younger.vmid))
        self.assertNotIn(third.vmid, (oldest.vmid, younger.vmid))
        found = {self.guest(site.vmid)["secret"] for site in (first, second, third)}
        self.assertEqual(len(found), 3)

    def test_a_spare_of_another_template_storage_or_script_is_not_handed_out(self) -> None:
        spare = self.spare()
        wrong = {"template": "local:vztmpl/older.tar.zst", "storage": "thin", "level": install.LEVEL - 1}
        for number, (name, value) in enumerate(wrong.items()):
            with self.subTest(name):
                Spare.objects.filter(pk=spare.pk).update(**{name: value})
                site = self.create(service_id=f"S{number}", email=f"a{number}@example.com")
                self.assertEqual(site.claimed, "")
                Spare.objects.filter(pk=spare.pk).update(**{name: getattr(spare, name)})

    def test_nor_one_whose_disk_is_larger_or_whose_node_cannot_be_used(self) -> None:
        spare = self.spare()
        Plan.objects.create(
            name="tiny", memory_mb=512, disk_gb=spare.disk_gb - 1, cores=1, backups=1, domains=1
        )
        self.assertEqual(self.create(service_id="S1", plan="tiny").claimed, "")
        node = {"name": spare.node, "online": True, "disk_used": 1.0, "disk_total": 1000.0}
        cases = {
            "away": {"online": False},
            "maintenance": {"maintenance": True},
            "full": {"disk_used": 995.0},
        }
        for number, (name, differs) in enumerate(cases.items()):
            with self.subTest(name):
                findings.note("nodes", {"nodes": [{**node, **differs}]})
                order = {"service_id": f"T{number}", "email": f"t{number}@example.com", "plan": "standard"}
                self.assertEqual(self.create(**order).claimed, "")
        with override_settings(
            PROXMOX_NODES=[name for name in ("node1", "node2", "node3") if name != spare.node]
        ):
            self.assertEqual(self.create(service_id="S9", email="s9@example.com").claimed, "")


@on_one_database
class UnfitTests(ClaimCase):
    """What was claimed is of no use: the order goes the ordinary way, as if there were no pool."""

    def order_with(self, spoil) -> tuple[Site, Spare]:
        spare = self.spare()
        with override_settings(POOL_SIZE=1):
            site = self.create(plan="standard")
        self.assertEqual(site.claimed, spare.build_id)
        spoil(self.lab.proxmox.cluster.containers[spare.vmid])
        with override_settings(POOL_SIZE=0):
            self.run_for(600)
        site.refresh_from_db()
        return site, spare

    def test_stopped_by_hand(self) -> None:
        def stop(container) -> None:
            container.running = False

        self.assert_ordinary(*self.order_with(stop))

    def test_edited_by_hand(self) -> None:
        for name, value in (("memory", 512), ("hostname", "mine"), ("cores", 7)):
            with self.subTest(name):
                change = {name: value}
                site, spare = self.order_with(
                    lambda container, change=change: container.config.update(change)
                )
                self.assert_ordinary(site, spare)
                self.delete()
                self.run_jobs()

    def test_a_mark_that_was_taken_away_means_hands_off(self) -> None:
        site, spare = self.order_with(lambda container: container.config.update(description="mine"))
        self.assertEqual(site.state, "live", self.tale(site))
        self.assertNotEqual((site.vmid, site.private_ip), (spare.vmid, spare.private_ip))
        spare.refresh_from_db()
        self.assertEqual((spare.state, self.container(spare.vmid)["status"]), ("draining", "running"))

    def test_gone(self) -> None:
        def destroy(container) -> None:
            with self.lab.lock:
                del self.lab.proxmox.cluster.containers[container.vmid]

        site, spare = self.order_with(destroy)
        self.assert_live(site)
        self.assertEqual(Spare.objects.get(pk=spare.pk).state, "gone")

    def test_moved_by_hand_is_followed(self) -> None:
        def move(container) -> None:
            container.node = "node2" if container.node == "node1" else "node1"

        site, spare = self.order_with(move)
        self.assert_live(site)
        self.assertEqual(site.vmid, spare.vmid)
        self.assertEqual(site.node, self.container(site.vmid)["node"])

    def test_broken_inside_another_container_is_made_in_its_place(self) -> None:
        spare, creations = self.spare(), self.creations()
        self.fault("ssh", "error", f"INSTALL {spare.vmid} renewal", 3)
        site = self.ordered()
        self.assert_live(site)
        self.assertEqual((self.creations(), site.claimed), (creations + 1, ""), self.tale(site))
        self.assertEqual((site.vmid, site.private_ip), (spare.vmid, spare.private_ip))
        self.assertNotIn("claimed", self.guest(site.vmid))

    def test_what_is_no_spare_inside_is_replaced_too(self) -> None:
        spare, creations = self.spare(), self.creations()
        self.lab.guest._guests[spare.vmid].pop("spare")
        site = self.ordered()
        self.assert_live(site)
        self.assertEqual(self.creations(), creations + 1)


@on_one_database
class EndTests(ClaimCase):
    """An order that ends early takes what it had claimed with it."""

    def test_an_order_deleted_before_its_container_is_its_own(self) -> None:
        for step in ("place", "container", "wordpress"):
            with self.subTest(step):
                spare = self.spare()
                with override_settings(POOL_SIZE=1):
                    site = self.create()
                self.run_until(site, step, state="running")
                self.delete()
                with override_settings(POOL_SIZE=0):
                    self.run_jobs()
                self.assert_nothing_left()
                site.refresh_from_db()
                spare.refresh_from_db()
                self.assertEqual((site.state, site.claimed, spare.state), ("deleted", "", "claimed"))

    def test_an_order_that_is_undone_destroys_it(self) -> None:
        spare = self.spare()
        self.fault("cloudflare", "refuse", "POST", 10_000)
        site = self.ordered()
        self.assertEqual((site.state, site.vmid), ("failed", None), self.tale(site))
        self.assert_nothing_left()
        spare.refresh_from_db()
        self.assertEqual(spare.state, "claimed")
        self.assertFalse(Job.objects.filter(kind="sites.pool_destroy").exists())

    def test_a_call_that_was_lost_at_any_moment_of_the_take_over_changes_nothing(self) -> None:
        for number, act in enumerate(("PUT", "bash -s install", "GET /api2/json/nodes")):
            for kind in ("drop_before", "drop_after"):
                with self.subTest(act=act, kind=kind):
                    spare = self.spare()
                    with override_settings(POOL_SIZE=1):
                        site = self.create(service_id=f"L{number}{kind}", plan="standard")
                    self.run_until(site, "place", state="done")
                    self.fault("ssh" if "bash" in act else "proxmox", kind, act)
                    with override_settings(POOL_SIZE=0):
                        self.run_jobs()
                    self.clear_faults()
                    site.refresh_from_db()
                    self.assert_live(site)
                    self.assertEqual((site.vmid, site.claimed), (spare.vmid, ""))
                    self.delete(site.service_id)
                    self.run_jobs()
