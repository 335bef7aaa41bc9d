"""Asking once more for what the board's own jobs were asked for, and for e-mails."""

from nodepoint.board import drift
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.jobs.registry import flows
from nodepoint.jobs.steering import asked_again_by
from nodepoint.notices.models import PREFIX, STAFF, Notice


def _compare(job: Job, actor: str) -> Job:
    return drift.request(actor)


def _is_left_over(job: Job) -> bool:
    return drift.left_over(job.data["digest"]).exists()


def _remove(job: Job, actor: str) -> Job | None:
    row = drift.left_over(job.data["digest"]).first()
    return drift.put_right(row, actor) if row else None


def _can_be_told(notice: Job) -> bool:
    """Whether nobody was told yet and, of one to staff, the job that it is about is still there."""
    unsent = Notice.objects.filter(pk=notice.subject_pk, sent_at=None).exists()
    return unsent and (notice.kind != STAFF or Job.objects.filter(pk=notice.data["job"]).exists())


def _send(notice: Job, actor: str) -> Job:
    return queue.submit(notice.kind, notice.subject, data=notice.data, actor=actor)


def register() -> None:
    """Tell the engine."""
    asked_again_by("board.compare", lambda job: True, _compare)
    asked_again_by("board.remove_orphan", _is_left_over, _remove)
    for flow in flows():
        if flow.name.startswith(PREFIX):
            asked_again_by(flow.name, _can_be_told, _send)
