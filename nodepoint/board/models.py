"""What periodic looks leave behind, so that no page has to ask a remote system: findings, the state of each
system, readings, and figures by hour and day."""

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField


class SystemState(models.Model):
    """What the last check of a system found, and since when it has been so."""

    name = models.CharField("system", max_length=32, unique=True)
    ok = models.BooleanField()
    latency_ms = models.FloatField(null=True)
    error = models.TextField(blank=True)
    since = models.DateTimeField(default=timezone.now, help_text="When it became as it is now.")
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["ok", "name"]
        verbose_name = "system"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class Finding(models.Model):
    """Something that a periodic look found to be not as our rows say. It is gone when a later look no longer
    finds it."""

    class Kind(models.TextChoices):
        MISSING = "missing", "missing"  # a row has it, the system does not
        ORPHAN = "orphan", "left over"  # it carries our mark, and no row puts it there
        DIFFERS = "differs", "differs"  # it is ours and not as it should be
        FOREIGN = "foreign", "foreign"  # somebody else's, on a name, VMID or address of ours
        RUNS = "runs", "runs although suspended"
        EXPIRES = "expires", "expires soon"

    look = models.CharField(max_length=32, help_text="The periodic look that found it.")
    digest = IdentifierField(max_length=64, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, db_index=True)
    system = models.CharField(max_length=32)
    thing = models.CharField(max_length=255)
    detail = models.TextField(blank=True)
    subject = IdentifierField(max_length=64, blank=True, db_index=True, help_text="Model and key.")
    label = models.CharField("of", max_length=255, blank=True, help_text="What people call its subject.")
    mendable = models.BooleanField(default=False, help_text="A job can put it right.")
    data = models.JSONField(default=dict, help_text="What such a job has to know.")
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(
        "left as it is since", null=True, help_text="Until it differs otherwise it is not on the board."
    )
    left_by = models.CharField("left by", max_length=150, blank=True, db_default="")
    left_reason = models.CharField("why", max_length=200, blank=True, db_default="")

    class Meta:
        ordering = ["-pk"]
        verbose_name = "difference"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["look", "system"], name="board_finding_of_look")]

    def __str__(self) -> str:
        return f"{self.thing} ({self.get_kind_display()})"


class Reading(models.Model):
    """The last answer to something that is asked now and then, as JSON."""

    name = models.CharField(max_length=32, unique=True)
    data = models.JSONField(default=dict)
    taken_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} of {self.taken_at}"


class CallCount(models.Model):
    """How many calls of one route of the API ended alike in one hour."""

    hour = models.DateTimeField(help_text="Its beginning.")
    route = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(help_text="2: answered, 4: refused, 5: failed.")
    calls = models.PositiveIntegerField(default=0)
    ms = models.FloatField("milliseconds", default=0, help_text="Of all of them together.")

    class Meta:
        ordering = ["-hour", "route", "status"]
        verbose_name = "API calls of an hour"
        verbose_name_plural = "API calls by hour"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["hour", "route", "status"], name="board_calls_once")]

    def __str__(self) -> str:
        return f"{self.route} {self.status}xx at {self.hour:%Y-%m-%d %H}h"


class Unasked(models.Model):
    """A system, or a part of one, that a process does not ask at the moment because it does not answer
    (`clients.breaker`)."""

    process = models.CharField(max_length=64)
    system = models.CharField(max_length=16)
    part = models.CharField(max_length=64, blank=True, help_text="A node; empty: the system as a whole.")
    since = models.DateTimeField()
    next_try_at = models.DateTimeField()
    noted_at = models.DateTimeField(help_text="A process that was killed notes nothing any more.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["process", "system", "part"], name="board_unasked_once")
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.part}".strip()


class RemoteCalls(models.Model):
    """How many calls of another system asked for the same, ended alike and took about as long, since counting
    began: what Prometheus calls a counter."""

    system = models.CharField(max_length=16)
    operation = models.CharField(max_length=96)
    outcome = models.CharField(max_length=16)
    bucket = models.PositiveSmallIntegerField(
        help_text="Number of the bound (counting.BUCKETS) that they were below."
    )
    calls = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="Of all of them together.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["system", "operation", "outcome", "bucket"], name="board_remote_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.operation} {self.outcome}"


class DayOfJobs(models.Model):
    """How the jobs of one kind went that were asked for on one day. Durations are of those that reached their
    goal, from the request to that moment, in seconds."""

    day = models.DateField()
    kind = models.CharField(max_length=64)
    asked = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    median_seconds = models.FloatField(null=True)
    p95_seconds = models.FloatField(null=True)
    # Of the very job in the middle and of the one at 95 %: [[title of a step, seconds until its end since the
    # step before]], which add up to the duration.
    median_steps = models.JSONField(default=list)
    p95_steps = models.JSONField(default=list)

    class Meta:
        ordering = ["-day", "kind"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["day", "kind"], name="board_day_once")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.day}"


class Dismissal(models.Model):
    """Somebody of the staff has seen a trouble and wants it off the board."""

    key = IdentifierField(max_length=80, unique=True)
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class Alert(models.Model):
    """A trouble of the board that stands, or stood: told once, and once more when it was over
    (`nodepoint.board.alerts`)."""

    key = IdentifierField(max_length=64, db_index=True, help_text="The same however its numbers change.")
    group = models.CharField(max_length=100)
    title = models.CharField(max_length=255)
    detail = models.TextField(blank=True)
    url = models.CharField(max_length=255)
    level = models.PositiveSmallIntegerField()
    first_seen = models.DateTimeField(default=timezone.now)
    since = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.title
