"""Customers, their zones, and what a new zone begins with. Records are not kept here: they are read where
they are."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from dns import records, rules
from nodepoint.api.errors import ApiError
from nodepoint.fields import IdentifierField


class Customer(models.Model):
    """A user of the billing portal, and the ISPConfig client that owns his zones."""

    user_id = IdentifierField("user id", max_length=20, unique=True, help_text="The billing portal's.")
    email = models.EmailField(max_length=254, blank=True, db_index=True)
    # Found or made at ISPConfig with the first zone; NULL before.
    client_id = models.PositiveBigIntegerField("ISPConfig client", null=True, editable=False)
    group_id = models.PositiveBigIntegerField("ISPConfig group", null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.user_id


class Zone(models.Model):
    """A customer's zone. One that is added again after its deletion gets a new row."""

    class State(models.TextChoices):
        CREATING = "creating"
        ACTIVE = "active"
        FAILED = "failed"  # undone: nothing of it is left at ISPConfig
        DELETED = "deleted"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="zones")
    name = IdentifierField(max_length=253, db_index=True, help_text="In ASCII, without a last dot.")
    # The name while this row stands for the zone, NULL once it has failed or was deleted.
    name_key = IdentifierField(max_length=253, null=True, unique=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.CREATING, db_index=True)
    deletion_requested_at = models.DateTimeField(null=True, editable=False)
    ispconfig_id = models.PositiveBigIntegerField("ISPConfig zone", null=True, db_index=True, editable=False)
    # The highest that was seen or written. It outlives the zone: one of the same name must begin above it.
    serial = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """What jobs name as their subject."""
        return f"dns.zone:{self.pk}"

    @property
    def origin(self) -> str:
        """The name with its last dot."""
        return f"{self.name}."


class Publication(models.Model):
    """What the last look at our name servers found of a zone: whether they serve what the panel holds."""

    zone = models.OneToOneField(Zone, on_delete=models.CASCADE, related_name="publication")
    serial = models.PositiveBigIntegerField(help_text="The panel's at that look.")
    served = models.JSONField(default=dict, help_text="By server; null: it does not serve the zone.")
    looked_at = models.DateTimeField(db_index=True)
    wrong_since = models.DateTimeField(
        null=True, db_index=True, help_text="First look since which the servers have not moved to it."
    )
    detail = models.TextField(blank=True, help_text="Why, as far as ISPConfig says, for staff.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.zone_id} as of {self.looked_at}"

    @property
    def highest(self) -> int:
        """The highest serial at any name server, 0 where none serves the zone."""
        return max((serial or 0 for serial in self.served.values()), default=0)

    @property
    def is_ahead(self) -> bool:
        """Whether a name server holds a later serial than the panel, and so takes nothing from it. A signed
        zone is served one above its own."""
        return self.highest > self.serial + 1


class Parent(models.Model):
    """What the last look at the zone above found: to whom it refers a zone, and with which DS records."""

    zone = models.OneToOneField(Zone, on_delete=models.CASCADE, related_name="parent")
    servers = models.JSONField(default=list)
    ds = models.JSONField(default=list, help_text="Key tag, algorithm, digest type and digest, each as text.")
    looked_at = models.DateTimeField(db_index=True)
    away_since = models.DateTimeField(
        null=True, db_index=True, help_text="First look since which it has not named all our name servers."
    )
    ds_until = models.DateTimeField(null=True, help_text="Until then resolvers may know a DS that was seen.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.zone_id} as of {self.looked_at}"


class Known(models.Model):
    """The records of a zone as they were last seen or written: what differs from it later was done by
    others, in the panel."""

    zone = models.OneToOneField(Zone, on_delete=models.CASCADE, related_name="known")
    records = models.JSONField(default=dict, help_text="By ISPConfig's id, as `dns.history` writes them.")
    version = models.PositiveBigIntegerField(default=0, help_text="Raised with every change of them.")
    serial = models.PositiveBigIntegerField(
        default=0, help_text="The zone's, when the watch last compared them; another one: look again."
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.zone_id}, version {self.version}"


class Change(models.Model):
    """One record of a zone that was added, changed or deleted. `before` and `after`: the fields of
    `records.Entry`, and `active`."""

    class Act(models.TextChoices):
        ADD = "add"
        CHANGE = "change"
        DELETE = "delete"

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(db_index=True)
    act = models.CharField(max_length=8, choices=Act)
    record = models.PositiveBigIntegerField(help_text="ISPConfig's id.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    by = models.CharField(max_length=128, blank=True, help_text="Token or staff member; empty: found so.")
    job_id = IdentifierField(
        max_length=32, blank=True, db_index=True, help_text="What was done together has one job."
    )

    class Meta:
        default_permissions = ("view",)
        ordering = ["-pk"]

    def __str__(self) -> str:
        said = self.after or self.before or {}
        return f"{self.act} {said.get('type')} {said.get('name')}"


class ShownDomain(models.Model):
    """That a customer has shown a domain to be his, by a TXT record that was seen then."""

    user_id = IdentifierField(max_length=20)
    name = IdentifierField(max_length=253)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user_id", "name"], name="dns_shown_domain_once")]

    def __str__(self) -> str:
        return self.name


class TemplateRecord(models.Model):
    """A record that every new zone begins with, beside its name servers."""

    position = models.PositiveSmallIntegerField(default=0)
    type = models.CharField(max_length=8, choices=[(t, t) for t in records.TYPES if t != "NS"], default="A")
    name = models.CharField(
        max_length=128, help_text="@ for the domain itself, else relative to it, such as www."
    )
    content = models.TextField(help_text=f"{records.ALIAS} stands for the proxy's address.")
    priority = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(records.PRIORITIES[1])],
        help_text="For MX and SRV only.",
    )
    ttl = models.PositiveIntegerField(
        "TTL (seconds)",
        default=3600,
        validators=[MinValueValidator(records.TTLS[0]), MaxValueValidator(records.TTLS[1])],
    )

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.type} {self.content}"

    def entry(self, zone: str, proxy_ip: str) -> records.Entry:
        """What it says in a zone of that name (no last dot). BadField."""
        columns = ("type", "name", "content", "priority", "ttl")
        return records.parse({column: getattr(self, column) for column in columns}, zone, proxy_ip)

    def clean(self) -> None:
        """What a customer could not add himself, alone or beside the other rows, cannot stand here either."""
        zone, address = "example.com", "192.0.2.1"
        others: list[Any] = []
        try:
            for row in TemplateRecord.objects.exclude(pk=self.pk):
                others.append(records.Held(row.pk, row.entry(zone, address), True))
            rules.may_add(self.entry(zone, address), f"{zone}.", others)
        except ApiError as error:
            raise ValidationError(error.sentence) from None
