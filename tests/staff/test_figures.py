"""Figures that are counted beforehand: days of jobs, calls of the API, states of systems."""

import threading
from datetime import date, datetime, timedelta
from unittest import mock

from django.db import OperationalError
from django.test import Client, TestCase
from django.utils import timezone

from nodepoint.board import calls, pictures, statistics, tasks
from nodepoint.board.models import CallCount, DayOfJobs, Dismissal, SystemState
from nodepoint.jobs.models import Job, JobStep
from nodepoint.management.local import listen
from nodepoint.web import server
from sites.board import PROVISION
from tests.staff.operations import make_job

NOW = timezone.make_aware(datetime(2026, 11, 25, 12, 0))


def order(seconds: float, begun: datetime = NOW, state: str = Job.State.SUCCEEDED) -> Job:
    """An order that was verified after so many seconds: a third for the container, the rest for WordPress,
    while the DNS record came in between."""
    job = make_job(kind=PROVISION, state=state, created_at=begun, finished_at=begun + timedelta(hours=1))
    job.steps.update(state=JobStep.State.PENDING, finished_at=None)
    shares = {"reserved": 0.0, "dns_record": 0.2, "container": 1 / 3, "wordpress": 0.9, "verified": 1.0}
    for name, share in shares.items():
        end = begun + timedelta(seconds=seconds * share)
        job.steps.filter(name=name).update(state=JobStep.State.DONE, finished_at=end)
    job.steps.filter(name="snapshot").update(
        state=JobStep.State.DONE, finished_at=begun + timedelta(seconds=2 * seconds)
    )
    return job


class DayTests(TestCase):
    def day(self, back: int = 0) -> DayOfJobs:
        return DayOfJobs.objects.get(kind=PROVISION, day=timezone.localdate(NOW) - timedelta(days=back))

    def test_a_day_has_its_orders_and_how_long_they_took(self) -> None:
        for seconds in range(1, 21):
            order(seconds * 10)
        order(5, state=Job.State.ROLLED_BACK)
        make_job(kind="sites.suspend", created_at=NOW)
        statistics.count(NOW)
        day = self.day()
        self.assertEqual((day.asked, day.succeeded, day.failed), (21, 20, 1))
        # The failed one was verified, too: its time counts.
        self.assertEqual((day.median_seconds, day.p95_seconds), (100.0, 190.0))

    def test_the_steps_add_up_to_the_time_to_live(self) -> None:
        job = order(30)
        found = statistics.shares(job.pk, "verified")
        self.assertEqual([seconds for _, seconds in found], [6.0, 4.0, 17.0, 3.0])
        self.assertEqual(sum(seconds for _, seconds in found), 30.0)

    def test_days_begin_at_midnight_of_the_platform(self) -> None:
        order(10, NOW.replace(hour=0, minute=0))
        order(10, NOW.replace(hour=0, minute=0) - timedelta(seconds=1))
        statistics.count(NOW)
        self.assertEqual((self.day().asked, self.day(1).asked), (1, 1))

    def test_older_days_are_counted_once_and_today_again(self) -> None:
        self.assertEqual(statistics.count(NOW), statistics.DAYS)
        order(10)
        order(10, NOW - timedelta(days=5))
        self.assertEqual(statistics.count(NOW), statistics.AGAIN)
        self.assertEqual((self.day().asked, self.day(5).asked), (1, 0))

    def test_a_picture_has_every_day_whether_counted_or_not(self) -> None:
        days = statistics.recent(PROVISION, 3, NOW)
        self.assertEqual([day.day for day in days], [date(2026, 11, 23 + n) for n in range(3)])
        self.assertEqual([day.asked for day in days], [0, 0, 0])

    def test_late_is_half_as_long_again_as_usual(self) -> None:
        for _ in range(3):
            order(100, timezone.now() - timedelta(days=1))
        statistics.count()
        slow = make_job(kind=PROVISION, state=Job.State.RUNNING)
        Job.objects.filter(pk=slow.pk).update(created_at=timezone.now() - timedelta(seconds=160))
        make_job("sites.site:2", PROVISION, state=Job.State.RUNNING)
        of_others = make_job("sites.site:3", state=Job.State.RUNNING)
        Job.objects.filter(pk=of_others.pk).update(created_at=timezone.now() - timedelta(days=2))
        alive = Job.objects.filter(statistics.late(), state=Job.State.RUNNING)
        self.assertEqual([job.pk for job in alive], [slow.pk])

    def test_pictures_tell_success_and_the_longest_steps(self) -> None:
        for seconds in (20, 40):
            order(seconds, timezone.now() - timedelta(hours=1))
        order(10, timezone.now() - timedelta(hours=1), state=Job.State.FAILED)
        statistics.count()
        per_day = pictures.per_day("Orders", PROVISION, "orders")
        self.assertEqual(per_day.note.partition(";")[0], "3 orders in 30 days, 66.7 % succeeded")
        times = pictures.time_to_goal("Time to live", PROVISION)
        self.assertEqual(sum(series.values[0] for series in times.series), 20.0)
        self.assertEqual(sum(series.values[1] for series in times.series), 40.0)


class CallTests(TestCase):
    def setUp(self) -> None:
        self.counter = calls.Counter()
        self.enterContext(mock.patch.object(calls, "counter", self.counter))

    def rows(self) -> dict[tuple[str, int], int]:
        self.counter.write()
        return {(row.route, row.status): row.calls for row in CallCount.objects.all()}

    def test_calls_are_counted_by_route_and_end(self) -> None:
        for path in ("/health", "/health/", "/whoami", "/jobs/abc", "/jobs/def/", "/no/such", "/nor/this"):
            self.client.get(path)
        self.client.get("/admin/login/")
        self.client.get("/static/none.css")
        expected = {("health", 2): 2, ("whoami", 4): 1, ("jobs/<str:job_id>", 4): 2, (calls.ELSEWHERE, 4): 2}
        self.assertEqual(self.rows(), expected)

    def test_a_fault_of_ours_is_counted_as_one(self) -> None:
        with mock.patch("nodepoint.api.health.HealthView.get", side_effect=ValueError("ours")):
            Client(raise_request_exception=False).get("/health")
        self.assertEqual(self.rows(), {("health", 5): 1})

    def test_writings_of_several_processes_add_up(self) -> None:
        other = calls.Counter()
        for counter in (self.counter, other, self.counter):
            counter.add("status", 200, 10.0)
            counter.write()
        row = CallCount.objects.get()
        self.assertEqual((row.calls, row.ms), (3, 30.0))

    def test_another_process_may_be_first_at_the_same_moment(self) -> None:
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        CallCount.objects.create(hour=hour, route="status", status=2, calls=5, ms=50)
        missed = mock.Mock(side_effect=[0])
        real = CallCount.objects.filter

        def first_misses(**row):
            return mock.Mock(update=missed) if missed.call_count == 0 else real(**row)

        self.counter.add("status", 200, 10.0)
        with mock.patch.object(CallCount.objects, "filter", first_misses):
            self.counter.write()
        self.assertEqual(CallCount.objects.get().calls, 6)

    def test_what_could_not_be_written_is_written_later(self) -> None:
        self.counter.add("status", 200, 10.0)
        self.counter.add("plans", 500, 10.0)
        with mock.patch.object(calls, "_add", side_effect=OperationalError):
            calls.write()
        self.assertEqual(self.rows(), {("status", 2): 1, ("plans", 5): 1})

    def test_each_web_process_writes_by_a_thread_of_its_own(self) -> None:
        wrote = threading.Event()
        with (
            mock.patch.object(calls, "_write_for_ever", wrote.set),
            mock.patch.object(calls, "_writer", None),
            mock.patch.object(server.Server, "serve") as serve,
            mock.patch.object(server, "get_wsgi_application"),  # which sets up logging anew
            listen("127.0.0.1", 0) as listener,
        ):
            server.run(listener, 1)
            self.assertTrue(serve.called)
            self.assertTrue(wrote.wait(5))

    def test_the_picture_shows_the_busiest_first(self) -> None:
        for number in range(14):
            for _ in range(number + 1):
                self.counter.add(f"route{number}", 500 if number == 13 else 200, 4.0)
        self.counter.write()
        picture = pictures.api_calls()
        self.assertEqual(len(picture.labels), pictures.ROUTES)
        self.assertEqual(picture.labels[0], "route13")
        self.assertEqual(picture.rows[0], ("route13", 14, 0, 14, "4 ms"))
        self.assertEqual(picture.note, "105 calls, 14 failed.")


class SystemTests(TestCase):
    def check(self, now: datetime, **errors: str | None) -> None:
        found = {
            name: {"ok": not error, "latency_ms": None if error else 5.0, "error": error}
            for name, error in errors.items()
        }
        with mock.patch("nodepoint.api.health.systems", return_value=found):
            tasks.check_systems(now)

    def test_it_keeps_since_when_a_system_is_as_it_is(self) -> None:
        times = [NOW + timedelta(minutes=minute) for minute in range(4)]
        for now, error in zip(times, (None, "It is away.", "It is away still.", None), strict=True):
            self.check(now, npm=error)
            state = SystemState.objects.get()
            expected = {0: times[0], 1: times[1], 2: times[1], 3: times[3]}[times.index(now)]
            self.assertEqual((state.since, state.checked_at, state.error), (expected, now, error or ""))

    def test_a_system_that_is_no_longer_driven_goes(self) -> None:
        self.check(NOW, npm=None, ispconfig=None)
        self.check(NOW, npm=None)
        self.assertEqual([state.name for state in SystemState.objects.all()], ["npm"])

    def test_old_figures_go(self) -> None:
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        for days in (1, 91):
            CallCount.objects.create(hour=hour - timedelta(days=days), route="x", status=2)
            Dismissal.objects.create(key=str(days), by="x", at=hour - timedelta(days=2 * days))
            DayOfJobs.objects.create(day=hour.date() - timedelta(days=5 * days), kind="x")
        tasks.prune()
        self.assertEqual(CallCount.objects.count(), 1)
        self.assertEqual(Dismissal.objects.count(), 1)
        self.assertEqual(DayOfJobs.objects.count(), 1)
