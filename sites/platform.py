"""Rows about the platform as a whole, which are no site's."""

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from nodepoint.prepared import prepared


class ReservationLock(models.Model):
    """One row, held while an order picks its address, VMID and subdomain, so that no two orders pick the
    same.
    """

    def __str__(self) -> str:
        return "reservations"


class TakenName(models.Model):
    """A subdomain that somebody else's record or proxy host stands on, as seen last: no order gets it."""

    subdomain = IdentifierField(max_length=63, unique=True)
    holder = models.CharField(max_length=255, help_text="Whose it is: a record, or a proxy host.")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["subdomain"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.subdomain


class ClusterReading(models.Model):
    """The latest answer to GET /cluster/resources, shared by all processes: one row.

    `guests`: {vmid: [node, status, cpu share, cores, memory bytes, its limit, disk bytes, its limit, uptime
    s]}.
    """

    guests = models.JSONField(default=dict)
    taken_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"reading of {self.taken_at}"


class Occupancy(models.Model):
    """What containers that no row of ours has made use at Proxmox VE, as read last: one row.

    `guests`: {vmid: [address, node, read at (epoch seconds), owner mark]}; the address is empty where it has
    no fixed one, or nobody lets us see it, the mark where it has none. `vmids`: all that were in use.
    `taken_at`: NULL while some were never read."""

    guests = models.JSONField(default=dict)
    vmids = models.JSONField(default=list)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"occupancy of {self.taken_at}"


class Platform(models.Model):
    """What holds for the platform as a whole: one row, written by staff."""

    orders_paused_at = models.DateTimeField(null=True, editable=False)
    orders_paused_by = models.CharField(max_length=128, blank=True, editable=False)
    orders_paused_reason = models.CharField("reason", max_length=200, blank=True, editable=False)
    lift_stopped_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When staff had the lifting of sites stopped, until it is begun anew.",
    )

    class Meta:
        verbose_name_plural = "platform"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return "New orders are paused" if self.orders_paused_at else "New orders are taken"

    @classmethod
    def current(cls) -> "Platform":
        """The row, which came with a migration; an unsaved one where somebody has deleted it."""
        return prepared(cls).order_by("pk").first() or cls(pk=1)
