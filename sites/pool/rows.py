"""A spare: a container that waits for an order, WordPress in it, and no secret."""

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from sites import marks
from sites.golden import new_build_id


class Spare(models.Model):
    """A container of the pool. It holds a VMID and an address as a site does, until an order takes both over
    or nothing of it is left."""

    class State(models.TextChoices):
        BUILDING = "building"
        READY = "ready"
        CLAIMED = "claimed"  # an order has it: what stands is the site's
        DRAINING = "draining"  # it is being destroyed
        FAILED = "failed"  # it was never ready, and nothing of it is left
        GONE = "gone"  # destroyed, or found missing

    STANDING = (State.BUILDING, State.READY, State.DRAINING)

    build_id = IdentifierField(max_length=16, unique=True, default=new_build_id, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.BUILDING, db_index=True)
    template = models.CharField(max_length=255, help_text="The template that it was made from.")
    storage = models.CharField(max_length=64)
    level = models.PositiveIntegerField(help_text="Of the install script that made it.")
    memory_mb = models.PositiveIntegerField("memory (MB)")
    cores = models.PositiveSmallIntegerField()
    disk_gb = models.PositiveIntegerField("disk (GB)")
    reason = models.TextField(blank=True, help_text="Why it failed, or had to go.")
    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.SET_NULL,
        null=True,
        related_name="spares",
        help_text="Whose it became.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Claimed, destroyed or failed then.")

    # Reservations: unique while they are held, NULL when given back or handed to a site.
    vmid = models.PositiveIntegerField("VMID", null=True, unique=True)
    private_ip = models.GenericIPAddressField("private IP", protocol="IPv4", null=True, unique=True)
    node = models.CharField(max_length=64, blank=True)

    claimed = ""  # nothing of it was a spare before: see Site.claimed

    class Meta:
        ordering = ["-pk"]
        verbose_name = "ready container"

    def __str__(self) -> str:
        return f"spare {self.build_id}"

    @property
    def key(self) -> str:
        """What jobs name as their subject."""
        return f"sites.spare:{self.pk}"

    @property
    def owner_mark(self) -> str:
        """What its container carries; never like a site's."""
        return marks.of(self)

    @property
    def mark_names(self) -> tuple[str, str]:
        """What its owner mark is made of: not its number, which a restored database gives once more."""
        return marks.SPARE, self.build_id

    @property
    def hostname(self) -> str:
        """What its container is called until it is a site's."""
        return f"spare-{self.build_id}"
