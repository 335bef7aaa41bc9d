"""An order gets the lowest numbers that are free, and does not read those of all others for it."""

from datetime import timedelta
from unittest import mock

from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.board.models import Reading
from nodepoint.jobs.models import Job
from nodepoint.prepared import Prepared, prepared
from sites import allocation, live, vacancies
from sites.errors import NoCapacity
from sites.models import ClusterReading, Plan, Site
from tests.factories import SiteFactory


@override_settings(
    VMID_START=900, SITE_IP_RANGE="10.0.0.0-10.0.15.255", SITE_GATEWAY="10.0.0.1", SITE_NETWORK="10.0.0.0/16"
)
class VacanciesTests(TestCase):
    def setUp(self) -> None:
        super().setUp()
        live.forget()
        self.fill(0, 300)

    @staticmethod
    def fill(begin: int, end: int) -> None:
        """Sites that hold the numbers from `begin` to `end`, as a hundred thousand orders would have made
        them; the gateway's address is none of them."""
        plan = Plan.objects.first()
        sites = [
            Site(
                service_id=f"s{number}",
                email="a@example.com",
                public_ip="203.0.113.10",
                plan=plan,
                vmid=900 + number,
                private_ip=None if number == 1 else f"10.0.{number >> 8}.{number & 255}",
            )
            for number in range(begin, end)
        ]
        prepared(Site).insert(sites)

    def order(self) -> tuple[int, str]:
        """What the next order gets, and holds."""
        vmid, address = allocation.free_vmid(), allocation.free_address()
        SiteFactory(vmid=vmid, private_ip=address)
        return vmid, address

    def test_orders_get_the_lowest_in_turn_beyond_what_is_kept(self) -> None:
        found = [self.order() for _ in range(vacancies.MOST + 3)]
        numbers = range(300, 300 + vacancies.MOST + 3)
        self.assertEqual(found, [(900 + n, f"10.0.{n >> 8}.{n & 255}") for n in numbers])

    def cost(self) -> tuple[int, int]:
        """Of finding both numbers: statements, and values that were read of the rows that hold some."""
        values, read = Prepared.values, 0

        def counted(query: Prepared, *names: str) -> list:
            nonlocal read
            found = values(query, *names)
            read += len(found)
            return found

        with (
            mock.patch.object(Prepared, "values", counted),
            CaptureQueriesContext(connection) as asked,
        ):
            allocation.free_vmid()
            allocation.free_address()
        return len(asked), read

    def test_what_an_order_asks_and_reads_is_the_same_among_many(self) -> None:
        self.order()
        among_few = self.cost()
        self.fill(400, 2400)
        self.assertEqual(self.cost(), among_few)
        self.assertLessEqual(among_few[0], 12)
        self.assertLessEqual(among_few[1], 2 * vacancies.MOST)

    def test_what_a_job_has_given_back_is_the_next_ones(self) -> None:
        self.order()
        Site.objects.filter(vmid=950).update(vmid=None, private_ip=None)
        later = timezone.now() + timedelta(seconds=1)
        for kind, state in (("sites.terminate", "succeeded"), ("sites.provision", "rolled_back")):
            with self.subTest(kind):
                job = Job.objects.create(kind=kind, subject="s", state=state, finished_at=later)
                self.assertEqual((allocation.free_vmid(), allocation.free_address()), (950, "10.0.0.50"))
                job.delete()

    def test_an_order_that_was_carried_out_gives_nothing_back(self) -> None:
        self.order()
        Job.objects.create(kind="sites.provision", subject="s", state="succeeded", finished_at=timezone.now())
        with mock.patch.object(vacancies, "held_by_all", side_effect=AssertionError("all were read")):
            self.order()

    def test_what_was_given_back_by_no_job_is_found_after_a_while(self) -> None:
        self.order()
        Site.objects.filter(vmid=950).update(vmid=None)
        self.assertEqual(allocation.free_vmid(), 1201)
        Reading.objects.update(taken_at=timezone.now() - vacancies.KEPT)
        self.assertEqual(allocation.free_vmid(), 950)

    def test_other_settings_begin_anew(self) -> None:
        self.order()
        with override_settings(VMID_START=800, SITE_IP_RANGE="10.0.14.7-10.0.15.255"):
            self.assertEqual((allocation.free_vmid(), allocation.free_address()), (800, "10.0.14.7"))

    def test_what_others_use_is_passed_over_and_free_again_later(self) -> None:
        usage = ["node1", "running", 0.0, 1, 1, 1, 1, 1]
        ClusterReading.objects.update(guests={"1200": usage}, tried_at=timezone.now())
        self.assertEqual((allocation.free_vmid(), allocation.free_vmid(above=1204)), (1201, 1205))
        ClusterReading.objects.update(guests={}, tried_at=timezone.now())
        self.assertEqual(allocation.free_vmid(), 1200)
        self.assertEqual(allocation.free_address(["10.0.1.44"]), "10.0.1.45")

    def test_where_all_are_taken_there_is_none(self) -> None:
        with override_settings(SITE_IP_RANGE="10.0.0.1-10.0.0.20"), self.assertRaises(NoCapacity):
            allocation.free_address()
