"""The nodes for staff: what they see, and what they can do."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites.models import ClusterNode
from sites.watch import look
from tests.base import on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

LIST = "/admin/sites/clusternode/"


@on_one_database
class NodePageTests(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("anna", "operator"))
        look()
        self.node = ClusterNode.objects.get(name="node1")
        self.page = f"{LIST}{self.node.pk}/change/"

    def press(self, act: str, **given: object) -> str:
        """What the page says that an act leads to."""
        path = f"{LIST}{self.node.pk}/act/{act}/"
        return self.client.post(path, {"reason": "new disks", **given}, follow=True).content.decode()

    def test_what_is_seen_of_each_node(self) -> None:
        self.control("node", node="node2", up=False)
        site = self.live_site()
        look()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = self.client.get(LIST).content.decode()
        for word in ("node1", "offline", "2 of 510 GB promised, 4 in use", "20 of 20,480 GB promised", "254"):
            self.assertIn(word, page)
        self.assertLess(len(queries), 30)
        page = self.client.get(self.page).content.decode()
        for word in (site.service_id, site.email, "the home node; node2 is offline", "Drain", "Limits"):
            self.assertIn(word, page)
        page = self.client.get(f"/admin/sites/site/{site.pk}/change/").content.decode()
        self.assertIn("node1: the home node; node2 is offline.", page)

    def test_no_new_sites_and_maintenance_with_who_and_why(self) -> None:
        for act, undo, said in (
            ("close", "open", "Takes no new sites since"),
            ("begin_maintenance", "end_maintenance", "In maintenance since"),
        ):
            with self.subTest(act):
                page = self.press(act)
                self.assertIn(said, page)
                self.assertIn("staff anna", page)
                self.assertIn("new disks", page)
                self.assertIn("new disks", self.client.get(LIST).content.decode())
                self.assertIn("this is so already", self.press(act))
                self.assertNotIn(said, self.press(undo))
        acts = set(Entry.objects.filter(subject=self.node.key).values_list("act", flat=True))
        self.assertEqual(acts, {"sites.node_closed", "sites.node_maintenance"})

    def test_limits(self) -> None:
        given = {"memory_ratio": "1.5", "memory_reserve_gb": "8", "disk_ratio": "1.0"}
        self.assertIn("memory × 1.5 less 8 GB, disk × 1.0", self.press("limits", **given))
        self.assertIn("these are its limits already", self.press("limits", **given))
        self.assertIn("less than or equal to 4", self.press("limits", **{**given, "memory_ratio": "9"}))
        self.node.refresh_from_db()
        self.assertEqual(self.node.memory_ratio, 1.5)

    def test_a_drain_says_what_it_does_shows_how_far_it_is_and_is_stopped(self) -> None:
        self.assertNotIn("act/drain", self.client.get(self.page).content.decode())
        for name in "ab":
            self.live_site(service_id=name, email=f"{name}@example.com")
        page = self.client.get(f"{LIST}{self.node.pk}/act/drain/").content.decode()
        self.assertIn("2 sites of ours on node1 move to other nodes", page)
        self.clock.time = max(self.clock.time, Job.objects.latest("created_at").created_at)
        self.assertIn("0 of 2 moved", self.press("drain", batch="1"))
        self.run_calls(2)
        self.assertIn("being stopped", self.press("stop_draining"))
        self.run_jobs()
        page = self.client.get(self.page).content.decode()
        self.assertIn("1 of 2 moved, 0 failed, 0 on their way", page)
        self.assertIn("is not being drained", self.press("stop_draining"))

    def test_support_looks_and_touches_nothing(self) -> None:
        self.client.force_login(make_staff("sam", "support"))
        self.assertEqual(self.client.get(LIST).status_code, 200)
        self.assertEqual(self.client.get(self.page).status_code, 200)
        for act in ("close", "begin_maintenance", "limits", "drain"):
            path = f"{LIST}{self.node.pk}/act/{act}/"
            self.assertEqual(self.client.post(path, {"reason": "x"}).status_code, 403, act)


@on_one_database
class RoomTests(SiteTestCase):
    def test_the_board_says_when_few_more_fit_and_the_picture_how_many(self) -> None:
        self.client.force_login(make_staff("anna", "operator"))
        look()
        page = self.client.get("/admin/").content.decode()
        self.assertIn("Room for ", page)
        self.assertNotIn("Room for few more sites", page)
        ClusterNode.objects.update(memory_reserve_gb=512)
        ClusterNode.objects.filter(name="node1").update(memory_reserve_gb=508)
        look()
        page = self.client.get("/admin/").content.decode()
        self.assertIn("Room for few more sites", page)
        self.assertIn("Room for 2 more basic (by memory; disk would allow", page)
        ClusterNode.objects.update(memory_reserve_gb=512)
        look()
        self.assertIn("No room for another site: orders wait", self.client.get("/admin/").content.decode())
