"""The rows behind what customers and staff are told."""

from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField

PREFIX = "notices."  # of the kinds of their jobs
STAFF = "notices.staff"
WEBHOOK = "notices.webhook"


def jobs_about(subjects: Collection[str], most: int) -> list[str]:
    """The subjects of the jobs that tell people of these, the newest first. One query."""
    rows = Notice.objects.filter(about__in=subjects).order_by("-created_at")
    return [key(pk) for pk in rows.values_list("pk", flat=True)[:most]]


def key(pk: str) -> str:
    """The subject of a notice's job."""
    return f"notice:{pk}"


class Notice(models.Model):
    """One thing that somebody is to be told once. What it says is made when it is sent, so it is true then
    and its secrets are in no row."""

    id = IdentifierField(primary_key=True, max_length=32, editable=False)
    kind = models.CharField(max_length=64, help_text="The kind of its job.")
    about = IdentifierField(max_length=64, db_index=True, help_text="Subject of the job that it tells of.")
    cause = IdentifierField(max_length=32, help_text="The job that it tells of.")
    says = models.CharField(
        max_length=16, blank=True, help_text="To staff: failed, warning or late; of a trouble: begun or over."
    )
    once = IdentifierField(max_length=100, null=True, unique=True, help_text="Nothing is told twice of it.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    # Set while a mail server has it and has not answered yet; left set where nobody knows what it answered.
    handed_at = models.DateTimeField(null=True)
    doubts = models.PositiveIntegerField(
        default=0, help_text="How often no answer came, so it may be double."
    )
    sent_at = models.DateTimeField(null=True)  # to the last of its recipients
    sent_to = models.TextField(blank=True)  # who has it, one a line, also while others do not

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"

    @property
    def key(self) -> str:
        """The subject of its job."""
        return key(self.pk)

    @property
    def has(self) -> list[str]:
        """The addresses of those who have it."""
        return self.sent_to.splitlines()

    def hand(self, now: datetime, stale: datetime) -> bool:
        """Note that it is being handed to a server; False where that was done, or another does it and began
        after `stale`."""
        free = models.Q(handed_at=None) | models.Q(handed_at__lte=stale)
        return bool(Notice.objects.filter(free, pk=self.pk, sent_at=None).update(handed_at=now))
