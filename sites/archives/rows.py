"""An archive: a whole site as Proxmox VE's `vzdump` packs it, on the storage for archives."""

import secrets

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from sites import marks

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


class Archive(models.Model):
    """One archive, from the wish for it until after it is gone: a name is never given twice, and names no
    other site's. Nothing changes the state when a job is cancelled: one in the making whose job is over is
    none."""

    class State(models.TextChoices):
        CREATING = "creating"
        READY = "ready"
        FAILED = "failed"  # it never came to be
        DELETED = "deleted"
        MISSING = "missing"  # somebody else has deleted it

    class Origin(models.TextChoices):
        SCHEDULE = "schedule"
        CUSTOMER = "customer"
        DELETION = "deletion"  # the last one, made before the site went

    name = IdentifierField(max_length=40, unique=True, editable=False)
    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="archives")
    service_id = IdentifierField(max_length=64, db_index=True, help_text="Kept when the site is gone.")
    state = models.CharField(max_length=16, choices=State, default=State.CREATING, db_index=True)
    origin = models.CharField(max_length=16, choices=Origin)
    storage = models.CharField(max_length=100)
    node = models.CharField(max_length=64, blank=True, help_text="On which it was made.")
    shared = models.BooleanField(default=False, help_text="Whether all nodes see the storage.")
    volid = models.CharField("volume", max_length=255, blank=True, help_text="As Proxmox VE names it.")
    size_mb = models.PositiveBigIntegerField("size (MB)", null=True)
    protected = models.BooleanField(default=False, help_text="As it was seen last: it is never deleted then.")

    # What a restore has to know about the site of then.
    vmid = models.PositiveIntegerField("VMID", null=True)
    plan = models.ForeignKey("sites.Plan", on_delete=models.PROTECT, related_name="+")
    disk_gb = models.PositiveIntegerField("disk (GB)")
    serves_as = models.CharField(max_length=253, blank=True, help_text="Name that WordPress had then.")
    level = models.PositiveIntegerField(default=0, help_text="Of the install script that ran last in it.")

    night = models.DateField(null=True, help_text="For which the schedule has made it.")
    # One of a site, a night and a try, however many hosts look for what is due; empty: not of the schedule.
    turn = IdentifierField(max_length=64, null=True, unique=True, editable=False)
    job_id = IdentifierField(max_length=32, help_text="The job that makes it, or the last one to delete it.")
    error = models.TextField(blank=True, help_text="Why it failed: a sentence that customers may read.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    made_at = models.DateTimeField(null=True, help_text="Of what it holds the state.")
    expires_at = models.DateTimeField(null=True, db_index=True, help_text="It is deleted then by itself.")
    verified_at = models.DateTimeField(null=True, help_text="When a restore of it was last seen to work.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["site", "state"], name="sites_archive_of_site")]

    def __str__(self) -> str:
        return self.name

    @property
    def notes(self) -> str:
        """What stands in its notes at Proxmox VE, in one line: of several a folder's list shows the first."""
        return f"{self.site.owner_mark} {self.name}"

    @property
    def present(self) -> bool:
        """Whether there is something to restore."""
        return self.state == self.State.READY


def new_name() -> str:
    """`ARC<DDMMYYYY>-<six letters>`: the day by TIME_ZONE; no two are alike, whosever they are."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(6))
    return f"ARC{timezone.localdate():%d%m%Y}-{letters}"


def mark_in(notes: str) -> str:
    """The owner mark that an archive's notes carry, whatever people have written behind or below it; empty:
    none."""
    return marks.carried_by_comment(notes) or marks.carried(notes)


def name_in(notes: str) -> str:
    """The archive's name behind the mark; empty where people have taken it away."""
    words = notes.partition("\n")[0].split()
    return words[1] if len(words) > 1 and mark_in(notes) == words[0] else ""
