"""One notice for each trouble, and one when it is over."""

from datetime import timedelta
from unittest import mock

from django.core import mail
from django.test import override_settings

from nodepoint.board import alerts, registry
from nodepoint.board.models import Alert
from nodepoint.board.registry import Group, Level, Trouble
from nodepoint.jobs.models import Job
from nodepoint.notices.models import WEBHOOK, Notice
from tests.nodepoint.jobs.base import EngineTestCase


@override_settings(STAFF_EMAIL=["staff@example.com"], NOTICE_WEBHOOK_URL="")
class AlertTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.groups: list[Group] = []
        sources = [(0, "", lambda: iter(self.groups))]
        self.enterContext(mock.patch.object(registry.board, "sources", sources))

    def stands(self, *titles: str, level: Level = Level.FAILING, group: str = "Systems down") -> None:
        """From now on the board shows these."""
        shown = [Trouble(title, "It does not answer.", "/admin/systems/") for title in titles]
        self.groups = [Group(group, level, shown[:5], len(shown))]

    def minutes(self, count: int) -> None:
        """So many looks, one a minute, with the jobs of their notices."""
        for _ in range(count):
            self.clock.time += timedelta(minutes=1)
            alerts.look(self.clock.now())
            self.run_jobs(until=self.clock.now())

    def subjects(self) -> list[str]:
        return [message.subject for message in mail.outbox]

    def test_one_when_it_stands_and_one_when_it_is_over(self) -> None:
        self.stands("Proxmox VE is down")
        self.minutes(10)
        self.assertEqual(self.subjects(), ["[NodePoint] Proxmox VE is down"])
        self.stands("Proxmox VE is down", "Cloudflare is down")
        self.minutes(4)
        self.stands()
        self.minutes(3)
        self.assertEqual(
            sorted(self.subjects()),
            sorted(
                f"[NodePoint] {over}{name} is down"
                for name in ("Proxmox VE", "Cloudflare")
                for over in ("", "Over: ")
            ),
        )
        self.assertIn("Over since", mail.outbox[-1].body)
        self.stands("Proxmox VE is down")
        self.minutes(3)
        self.assertEqual(len(self.subjects()), 5, "another time")

    def test_what_goes_by_itself_at_once_is_told_to_nobody(self) -> None:
        self.stands("Proxmox VE is down")
        self.minutes(2)
        self.stands()
        self.minutes(5)
        self.assertEqual((self.subjects(), Alert.objects.count()), ([], 0))

    def test_the_milder_sort_waits_longer_and_numbers_that_change_are_no_news(self) -> None:
        for count in range(15):
            self.stands(f"{count} sites below level 7", level=Level.WAITING, group="Sites to lift")
            self.minutes(1)
            self.assertEqual(len(self.subjects()), int(count >= 10), count)

    def test_one_that_others_push_off_the_board_is_not_over(self) -> None:
        self.stands("A is down")
        self.minutes(3)
        self.stands(*(f"{name} is down" for name in "BCDEFGA"))
        self.minutes(1)
        self.assertIsNone(Alert.objects.get(title="A is down").over_at)

    def test_jobs_have_notices_of_their_own(self) -> None:
        self.stands("Create site: 1001", group="Failed jobs")
        self.minutes(5)
        self.assertFalse(Alert.objects.exists())

    def test_of_what_is_over_before_the_mail_went_out_nobody_is_told(self) -> None:
        self.stands("Proxmox VE is down")
        for _ in range(4):
            self.clock.time += timedelta(minutes=1)
            alerts.look(self.clock.now())
        self.stands()
        alerts.look(self.clock.now())
        self.run_jobs()
        self.assertEqual(self.subjects(), [])
        self.assertEqual(set(Job.objects.values_list("state", flat=True)), {"succeeded"})

    @override_settings(NOTICE_WEBHOOK_URL="https://example.com/", NOTICE_WEBHOOK_SECRET="x")
    def test_the_webhook_is_told_the_same(self) -> None:
        self.stands("Proxmox VE is down")
        for _ in range(4):
            self.clock.time += timedelta(minutes=1)
            alerts.look(self.clock.now())
        row = Notice.objects.get(kind=WEBHOOK)
        told = Job.objects.get(subject=row.key).data
        self.assertEqual((row.says, told["title"], told["level"]), ("begun", "Proxmox VE is down", "failing"))
