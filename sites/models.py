"""Plans, sites and the last reading of the cluster."""

from collections.abc import Iterable

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.utils import timezone

from nodepoint.fields import IdentifierField
from nodepoint.prepared import prepared
from sites import marks
from sites.archives.rows import Archive
from sites.former import MovedDomain, ReleasedDomain
from sites.golden import Template, new_build_id
from sites.measured import SiteHealth, SiteUsage
from sites.placement.rows import ClusterNode, Placement
from sites.platform import ClusterReading, Occupancy, Platform, ReservationLock, TakenName
from sites.pool.rows import Spare

__all__ = [
    "Archive",
    "Backup",
    "ClusterNode",
    "ClusterReading",
    "CustomDomain",
    "MovedDomain",
    "Occupancy",
    "Placement",
    "Plan",
    "Platform",
    "ReleasedDomain",
    "ReservationLock",
    "Site",
    "SiteHealth",
    "SiteUsage",
    "Spare",
    "TakenName",
    "Template",
    "new_build_id",  # named by a migration
]


class Plan(models.Model):
    """What a customer can order. Staff can change plans; sites follow at their next upgrade."""

    name = models.CharField(
        max_length=32,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9 _.-]*\Z", "Lower-case letters and digits.")],
    )
    memory_mb = models.PositiveIntegerField("memory (MB)", validators=[MinValueValidator(256)])
    disk_gb = models.PositiveIntegerField("disk (GB)", validators=[MinValueValidator(2)])
    cores = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    backups = models.PositiveSmallIntegerField(
        help_text="Snapshots a customer may keep, beside the first one."
    )
    domains = models.PositiveSmallIntegerField(help_text="Custom domains a customer may add.")
    archives_daily = models.PositiveSmallIntegerField(
        default=7, db_default=7, help_text="Nights of which the archive is kept; 0: none is made."
    )
    archives_weekly = models.PositiveSmallIntegerField(
        default=4, db_default=4, help_text="Weeks before that of which one is kept; 0: none is made."
    )
    high_availability = models.BooleanField(default=False)

    class Meta:
        ordering = ["memory_mb", "name"]

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """One order of one service. One that is ordered again after a failure or a deletion gets a new row."""

    class State(models.TextChoices):
        PROVISIONING = "provisioning"  # until WordPress was verified
        LIVE = "live"
        FAILED = "failed"  # undone: nothing of it is left anywhere
        DELETED = "deleted"

    read_with = ("plan",)

    service_id = IdentifierField(max_length=64, db_index=True)
    # The service id while this row stands for the service, NULL once it has failed or was deleted.
    live_key = IdentifierField(max_length=64, null=True, unique=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.PROVISIONING)
    deletion_requested_at = models.DateTimeField(null=True, blank=True)
    user_id = IdentifierField(
        "user id",
        max_length=20,
        blank=True,
        db_index=True,
        help_text="The billing portal's; empty: not told.",
    )
    email = models.EmailField(max_length=254, db_index=True)
    public_ip = models.GenericIPAddressField("public IP", protocol="IPv4")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="sites")
    high_availability = models.BooleanField(null=True, blank=True, help_text="Empty: as the plan says.")
    backup_quota = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: as the plan says."
    )
    domain_quota = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: as the plan says."
    )

    # Reservations: unique while they are held, NULL when given back.
    vmid = models.PositiveIntegerField("VMID", null=True, unique=True)
    # Of a second container that it has for a while: one in the making from an archive, or the one that this
    # has replaced (`sites.steps.second`).
    other_vmid = models.PositiveIntegerField(null=True, unique=True, editable=False)
    other_node = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    private_ip = models.GenericIPAddressField("private IP", protocol="IPv4", null=True, unique=True)
    subdomain = IdentifierField(max_length=63, null=True, unique=True)
    # Those it was to have while strangers turned out to hold them: something of it may stand under each.
    former_subdomains = models.JSONField(default=list, editable=False)

    claimed = models.CharField(
        "claimed spare",
        max_length=16,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Build id of the ready container that it was given, until that is wholly its own.",
    )

    # What the other systems call what we made there.
    node = models.CharField(max_length=64, blank=True)
    dns_record_id = models.CharField("DNS record", max_length=64, blank=True)
    proxy_host_id = models.PositiveIntegerField("proxy host", null=True)
    certificate_id = models.PositiveIntegerField(
        "certificate", null=True, help_text="Its own; never a shared one."
    )

    # Wishes, which jobs carry out and a periodic check keeps true.
    suspended_at = models.DateTimeField(
        null=True, db_index=True, help_text="Suspended by the billing system since."
    )
    wanted_power = models.CharField(
        max_length=16, default="running", help_text="The customer's wish: running, stopped."
    )
    proxy_enabled = models.BooleanField(default=True, help_text="The customer's wish.")
    power = models.CharField(
        max_length=16, blank=True, help_text="running or stopped, as a job of ours last verified."
    )
    power_verified_at = models.DateTimeField(null=True)
    tuned_for_mb = models.PositiveIntegerField(
        "tuned for (MB)",
        null=True,
        help_text="Memory that PHP and MariaDB inside are sized for; empty: to be done anew.",
    )
    serves_as = models.CharField(
        max_length=253,
        blank=True,
        help_text="Primary domain that WordPress inside is set to; empty: not known.",
    )
    chosen_name = models.CharField(
        max_length=253,
        blank=True,
        help_text="The name by which the customer wants it to go; empty: his first domain.",
    )
    # What the customer has chosen for WordPress inside; see sites/options.py.
    xmlrpc = models.BooleanField("XML-RPC", default=False)
    upload_mb = models.PositiveIntegerField("uploads (MB)", null=True, help_text="Empty: the default.")
    php_memory_mb = models.PositiveIntegerField(
        "PHP memory (MB)", null=True, help_text="Of one request; empty: as the plan's memory says."
    )
    page_cache = models.BooleanField(default=True)
    safe_mode = models.BooleanField(default=False, help_text="Plugins and theme are off.")
    level = models.PositiveIntegerField(
        default=0,
        db_index=True,
        help_text="Of the install script that ran last in it (sites.install.LEVEL); 0: not known.",
    )
    content_names = models.JSONField(
        default=list,
        editable=False,
        help_text="Names that its content may hold addresses of: those it went by since they were replaced.",
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["state", "created_at"], name="sites_site_of_state"),
            models.Index(fields=["plan", "node"], name="sites_site_of_plan"),
            models.Index(fields=["wanted_power", "created_at"], name="sites_site_of_power"),
            models.Index(fields=["deletion_requested_at", "state"], name="sites_site_deleting"),
        ]
        # What staff may do with a site, beside looking (view) and having it deleted (delete).
        permissions = [
            ("power_site", "Can start, stop and restart sites"),
            ("back_up_site", "Can make backups of sites"),
            ("roll_back_site", "Can roll back and reset sites and delete their backups"),
            ("login_site", "Can make login links into sites"),
            ("suspend_site", "Can suspend and unsuspend sites"),
            ("upgrade_site", "Can change the plan of sites"),
            ("route_site", "Can switch the traffic and change the domains of sites"),
            ("override_site", "Can overrule quotas and states, adopt, unlink and order again"),
        ]

    def __str__(self) -> str:
        return self.service_id

    @property
    def key(self) -> str:
        """What jobs name as their subject."""
        return f"sites.site:{self.pk}"

    @property
    def owner_mark(self) -> str:
        """What every remote thing of this site carries. One order's things are never taken for another's."""
        return marks.of(self)

    @property
    def mark_names(self) -> tuple[str, str]:
        """What its owner mark is made of."""
        return "nodepoint", f"{self.service_id}:{self.pk}"

    @property
    def hostname(self) -> str | None:
        """The platform's own host name of the site, None when it holds none."""
        return f"{self.subdomain}.{settings.BASE_DOMAIN}" if self.subdomain else None

    @property
    def hostnames(self) -> list[str]:
        """Every name of the platform's under which something of the site may stand, its own first."""
        names = filter(None, [self.subdomain, *self.former_subdomains])
        return [f"{name}.{settings.BASE_DOMAIN}" for name in names]

    @property
    def url(self) -> str | None:
        """Where visitors find it."""
        return f"https://{self.hostname}" if self.subdomain else None

    def domains(self) -> list["CustomDomain"]:
        """The rows of its custom domains, oldest first. One query, none where they were read with it."""
        if "custom_domains" in getattr(self, "_prefetched_objects_cache", {}):
            return list(self.custom_domains.all())
        rows = prepared(CustomDomain).filter(site_id=self.pk).order_by("pk").all()
        for row in rows:
            row.site = self  # otherwise the first that asks for it reads it anew
        return rows

    @property
    def primary_domain(self) -> str | None:
        """The name that WordPress has for itself, to which all others lead. One query."""
        return self.primary_among(self.domains())

    def primary_among(self, domains: Iterable["CustomDomain"]) -> str | None:
        """The same, by the rows of its custom domains, oldest first: the one that was chosen, where it may
        be, else the customer's first one that is served with a certificate, else the platform's."""
        served = [row.domain for row in domains if row.serves]
        if self.chosen_name and self.chosen_name in (self.hostname, *served):
            return self.chosen_name
        return served[0] if served else self.hostname

    @property
    def suspended(self) -> bool:
        """Whether billing wants it off: stopped, without traffic, its data kept."""
        return self.suspended_at is not None

    @property
    def power_wished(self) -> str:
        """`running` or `stopped`: the customer's wish, which suspension overrides."""
        return "stopped" if self.suspended else self.wanted_power

    @property
    def wants_high_availability(self) -> bool:
        """The staff's word for this site, else the plan's."""
        return self.plan.high_availability if self.high_availability is None else self.high_availability

    @property
    def backups_allowed(self) -> int:
        """How many snapshots the customer may keep."""
        return self.plan.backups if self.backup_quota is None else self.backup_quota

    @property
    def domains_allowed(self) -> int:
        """How many custom domains the customer may add."""
        return self.plan.domains if self.domain_quota is None else self.domain_quota


class CustomDomain(models.Model):
    """A customer's own host name for a site, from its acceptance until nothing of it is left."""

    class Status(models.TextChoices):
        PENDING = "pending"  # its proxy host is being set up, or removed
        ACTIVE = "active"  # served, by plain HTTP at least
        FAILED = "failed"  # not set up, not removed, or lapsed; counts until it is removed

    class CertificateStatus(models.TextChoices):
        NONE = "none"
        PENDING = "pending"
        ACTIVE = "active"
        FAILED = "failed"  # refused; it is ordered again later, unless the job was given up

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="custom_domains")
    domain = IdentifierField(max_length=253, unique=True, help_text="Lower case, IDNA in ASCII.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    certificate = models.CharField(max_length=16, choices=CertificateStatus, default=CertificateStatus.NONE)
    error = models.TextField(blank=True, help_text="A sentence that customers may read.")
    proven = models.BooleanField(
        default=False, help_text="Accepted for its TXT record: it need not lead here by itself (a CDN)."
    )
    proxy_host_id = models.PositiveIntegerField("proxy host", null=True)
    certificate_id = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    # What the hourly looks have found (`sites.domain_watch`).
    looked_at = models.DateTimeField(null=True, editable=False)
    astray_since = models.DateTimeField(
        null=True,
        editable=False,
        help_text="The first look of those in a row that found it leading elsewhere.",
    )
    astray_looks = models.PositiveIntegerField(default=0, editable=False, help_text="How many those are.")
    lapsed_at = models.DateTimeField(
        null=True, help_text="Failed since then, for it led elsewhere for too long. It comes back by itself."
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["status"], name="sites_domain_of_status"),
            models.Index(fields=["certificate"], name="sites_domain_of_certificate"),
        ]

    def __str__(self) -> str:
        return self.domain

    @property
    def key(self) -> str:
        """What jobs name as their subject."""
        return f"sites.customdomain:{self.pk}"

    @property
    def may_be_tried_anew(self) -> bool:
        """Whether something of it is not as it should be: asking for it again is no mistake then."""
        return self.status != self.Status.ACTIVE or self.certificate == self.CertificateStatus.FAILED

    @property
    def serves(self) -> bool:
        """Whether it may be the site's name: it is served with a certificate."""
        return (self.status, self.certificate) == (self.Status.ACTIVE, self.CertificateStatus.ACTIVE)

    @transaction.atomic
    def release(self) -> None:
        """Give the name back, unless it has moved to another site meanwhile. For a day nobody else gets it
        without a proof that it is his."""
        if not CustomDomain.objects.filter(pk=self.pk).delete()[0]:
            return
        ReleasedDomain.objects.filter(released_at__lt=timezone.now() - ReleasedDomain.KEPT).delete()
        whose = {"site": self.site, "released_at": timezone.now()}
        ReleasedDomain.objects.update_or_create(domain=self.domain, defaults=whose)


class Backup(models.Model):
    """A snapshot that a customer asked for, or that was made for safety before his content is changed (one of
    a site, replaced each time). Rows of those that are gone stay: a name is never given twice.

    Nothing changes the state when a job is cancelled: a backup in the making whose job is over is none."""

    class State(models.TextChoices):
        CREATING = "creating"
        READY = "ready"
        FAILED = "failed"  # it never came to be
        DELETED = "deleted"

    class Kind(models.TextChoices):
        CUSTOMER = "customer"
        SAFETY = "safety"  # in no quota

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="backups")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.CUSTOMER)
    name = IdentifierField(max_length=40, help_text="The snapshot's name at Proxmox VE.")
    state = models.CharField(max_length=16, choices=State, default=State.CREATING)
    safe_mode = models.BooleanField(default=False, help_text="Whether the site was in safe mode then.")
    job_id = IdentifierField(max_length=32, help_text="The job that makes it, or the last one to delete it.")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="sites_backup_name_once")]

    def __str__(self) -> str:
        return self.name
