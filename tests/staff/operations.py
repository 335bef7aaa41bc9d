"""What the tests of the board and the lists share: a platform where all is well, and rows of what is not."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.board.models import SystemState
from nodepoint.jobs import limits, queue, registry
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import STAFF
from tests.staff.base import StaffTestCase, make_staff

BOARD = "/admin/"


def ago(**time: float):
    """A moment in the past."""
    return timezone.now() - timedelta(**time)


def make_job(subject: str = "sites.site:1", kind: str = "sites.suspend", **values: Any) -> Job:
    """A job with its steps, as if it had come so far. It ended a minute ago, unless it is alive."""
    state = values.pop("state", Job.State.SUCCEEDED)
    ended = state not in Job.ALIVE
    values = {"data": {"service_id": "S1"}, "created_at": ago(minutes=2), **values}
    values.setdefault("started_at", values["created_at"])
    if ended:
        values.setdefault("finished_at", ago(minutes=1))
    job = Job.objects.create(kind=kind, subject=subject, state=state, **values)
    done = JobStep.State.DONE if ended else JobStep.State.RUNNING
    flow = registry.flow(kind)
    JobStep.objects.bulk_create(
        JobStep(
            job=job,
            position=position,
            name=step.name,
            title=step.title,
            state=done,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )
        for position, step in enumerate(flow.steps)
    )
    return job


def make_notice(**values: Any) -> Job:
    """A job that sends an e-mail to staff."""
    return make_job("notice:1", STAFF, data={"job": "0" * 32, "about": "failed"}, **values)


class QueryBudget:
    """For a test case with a client."""

    def queries_of(self, path: str) -> int:
        """How many queries a page makes, once what is read once in a process has been."""
        self.client.get(path)
        with CaptureQueriesContext(connection) as captured:
            answer = self.client.get(path)
        self.assertEqual(answer.status_code, 200, path)
        return len(captured)


class BoardTestCase(QueryBudget, StaffTestCase):
    """An operator in front of a board on which all is well."""

    role = "operator"

    def setUp(self) -> None:
        super().setUp()
        limits.take(queue.WORKER, 1, "worker", timezone.now(), 3600)
        for name in ("proxmox", "npm", "cloudflare"):
            SystemState.objects.create(name=name, ok=True, latency_ms=12)
        self.user = make_staff("olga", self.role)
        self.client.force_login(self.user)

    def log_in_as(self, role: str) -> None:
        """Somebody else, of another role."""
        self.client.force_login(make_staff(f"{role}-member", role))

    def board(self):
        """The first page."""
        answer = self.client.get(BOARD)
        self.assertEqual(answer.status_code, 200)
        return answer

    def groups(self) -> dict[str, Any]:
        """What needs a human, by the title of its group."""
        return {group.title: group for group in self.board().context["groups"]}

    def trouble(self, group: str):
        """The only trouble of a group."""
        found = self.groups()[group]
        self.assertEqual((len(found.troubles), found.total), (1, 1), found)
        return found.troubles[0]

    def assert_opens(self, url: str) -> None:
        """The page where it is put right is there."""
        self.assertEqual(self.client.get(url).status_code, 200, url)
