"""What is not kept for ever."""

from datetime import timedelta

from django.utils import timezone
from django_q.models import Task

from nodepoint.jobs import limits, tasks
from nodepoint.jobs.models import Job, JobStep, Lease
from tests.nodepoint.jobs.base import EngineTestCase


class PruneTests(EngineTestCase):
    def ended(self, days: float, kind: str = "test.flow") -> Job:
        """A job that ended so many days ago."""
        job = self.submit(kind, f"thing:{kind}:{days}", data={"job": "x", "about": "late"})
        ended = timezone.now() - timedelta(days=days)
        Job.objects.filter(pk=job.pk).update(finished_at=ended, state="succeeded", active_key=None)
        return job

    def test_old_jobs_go_with_their_steps(self) -> None:
        self.flow(self.step("a"), self.step("b"))
        old, young, alive = self.ended(181), self.ended(179), self.submit()
        self.assertEqual(tasks.prune(), 1)
        self.assertEqual(set(Job.objects.all()), {young, alive})
        self.assertFalse(JobStep.objects.filter(job=old.pk).exists())
        self.assertEqual(JobStep.objects.count(), 4)

    def test_notices_go_sooner(self) -> None:
        self.ended(15, "notices.staff")
        kept = self.ended(13, "notices.staff")
        self.assertEqual(tasks.prune(), 1)
        self.assertEqual(Job.objects.get(), kept)

    def test_a_job_that_does_not_end_is_kept_however_old(self) -> None:
        self.flow(self.step("a"), deadline=None)
        job = self.submit()
        Job.objects.update(created_at=timezone.now() - timedelta(days=3650))
        self.assertEqual(tasks.prune(), 0)
        self.assertEqual(Job.objects.get(), job)

    def test_slots_that_nobody_uses_any_more_go(self) -> None:
        now = timezone.now()
        limits.take("old", 1, "a", now - timedelta(days=2), 60)
        limits.take("used", 1, "a", now, 60)
        tasks.prune()
        self.assertEqual(Lease.objects.get().name, "used")

    def test_what_django_q2_kept_of_its_tasks_goes(self) -> None:
        """One run of the alarm a minute is half a million rows a year."""
        now = timezone.now()
        for number, days in enumerate((8, 6)):
            stopped = now - timedelta(days=days)
            Task.objects.create(
                id=str(number), name=f"t{number}", func="x", started=stopped, stopped=stopped, success=True
            )
        tasks.prune()
        self.assertEqual(Task.objects.get().name, "t1")
