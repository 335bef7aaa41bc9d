"""What is kept of each node of the cluster, and of each container's place."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField

HIGHEST_RATIO = 4.0


class ClusterNode(models.Model):
    """A node of the cluster, from the look on that saw it first. Its flags and limits are written by staff.

    A flag is set where its `…_at` is; `…_by` and `…_note` say who has set it, and why."""

    name = IdentifierField(max_length=63, unique=True)
    closed_at = models.DateTimeField("takes no new sites since", null=True, editable=False)
    closed_by = models.CharField(max_length=128, blank=True, editable=False)
    closed_note = models.CharField(max_length=200, blank=True, editable=False)
    maintenance_at = models.DateTimeField("in maintenance since", null=True, editable=False)
    maintenance_by = models.CharField(max_length=128, blank=True, editable=False)
    maintenance_note = models.CharField(max_length=200, blank=True, editable=False)
    memory_ratio = models.FloatField(
        "memory that may be promised",
        default=1.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(HIGHEST_RATIO)],
        help_text="Times the node's memory, less the reserve; 1.0 promises nothing twice.",
    )
    memory_reserve_gb = models.PositiveIntegerField(
        "memory kept for the node (GB)", default=2, help_text="For Proxmox VE itself."
    )
    disk_ratio = models.FloatField(
        "disk that may be promised",
        default=1.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(HIGHEST_RATIO)],
        help_text="Times the storage of the sites; more than 1.0 only where it is thin.",
    )
    drain_stopped_at = models.DateTimeField(
        null=True, editable=False, help_text="When staff had the draining stopped, until it is begun anew."
    )
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    gone_at = models.DateTimeField(
        null=True, editable=False, help_text="The first look in which the cluster did not name it any more."
    )

    class Meta:
        ordering = ["name"]
        verbose_name = "node"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def in_maintenance(cls) -> models.QuerySet:
        """Names of those that staff have put into maintenance."""
        return cls.objects.filter(maintenance_at__isnull=False).order_by().values("name")

    @classmethod
    def is_closed(cls, name: str) -> bool:
        """Whether a node takes no new sites."""
        return cls.objects.filter(name=name, closed_at__isnull=False).exists()

    @property
    def key(self) -> str:
        """What jobs name as their subject."""
        return f"sites.clusternode:{self.pk}"

    @property
    def closed(self) -> str | None:
        """The note of *no new sites*; None: it takes them."""
        return self.closed_note if self.closed_at else None

    @property
    def maintenance(self) -> str | None:
        """The note of the maintenance; None: there is none."""
        return self.maintenance_note if self.maintenance_at else None


class Placement(models.Model):
    """The node that was chosen for a container, and why. `open`: it is on its way there, so that its size is
    promised although no list shows it yet."""

    subject = IdentifierField(max_length=64, unique=True, help_text="Model and key of whose container it is.")
    node = models.CharField(max_length=63)
    why = models.TextField()
    memory_mb = models.PositiveIntegerField()
    disk_gb = models.PositiveIntegerField()
    open = models.BooleanField(default=True, db_index=True)
    placed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.subject} on {self.node}"
