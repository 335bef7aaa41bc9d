"""Quiet hours: what can wait comes as one summary when they end, what is urgent at once, and what is over by
then not at all."""

from datetime import UTC, datetime, time, timedelta
from unittest import mock

from django.core import mail
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings

from nodepoint.board import alerts, registry, troubles
from nodepoint.board.registry import Group, Level, Trouble
from nodepoint.jobs import registry as flows
from nodepoint.jobs import transitions
from nodepoint.jobs.models import Job, new_id
from nodepoint.jobs.outcomes import Fail
from nodepoint.notices import holding
from nodepoint.notices.again import send_again
from nodepoint.notices.models import SUMMARY, WEBHOOK, Notice, Preferences, Urgency
from tests.nodepoint.jobs.base import KIND, EngineTestCase, ThreadsTestCase
from tests.nodepoint.notices.server import MailServer
from tests.nodepoint.notices.test_sending import DJANGOS

BERLIN = override_settings(TIME_ZONE="Europe/Berlin")
NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}
NOON = {"quiet_from": time(12), "quiet_until": time(14)}


class QuietEndTests(SimpleTestCase):
    @BERLIN
    def test_by_the_operators_clock_over_midnight_and_when_it_is_put_forward_and_back(self) -> None:
        for hours, now, end in (
            (NIGHT, "2026-11-30T20:59", None),  # 21:59 in Berlin
            (NIGHT, "2026-11-30T21:00", "2026-12-01T06:00"),
            (NIGHT, "2026-12-01T05:59", "2026-12-01T06:00"),
            (NIGHT, "2026-12-01T06:00", None),
            (NIGHT, "2026-03-28T22:00", "2026-03-29T05:00"),  # the night that has one hour less
            (NIGHT, "2026-10-24T21:00", "2026-10-25T06:00"),  # and the one that has one more
            (NOON, "2026-07-01T10:30", "2026-07-01T12:00"),
            (NOON, "2026-07-01T12:00", None),
            ({}, "2026-07-01T00:00", None),
        ):
            with self.subTest(now=now):
                moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
                found = Preferences(**hours).quiet_end(moment)
                self.assertEqual(found and f"{found:%Y-%m-%dT%H:%M}", end)

    def test_half_of_them_and_none_at_all_are_refused(self) -> None:
        for hours in ({"quiet_from": time(22)}, {"quiet_until": time(7)}, dict.fromkeys(NIGHT, time(7))):
            with self.assertRaises(ValidationError):
                Preferences(**hours).clean()
        Preferences().clean()


@override_settings(STAFF_EMAIL=["staff@example.com"], NOTICE_WEBHOOK_URL="", TIME_ZONE="UTC")
class QuietHoursTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.groups: list[Group] = []
        self.enterContext(mock.patch.object(registry.board, "sources", [(0, "", lambda: iter(self.groups))]))
        Preferences.objects.update(**NIGHT)
        self.clock.time = datetime(2026, 11, 30, 23, tzinfo=UTC)

    def stands(self, title: str, level: Level = Level.WAITING) -> None:
        """From now on the board shows this as well."""
        self.groups.append(Group(title, level, [Trouble(title, "Look at it.", "/admin/")], 1))

    def is_over(self, title: str) -> None:
        self.groups = [group for group in self.groups if group.title != title]

    def minutes(self, count: int) -> None:
        """So many looks, one a minute, with the jobs of their notices."""
        for _ in range(count):
            self.clock.time += timedelta(minutes=1)
            alerts.look(self.clock.now())
            self.run_jobs(until=self.clock.now())

    def morning(self) -> None:
        """The night is over."""
        self.clock.time = datetime(2026, 12, 1, 7, 0, 1, tzinfo=UTC)
        self.run_jobs(until=self.clock.now())

    def subjects(self) -> list[str]:
        return [message.subject for message in mail.outbox]

    def warned(self, subject: str) -> None:
        """A job that succeeds with a warning."""
        if KIND not in {flow.name for flow in flows.flows()}:
            self.flow(self.step("a", Fail(error="Not quite."), spares_the_job=True))
        self.submit(subject=subject, data={"service_id": subject})
        self.run_jobs(until=self.clock.now())

    def test_what_can_wait_comes_as_one_summary_and_what_is_urgent_at_once(self) -> None:
        self.stands("A disk fills up")
        self.stands("Proxmox VE does not work", Level.FAILING)
        self.warned("1001")
        self.minutes(12)
        self.assertEqual(self.subjects(), ["[NodePoint] Proxmox VE does not work"])
        self.assertEqual(
            troubles.unsent(self.clock.now() + timedelta(hours=1)).count(), 0, "no trouble itself"
        )
        self.clock.time += timedelta(hours=2)
        self.warned("1002")
        self.morning()
        _, summary = mail.outbox
        self.assertEqual(summary.subject, "[NodePoint] 3 notices were held back by quiet hours")
        for said in (
            "- A disk fills up",
            "- Test things succeeded with a warning: 1001",
            "- Test things succeeded with a warning: 1002",
            "Look at it.",
            "Not quite.",
            "until 2026-12-01 07:00 UTC",
        ):
            self.assertIn(said, summary.body)
        told = Notice.objects.exclude(kind=SUMMARY)
        self.assertEqual(set(told.values_list("sent_to", "held_at")), {("staff@example.com", None)})
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())
        self.is_over("A disk fills up")
        self.minutes(2)
        self.assertEqual(self.subjects()[2:], ["[NodePoint] Over: A disk fills up"], "staff knew of it")

    def test_each_of_several_recipients_gets_the_summary_and_all_of_them_again_by_the_button(self) -> None:
        server = self.enterContext(MailServer())
        server.refuses["bob@example.com"] = b"451 later\r\n"
        people = {"STAFF_EMAIL": ["ann@example.com", "bob@example.com"]}
        where = {"EMAIL_BACKEND": DJANGOS, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port}
        with override_settings(**people, **where):
            self.stands("A disk fills up")
            self.stands("A zone is late")
            self.minutes(12)
            self.morning()
            self.assertEqual(server.envelopes, [["ann@example.com"]])
            server.refuses.clear()
            self.run_jobs()
            self.assertEqual(server.envelopes[1:], [["bob@example.com"]])
            summary = Notice.objects.get(kind=SUMMARY)
            with mock.patch("django.utils.timezone.now", self.clock.now):
                send_again(summary, "staff x")
            self.run_jobs()
            self.assertEqual(server.envelopes[2:], [people["STAFF_EMAIL"]])
        bodies = {message.get_payload(decode=True) for message in server.taken}
        self.assertEqual(len(bodies), 1, "the same for all of them")
        self.assertTrue(all(b"A disk fills up" in body and b"A zone is late" in body for body in bodies))

    def test_an_end_within_them_cancels_both(self) -> None:
        self.stands("A disk fills up")
        self.minutes(12)
        self.is_over("A disk fills up")
        self.minutes(2)
        self.morning()
        self.minutes(5)
        self.assertEqual(self.subjects(), [])
        self.assertFalse(Notice.objects.filter(held_at__isnull=False).exists())

    def test_the_end_of_what_was_told_before_waits_too_and_a_single_one_is_no_summary(self) -> None:
        self.clock.time = datetime(2026, 11, 30, 21, tzinfo=UTC)
        self.stands("A disk fills up")
        self.minutes(12)
        self.assertEqual(len(mail.outbox), 1)
        self.clock.time = datetime(2026, 11, 30, 23, tzinfo=UTC)
        self.is_over("A disk fills up")
        self.minutes(2)
        self.assertEqual(len(mail.outbox), 1)
        self.morning()
        self.assertEqual(self.subjects()[1:], ["[NodePoint] Over: A disk fills up"])

    def test_what_becomes_urgent_meanwhile_is_told_within_minutes(self) -> None:
        self.stands("A disk fills up")
        self.minutes(12)
        self.groups[0] = Group("A disk fills up", Level.FAILING, self.groups[0].troubles, 1)
        self.minutes(6)
        self.assertEqual(self.subjects(), ["[NodePoint] A disk fills up"])
        self.morning()
        self.assertEqual(len(mail.outbox), 1)

    def test_what_is_urgent_waits_too_where_staff_want_it_so(self) -> None:
        Preferences.objects.update(held_too=[Urgency.FAILED])
        self.flow(self.step("a", Fail(error="No.")))
        self.submit(data={"service_id": "1001"})
        self.stands("Proxmox VE does not work", Level.FAILING)
        self.minutes(4)
        self.assertEqual(self.subjects(), ["[NodePoint] Proxmox VE does not work"])
        self.morning()
        self.assertEqual(self.subjects()[1:], ["[NodePoint] Test things did not succeed: 1001"])

    def test_quiet_hours_that_are_switched_off_end_at_once(self) -> None:
        self.stands("A disk fills up")
        self.stands("A zone is late")
        self.minutes(12)
        Preferences.objects.update(quiet_from=None, quiet_until=None)
        self.minutes(6)
        self.assertEqual(self.subjects(), ["[NodePoint] 2 notices were held back by quiet hours"])

    def test_a_worker_that_dies_while_it_makes_the_summary_leaves_it_to_the_next(self) -> None:
        self.stands("A disk fills up")
        self.stands("A zone is late")
        self.minutes(12)
        tell, self.died = transitions.tell, False

        def dies(kind: str, *args, **options) -> None:
            tell(kind, *args, **options)
            if kind == SUMMARY and not self.died:
                self.died = True
                raise RuntimeError("killed")

        with mock.patch.object(transitions, "tell", dies):
            self.morning()
            self.run_jobs()
        self.assertTrue(self.died)
        self.assertEqual(self.subjects(), ["[NodePoint] 2 notices were held back by quiet hours"])
        self.assertEqual(Notice.objects.filter(kind=SUMMARY).count(), 1)

    @override_settings(NOTICE_WEBHOOK_URL="https://example.com/", NOTICE_WEBHOOK_SECRET="x")
    def test_a_program_knows_no_quiet_hours_and_is_told_how_bad_it_is(self) -> None:
        self.stands("A disk fills up")
        with mock.patch("nodepoint.notices.webhook._status", return_value=204) as status:
            self.minutes(12)
        body = status.call_args.args[2]
        self.assertIn(b'"severity": "normal"', body)
        self.assertIsNotNone(Notice.objects.get(kind=WEBHOOK).sent_at)
        self.assertEqual(mail.outbox, [])


class TogetherTests(ThreadsTestCase):
    def test_jobs_that_find_the_hours_over_at_the_same_moment_make_one_summary(self) -> None:
        now = self.clock.now()
        Preferences.objects.get_or_create(pk=1)
        rows = [
            Notice.objects.create(
                pk=new_id(), kind=alerts.TROUBLE, about=f"board.alert:{number}", held_at=now
            )
            for number in range(3)
        ]
        for row in rows:
            transitions.create(alerts.TROUBLE, row.key, now)
        found = self.together(lambda number: holding.held(rows[number], "", now), len(rows))
        summary = Notice.objects.get(kind=SUMMARY)
        self.assertEqual(
            [one.note for one in found], [f"It is told in a summary, the notice {summary.pk}."] * 3
        )
        told = Notice.objects.exclude(kind=SUMMARY).values_list("summary", "held_at")
        self.assertEqual(set(told), {(summary.pk, None)})
