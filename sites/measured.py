"""What is measured of sites from outside, kept for when nothing can be measured."""

import math
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sites import thresholds


def disk_percent(disk: int, maxdisk: int) -> int | None:
    """How full a disk is, rounded up, so that 100 is seen before it is full. None where there is no figure:
    Proxmox VE says 0 of a container that does not run."""
    return min(100, math.ceil(100 * disk / maxdisk)) if disk and maxdisk else None


def month(now: datetime) -> str:
    """The calendar month of a moment, by TIME_ZONE: `2026-11`."""
    return f"{timezone.localtime(now):%Y-%m}"


class SiteUsage(models.Model):
    """Disk and traffic of a site, as the looks at the cluster left them (`sites.usage`). A row of its own: it
    is written every few minutes, and nobody who holds the site's row is to wait for it.

    Proxmox VE's counters begin anew with each start of a container: `last_in` and `last_out` are what they
    said at the last look, `in_bytes` and `out_bytes` what has come together in `month`."""

    site = models.OneToOneField("sites.Site", models.CASCADE, primary_key=True, related_name="usage")
    disk_percent = models.PositiveSmallIntegerField("disk (%)", null=True, db_index=True)
    disk_told = models.PositiveSmallIntegerField(default=0, help_text="The threshold that was told last.")
    month = models.CharField(max_length=7, blank=True, help_text="Such as 2026-11, by TIME_ZONE.")
    in_bytes = models.PositiveBigIntegerField(default=0)
    out_bytes = models.PositiveBigIntegerField(default=0)
    last_in = models.PositiveBigIntegerField(default=0)
    last_out = models.PositiveBigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"usage of {self.site_id}"

    @property
    def disk_warning(self) -> str | None:
        """A sentence for customers where the disk fills up."""
        return thresholds.warning(self.disk_percent)


class SiteHealth(models.Model):
    """How a site was when it was last looked at from inside (`sites.inside`). `facts` as `diagnosis.read`
    gives them, `troubles` as it judges them; `error`: why the last look saw nothing, so that these are
    older."""

    site = models.OneToOneField("sites.Site", models.CASCADE, primary_key=True, related_name="health")
    looked_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(db_index=True)
    error = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    troubles = models.JSONField(default=list)
    trouble_count = models.PositiveSmallIntegerField(default=0, db_index=True)
    minor = models.CharField(
        max_length=32, blank=True, db_index=True, help_text="The release of its branch that waits."
    )
    tried_version = models.CharField(max_length=32, blank=True, help_text="The one that was put in last.")
    security = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        db_index=True,
        help_text="A digest of the system's security updates that wait.",
    )
    tried_security = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="That of those put in last."
    )

    EVERY = timedelta(hours=24)  # between two looks
    SILENT = timedelta(days=3)  # after that long without an answer somebody should look

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"health of {self.site_id}"

    @classmethod
    def needing_care(cls) -> models.QuerySet["SiteHealth"]:
        """Of standing sites: those in which something was found, and those that run and have not answered for
        days."""
        since = timezone.now() - cls.SILENT
        silent = Q(looked_at__lt=since) | Q(looked_at=None, site__live_at__lt=since)
        asked = Q(site__suspended_at=None, site__wanted_power="running") & ~Q(error="")
        standing = cls.objects.filter(site__state="live", site__deletion_requested_at=None)
        return standing.filter(Q(trouble_count__gt=0) | (asked & silent))

    @classmethod
    def look_soon(cls, site_pk: Any, now: datetime) -> models.QuerySet["SiteHealth"]:
        """The next round of looks has the site among the first, for what is known of it is of another day.
        Returns its row, or none."""
        known = cls.objects.filter(pk=site_pk)
        known.update(tried_at=now - cls.EVERY)
        return known

    @property
    def sentences(self) -> list[str]:
        """What staff should look at."""
        if self.error and (self.looked_at or self.site.live_at) < timezone.now() - self.SILENT:
            return [f"It has not answered from inside for days: {self.error}", *self.troubles]
        return self.troubles
