"""What the tests of steering share: what is legal, and refusals that change nothing."""

from nodepoint.audit.models import Entry
from nodepoint.jobs import steering
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Fail, Retry
from tests.nodepoint.jobs.base import EngineTestCase

S = JobStep.State
NOT_YET = Retry(error="Proxmox VE is away.", detail="HTTP 595", seconds=60)
NEVER = Fail(error="It is refused.", detail="HTTP 403")


class SteeringTestCase(EngineTestCase):
    def state(self, job: Job) -> str:
        job.refresh_from_db()
        return job.state

    def legal(self, job: Job) -> dict[str, list[str]]:
        """What is legal, by move: `job` for the whole, else the names of steps."""
        found = steering.moves(Job.objects.get(pk=job.pk))
        whole = {"cancel": found.cancel, "give_up": bool(found.give_up), "again": found.again}
        legal = {name: ["job"] for name, can in whole.items() if can}
        for name, test in (("retry", found.retry), ("skip", found.skip)):
            if rows := [row.name for row in found.rows if test(row)]:
                legal[name] = rows
        return legal

    def refuse(self, move, *arguments) -> str:
        """The sentence of a move that is refused; nothing has changed."""
        before = list(JobStep.objects.order_by("pk").values()), list(Job.objects.order_by("pk").values())
        entries = Entry.objects.count()
        with self.assertRaises(MoveRefused) as caught:
            move(*arguments)
        after = list(JobStep.objects.order_by("pk").values()), list(Job.objects.order_by("pk").values())
        self.assertEqual(before, after)
        self.assertEqual(Entry.objects.count(), entries)
        return str(caught.exception)
