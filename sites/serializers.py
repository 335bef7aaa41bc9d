"""Bodies of requests and answers."""

from rest_framework import serializers

from nodepoint.api.fields import ServiceIdField
from nodepoint.api.operations import JobOutput
from sites.models import Backup, CustomDomain


class ServiceInput(serializers.Serializer):
    """Which service is meant."""

    service_id = ServiceIdField()


class NamesOutput(serializers.Serializer):
    """Where a site is; null while nothing is reserved for it."""

    service_id = serializers.CharField()
    status = serializers.CharField()
    vmid = serializers.IntegerField(allow_null=True)
    private_ip = serializers.CharField(allow_null=True)
    subdomain = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)


class CreateSiteOutput(NamesOutput):
    """What was reserved for an order. The VMID may change until the container exists, subdomain and url until
    the site is live: where somebody else turns out to hold them. GET /status tells those that it has."""

    job = JobOutput()


class DeleteSiteInput(ServiceInput):
    """A deletion, and for how long the last archive is kept."""

    keep_days = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=3650,
        help_text="Where archives are made; without it KEEP_DAYS, 0: none is made.",
    )


class DeleteSiteOutput(serializers.Serializer):
    """`deleting` with the job, or `deleted` without."""

    status = serializers.CharField()
    job = JobOutput(required=False)


class WorkOutput(serializers.Serializer):
    """`state` and `job` stand here while the work goes on."""

    state = serializers.CharField(required=False)
    job = JobOutput(required=False)


class StatusOutput(WorkOutput):
    """How the site is."""

    status = serializers.CharField()


class LoginOutput(serializers.Serializer):
    """A link that lets its holder in."""

    url = serializers.CharField(help_text="Into wp-admin, once and within five minutes.")


class UpgradeInput(ServiceInput):
    """Another plan."""

    plan = serializers.CharField(max_length=64, help_text="Name of a plan, without regard to case.")
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only say whether it would be taken, and change nothing."
    )


class UpgradeOutput(serializers.Serializer):
    """The plan, and the job that brings it about; null where it was only asked whether that would do."""

    plan = serializers.CharField()
    job = JobOutput(allow_null=True)


class PlanOutput(serializers.Serializer):
    """A plan."""

    name = serializers.CharField()
    memory_mb = serializers.IntegerField()
    disk_gb = serializers.IntegerField()
    cores = serializers.IntegerField()
    backups = serializers.IntegerField()
    domains = serializers.IntegerField()
    archives_daily = serializers.IntegerField(help_text="Nights of which the archive is kept.")
    archives_weekly = serializers.IntegerField(help_text="Weeks before that of which one is kept.")


class PlansOutput(serializers.Serializer):
    """All plans."""

    plans = PlanOutput(many=True)


class ResourcesOutput(serializers.Serializer):
    """Live usage in words."""

    cpu = serializers.CharField()
    memory = serializers.CharField()
    disk = serializers.CharField()
    uptime = serializers.CharField()


class UsedOutput(serializers.Serializer):
    """Used and allowed."""

    used = serializers.IntegerField()
    allowed = serializers.IntegerField()


class QuotaOutput(UsedOutput):
    """Used, allowed, and what remains."""

    remaining = serializers.IntegerField()


class QuotasOutput(serializers.Serializer):
    """All quotas."""

    domains = QuotaOutput()


class UsageOutput(serializers.Serializer):
    """Disk, and traffic of the calendar month."""

    disk_percent = serializers.IntegerField(allow_null=True, help_text="Null: not measured yet.")
    disk_warning = serializers.CharField(allow_null=True, help_text="What helps, from 80 % on.")
    traffic_in_mb = serializers.IntegerField(help_text="What the container has received.")
    traffic_out_mb = serializers.IntegerField(help_text="What it has sent.")


class ChosenSerializer(serializers.Serializer):
    """Those that are to change."""

    xmlrpc = serializers.BooleanField(required=False, help_text="Whether /xmlrpc.php answers.")
    upload_mb = serializers.IntegerField(
        required=False, allow_null=True, help_text="Of one upload, up to the plan's disk; null: the default."
    )
    memory_mb = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="Of one request of PHP, 64 up to a quarter of the plan's; null: the default.",
    )
    cache = serializers.BooleanField(required=False, help_text="Whether visitors are served cached pages.")


class OptionsInput(ServiceInput):
    """Options of WordPress inside the site."""

    options = ChosenSerializer()


class ChosenOutput(serializers.Serializer):
    """Options of WordPress inside the site, the defaults where nothing was chosen."""

    xmlrpc = serializers.BooleanField()
    upload_mb = serializers.IntegerField()
    memory_mb = serializers.IntegerField()
    cache = serializers.BooleanField()


class OptionsOutput(WorkOutput):
    """All options as they are wished now."""

    options = ChosenOutput()


class SiteOutput(NamesOutput):
    """A site as it is now."""

    email = serializers.CharField()
    public_ip = serializers.CharField()
    plan = PlanOutput()
    node = serializers.CharField(allow_null=True)
    resources = ResourcesOutput(allow_null=True)
    primary = serializers.CharField(
        allow_null=True, help_text="The name by which the site goes; all others lead to it."
    )
    domains = serializers.ListField(child=serializers.CharField())
    proxy_enabled = serializers.BooleanField()
    usage = UsageOutput()
    options = ChosenOutput()
    safe_mode = serializers.BooleanField(help_text="Plugins and theme are left out.")
    backups = UsedOutput()
    quota = QuotasOutput()
    job = JobOutput(allow_null=True)
    stale = serializers.BooleanField(
        required=False, help_text="Proxmox does not answer: these are its last known words."
    )


class BackupInput(ServiceInput):
    """Which backup is meant."""

    bak = serializers.CharField(max_length=64, help_text="Its name, such as BAK11122025-1.")


class ResetInput(ServiceInput):
    """A reset, and whether newer backups may be deleted where the storage cannot keep them."""

    discard_backups = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Delete newer backups where the storage can only go back to its newest snapshot.",
    )


class RollbackInput(BackupInput, ResetInput):
    """Which backup to go back to: its name, or `initial`."""


class BackupQuotaOutput(WorkOutput):
    """How many backups there are, and how many are allowed."""

    quota = serializers.CharField(help_text="Such as 2/3.")


class BackupOutput(BackupQuotaOutput):
    """The name of the new backup."""

    backup = serializers.CharField()


class BackupEntryOutput(serializers.Serializer):
    """A backup."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(
        choices=Backup.Kind.choices,
        help_text="safety: made before the content is changed or gone back on, replaced, in no quota.",
    )
    made_before = serializers.CharField(
        allow_null=True, help_text="Of one for safety: the kind of the job that it was made before."
    )
    created_at = serializers.DateTimeField()
    status = serializers.CharField(help_text="creating, ready or deleting.")


class BackupsOutput(UsedOutput):
    """All backups, newest first."""

    quota = serializers.CharField(help_text="Such as 2/3.")
    backups = BackupEntryOutput(many=True)


class DomainInput(ServiceInput):
    """Which custom domain is meant."""

    domain = serializers.CharField(max_length=1000, help_text="A host name; Unicode is taken as IDNA.")


class NewDomainInput(DomainInput):
    """A custom domain to add, and how its holder shows that it is his."""

    verify = serializers.ChoiceField(
        choices=["dns", "txt"],
        required=False,
        default="dns",
        help_text="txt: its TXT record alone is asked for; dns: only where its A record does not do.",
    )


class DomainOutput(WorkOutput):
    """A custom domain, and how many more may be added."""

    domain = serializers.CharField()
    count = serializers.IntegerField(help_text="How many may still be added.")


class AddedDomainOutput(DomainOutput):
    """How far it is, too."""

    status = serializers.ChoiceField(choices=CustomDomain.Status.choices)


class DomainDetailsOutput(serializers.Serializer):
    """How a custom domain is."""

    domain = serializers.CharField()
    status = serializers.ChoiceField(choices=CustomDomain.Status.choices)
    certificate = serializers.ChoiceField(choices=CustomDomain.CertificateStatus.values)
    error = serializers.CharField(allow_null=True, help_text="What was found and what to set.")
    primary = serializers.BooleanField(help_text="Whether it is the name by which the site goes.")
    problem = serializers.CharField(
        allow_null=True, help_text="Why it does not lead here now; null: it does, or nobody can tell."
    )


class OfferOutput(serializers.Serializer):
    """A name that the site went by, and the one by which it goes now."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` is a word of Python's."""
        return {"from": serializers.CharField(), "to": serializers.CharField()}


class DomainsOutput(serializers.Serializer):
    """All custom domains of a site."""

    domains = serializers.ListField(child=serializers.CharField())
    count = serializers.IntegerField(help_text="How many may still be added.")
    quota = QuotaOutput()
    details = DomainDetailsOutput(many=True)
    replace = OfferOutput(
        many=True,
        help_text="Names that addresses in the content may still bear: what to call /action/replace with.",
    )


class PrimaryOutput(WorkOutput):
    """The name by which the site goes from now on."""

    primary = serializers.CharField()


class ToggleInput(ServiceInput):
    """Which way; without it, the other way round."""

    enabled = serializers.BooleanField(required=False)


class SafeModeInput(ServiceInput):
    """Which way."""

    enabled = serializers.BooleanField()


class ToggleOutput(WorkOutput):
    """The customer's wish."""

    enabled = serializers.BooleanField()


class ReplaceInput(ServiceInput):
    """Which host name takes the place of which."""

    to = serializers.CharField(max_length=1000, help_text="A name by which the site is served.")
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only count, and change nothing."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        """With `from`, a word of Python's."""
        old = serializers.CharField(max_length=1000, help_text="The host name in the addresses so far.")
        return {**super().get_fields(), "from": old}


class ReplaceOutput(WorkOutput):
    """What was found; each is null until it is known."""

    tables = serializers.IntegerField(allow_null=True, help_text="Tables that hold such addresses.")
    changes = serializers.IntegerField(allow_null=True, help_text="Addresses.")
    left = serializers.IntegerField(
        allow_null=True,
        help_text="Values that hold such addresses and stay as they are: broken serialized data, for one.",
    )


class RestoreInput(ServiceInput):
    """Which archive."""

    archive = serializers.CharField(max_length=64, help_text="Its name.")


class ExportOutput(WorkOutput):
    """What is offered; each is null until it is, and when it is no more."""

    url = serializers.CharField(
        allow_null=True, help_text="At the site's own name; for whoever has it, until it was fetched whole."
    )
    size_mb = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class ImportInput(ServiceInput):
    """Where the content comes from."""

    url = serializers.CharField(
        max_length=2000,
        help_text="https: a tar (also .gz, .bz2, .xz) or zip with the folder wp-content and a dump of the"
        " database (.sql, .sql.gz).",
    )
