"""The rows behind all long work. They are the truth; the queue only carries wake-up calls."""

import secrets
from datetime import datetime

from django.apps import apps
from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from nodepoint.jobs import registry
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.prepared import prepared

LABELS = ("service_id", "zone", "domain")  # what people call a job's subject, in its data


def new_id() -> str:
    """An id that cannot be guessed: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


class Job(models.Model):
    """One piece of long work on one subject, and how far it is."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"  # every unfinished branch is held up by something outside
        ROLLING_BACK = "rolling_back"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        ROLLED_BACK = "rolled_back"
        CANCELLED = "cancelled"

    ALIVE = (State.QUEUED, State.RUNNING, State.WAITING, State.ROLLING_BACK)
    ADVANCING = (State.RUNNING, State.WAITING)
    ENDED_BADLY = (State.FAILED, State.ROLLED_BACK, State.CANCELLED)

    id = IdentifierField(primary_key=True, max_length=32, default=new_id, editable=False)
    kind = models.CharField(max_length=64)
    plan_version = models.PositiveSmallIntegerField(default=1)
    subject = IdentifierField(max_length=64, db_index=True, help_text="Model and key, such as sites.site:17.")
    # Set while this job is the subject's running one, NULL before and after: a unique column that holds on
    # every database, where partial indexes do not.
    active_key = IdentifierField(max_length=64, null=True, unique=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    cancel_requested_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="A sentence that customers may read.")
    detail = models.TextField(blank=True, help_text="What the system at fault said, for staff.")
    warning = models.TextField(blank=True, help_text="What did not work although the job succeeded.")
    callers_fault = models.BooleanField(
        default=False, help_text="What was asked for is not possible; whoever asked was told so."
    )
    refusal = models.JSONField(
        null=True, help_text="The answer for whoever asked, where it is not that a system failed."
    )
    data = models.JSONField(default=dict, help_text="What the job was asked for. Never secrets.")
    secret = models.JSONField(
        null=True, editable=False, help_text="What its steps alone may know; gone soon after it has ended."
    )
    request_id = models.CharField(max_length=128, blank=True, db_index=True)
    actor = models.CharField(
        max_length=128, blank=True, help_text="Token, staff member or system that asked."
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, db_index=True)
    deadline_at = models.DateTimeField(null=True)
    alarmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["subject", "created_at"], name="jobs_job_of_subject"),
            models.Index(fields=["created_at"], name="jobs_job_newest"),
            models.Index(fields=["kind", "created_at"], name="jobs_job_of_kind"),
            models.Index(fields=["state", "finished_at"], name="jobs_job_ended"),
        ]
        permissions = [("steer_job", "Can retry, skip, cancel and end jobs")]

    def __str__(self) -> str:
        return f"{self.title}: {self.about}"

    @property
    def about(self) -> str:
        """What people call its subject: the service or zone that it names."""
        return str(self.data.get("service_id") or self.data.get("zone") or self.subject)

    @property
    def state_in_words(self) -> str:
        """For staff. A job that was undone has failed, and is no rollback to a backup."""
        words = {self.State.ROLLING_BACK: "Being undone", self.State.ROLLED_BACK: "Failed, undone"}
        return words.get(self.state) or self.get_state_display()

    @property
    def flow(self) -> registry.Flow:
        """The flow this job follows; UnknownFlow if this release has none of that name."""
        return registry.flow(self.kind)

    @property
    def title(self) -> str:
        """What staff and customers read, such as “Delete site”."""
        try:
            return self.flow.title
        except UnknownFlow:
            return self.kind

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in self.ALIVE

    def load_subject(self) -> models.Model | None:
        """What the job works on, as it is now, with the rows that its model names in `read_with`; None for a
        kind of job that works on nothing."""
        if not self.flow.subject:
            return None
        model = apps.get_model(self.flow.subject)
        rows = prepared(model).filter(pk=self.subject_pk)
        read_with = getattr(model, "read_with", ())
        return (rows.select_related(*read_with) if read_with else rows).get()

    @property
    def subject_pk(self) -> str:
        """The primary key of what the job works on, empty if it works on nothing."""
        return self.subject.partition(":")[2]


class JobStep(models.Model):
    """One step of a job. All are there from the start, so that a progress bar is honest."""

    class State(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"  # includes looking at a remote task now and then
        WAITING = "waiting"  # for a free slot of a limit, or for the next try
        DONE = "done"
        FAILED = "failed"
        SKIPPED = "skipped"
        CANCELLED = "cancelled"
        UNDOING = "undoing"
        UNDONE = "undone"

    ACTIVE = (State.RUNNING, State.WAITING)
    FINISHED = (State.DONE, State.SKIPPED)

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64)
    title = models.CharField(max_length=128)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    # When to call the step next; NULL: not to be called. While a runner has it, this is the end of the
    # runner's lease: a runner that dies makes the step due again by time alone.
    due_at = models.DateTimeField(null=True, db_index=True)
    held = models.BooleanField(default=False, help_text="A runner is calling it now.")
    version = models.PositiveIntegerField(
        default=0, help_text="Fences the writes of a runner that lost its lease."
    )
    tries = models.PositiveIntegerField(default=0, help_text="Failed calls since it last got ahead.")
    calls = models.PositiveIntegerField(default=0)
    awaits = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="The limit it stands in line for."
    )
    lined_up_at = models.DateTimeField(
        null=True, help_text="Since when; this time counts against no deadline."
    )
    ref = models.CharField(max_length=255, blank=True, help_text="Remote id: UPID, record id, host id.")
    data = models.JSONField(default=dict)
    error = models.TextField(blank=True, help_text="A sentence that customers may read.")
    detail = models.TextField(blank=True, help_text="What the system said, for staff.")
    claimed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    usual_seconds = models.FloatField(
        default=1, help_text="As known when the job was made: its weight in the bar."
    )
    work_seconds = models.FloatField(null=True, help_text="Without waiting for free slots or next tries.")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["state", "finished_at"], name="jobs_step_experience")]
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="jobs_step_once_per_job")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.name}"

    @property
    def seconds(self) -> float | None:
        """Seconds from its first call to its end, or until now; None before its first call."""
        if self.started_at is None:
            return None
        return round(((self.finished_at or timezone.now()) - self.started_at).total_seconds(), 3)


class Lease(models.Model):
    """A slot of something scarce, held until a moment in time: seats of runners, lanes and limits of steps.

    A holder that dies frees its slot by time alone.
    """

    name = models.CharField(max_length=64)
    slot = models.PositiveSmallIntegerField()
    holder = models.CharField(max_length=64, blank=True, db_index=True)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "slot"], name="jobs_lease_slot")]

    def __str__(self) -> str:
        return f"{self.name}/{self.slot}"

    @classmethod
    def free_at(cls, now: datetime) -> models.Q:
        """The condition under which a slot can be taken."""
        return models.Q(until__lte=now) | models.Q(holder="")
