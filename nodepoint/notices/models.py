"""The rows behind what customers and staff are told."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from nodepoint.jobs import registry
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.prepared import prepared

PREFIX = "notices."  # of the kinds of their jobs
STAFF = "notices.staff"
WEBHOOK = "notices.webhook"
SUMMARY = "notices.summary"
AGAIN = "again"  # what a notice to a customer `says` that staff had sent once more


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
        max_length=16,
        blank=True,
        help_text="To staff: failed, warning or late; of a trouble: begun or over; to customers: again.",
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
    recipient = models.EmailField(
        max_length=254,
        blank=True,
        default="",
        db_default="",
        db_index=True,
        help_text="The customer it goes to, as it was made last; empty: staff, a program, or not made yet.",
    )
    held_at = models.DateTimeField(
        null=True, db_index=True, help_text="Held back by quiet hours since; empty again once it is told."
    )
    summary = IdentifierField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        db_index=True,
        help_text="The notice that tells of it among others, when quiet hours were over.",
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name, verbose_name_plural = "delivery", "deliveries"
        default_permissions = ("view",)
        permissions = [("send_notice", "Can send e-mails again")]
        indexes = [models.Index(fields=["kind", "created_at"], name="notices_notice_of_kind")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What staff read: the title of its flow, where this release knows it."""
        try:
            return registry.flow(self.kind).title
        except UnknownFlow:
            return self.kind

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
        return bool(prepared(Notice).filter(free, pk=self.pk, sent_at=None).update(handed_at=now))


class Language(models.TextChoices):
    """What customers can be written to in; each has a complete catalogue in `nodepoint/locale/`."""

    ENGLISH = "en", "English"
    GERMAN = "de", "Deutsch"


class Urgency(models.TextChoices):
    """What breaks quiet hours, unless staff want it held back as well."""

    TROUBLE = "trouble", "troubles that customers feel now"
    FAILED = "failed", "jobs that failed"
    LATE = "late", "jobs that are late"


class Preferences(models.Model):
    """How people are told, by the choice of staff: one row, made by a migration."""

    language = models.CharField(
        max_length=8,
        choices=Language,
        default=Language.ENGLISH,
        help_text="Of the e-mails to customers. Staff are written to in English.",
    )
    portal_url = models.URLField(
        "customer portal",
        max_length=200,
        blank=True,
        help_text="Its address, which e-mails to customers name; empty: they speak of “the customer portal”.",
    )
    contact = models.EmailField(
        max_length=254,
        blank=True,
        help_text="Where customers' answers go (Reply-To), and whom the e-mails name; empty: nobody.",
    )
    silenced = models.JSONField(
        "not sent", default=list, blank=True, help_text="Kinds of e-mails to customers that are not sent."
    )
    quiet_from = models.TimeField(
        "quiet from", null=True, blank=True, help_text="In TIME_ZONE, such as 22:00; empty: no quiet hours."
    )
    quiet_until = models.TimeField("quiet until", null=True, blank=True, help_text="Such as 07:00.")
    held_too = models.JSONField(
        "held back as well", default=list, blank=True, help_text="What is urgent and may wait all the same."
    )

    class Meta:
        verbose_name = verbose_name_plural = "how people are told"
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return "How people are told"

    @classmethod
    def current(cls) -> "Preferences":
        """The row; an unsaved one where somebody has deleted it. One query."""
        return prepared(cls).order_by("pk").first() or cls(pk=1)

    def clean(self) -> None:
        """Quiet hours have a beginning and an end, or there are none."""
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError("Quiet hours need a beginning and an end, or neither of them.")
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValidationError("Quiet hours that end when they begin would be none, or last for ever.")

    def quiet_end(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which `now` lies; None: it lies in none."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        zone = ZoneInfo(settings.TIME_ZONE)
        local = now.astimezone(zone)
        time, crosses = local.time(), self.quiet_from > self.quiet_until
        if crosses:
            is_quiet = time >= self.quiet_from or time < self.quiet_until
        else:
            is_quiet = self.quiet_from <= time < self.quiet_until
        if not is_quiet:
            return None
        is_tomorrow = crosses and time >= self.quiet_from
        day = local.date() + timedelta(days=1 if is_tomorrow else 0)
        return datetime.combine(day, self.quiet_until, zone).astimezone(UTC)
