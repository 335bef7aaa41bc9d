"""What acts on a site ask for beside the reason."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from nodepoint.staff.acts import ActForm
from nodepoint.staff.forms import ServiceIdField
from sites import options, representation, services
from sites.models import Archive, Backup, Plan, Site
from sites.services.lift import BATCH, MOST

LARGEST = 10_000  # of a quota


class BackupForm(ActForm):
    """One of the backups that stand."""

    backup = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        ready = self.subject.backups.filter(state=Backup.State.READY)
        by_kind = sorted(ready, key=lambda backup: backup.kind == Backup.Kind.SAFETY)
        self.fields["backup"].choices = [(backup.name, _of_when(backup)) for backup in by_kind]


def _of_when(backup: Backup) -> str:
    for_safety = " (for safety)" if backup.kind == Backup.Kind.SAFETY else ""
    return f"{backup.name}{for_safety}, {backup.created_at:%Y-%m-%d %H:%M}"


class ArchiveForm(ActForm):
    """One of the archives that may be deleted."""

    archive = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["archive"].choices = [
            (row.name, f"{row.name}, {row.get_origin_display()}, {row.made_at:%Y-%m-%d %H:%M}")
            for row in self.offered()
        ]

    def offered(self) -> QuerySet[Archive]:
        """Those that may be chosen."""
        return self.subject.archives.filter(state=Archive.State.READY, protected=False)


class RestoreForm(ArchiveForm):
    """The archive that the site is to be restored from."""

    def offered(self) -> QuerySet[Archive]:
        """Protected ones as well."""
        return self.subject.archives.filter(state=Archive.State.READY)


class DiscardForm(ActForm):
    """Whether newer backups may go."""

    discard_backups = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        label="Delete newer backups where they stand in the way",
        help_text="On ZFS a container can go back to its newest snapshot only.",
    )


class RollbackForm(BackupForm, DiscardForm):
    """The backup to go back to."""


VERIFY = (
    ("dns", "Its A record; where that does not do, its TXT record"),
    ("txt", "Its TXT record alone, as for a name behind a CDN"),
)


class NewDomainForm(ActForm):
    """A host name that leads here by now, or whose TXT record shows whose it is."""

    domain = forms.CharField(
        max_length=253, widget=UnfoldAdminTextInputWidget, help_text="Such as www.example.com."
    )
    verify = forms.ChoiceField(
        choices=VERIFY,
        initial="dns",
        widget=UnfoldAdminSelectWidget,
        label="Shown by",
        help_text="The refusal names the TXT record. With it, a name of another site moves here.",
    )


class DomainForm(ActForm):
    """One of the site's own host names."""

    domain = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    only_failed = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = self.subject.custom_domains.all()
        names = [row.domain for row in rows if row.may_be_tried_anew or not self.only_failed]
        self.fields["domain"].choices = [(name, name) for name in names]


class FailedDomainForm(DomainForm):
    """One that is not as it should be."""

    only_failed = True


class PrimaryForm(ActForm):
    """One of the names by which the site could go."""

    domain = forms.ChoiceField(widget=UnfoldAdminSelectWidget, label="Name")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = list(self.subject.custom_domains.all())
        names = [self.subject.hostname, *(row.domain for row in rows if row.serves)]
        now = self.subject.primary_among(rows)
        self.fields["domain"].choices = [(name, name) for name in names if name != now]


class ReplaceForm(ActForm):
    """Which name takes the place of which, filled in with one that the site went by."""

    old = forms.CharField(
        max_length=253, widget=UnfoldAdminTextInputWidget, label="Host name in the addresses so far"
    )
    new = forms.ChoiceField(widget=UnfoldAdminSelectWidget, label="Host name from now on")
    dry_run = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        label="Only count them",
        help_text="Nothing is changed; the job says how many there are.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["new"].choices = [(name, name) for name in services.served_names(self.subject)]
        for offer in representation.offers(self.subject, self.subject.primary_domain)[:1]:
            self.initial.setdefault("old", offer["from"])
            self.initial.setdefault("new", offer["to"])


class ImportForm(ActForm):
    """Where an archive lies."""

    url = forms.CharField(
        max_length=2000,
        widget=UnfoldAdminTextInputWidget,
        label="Address of the archive",
        help_text="https, a tar or zip with the folder wp-content and a dump of the database.",
    )


class OwnerForm(ActForm):
    """The customer in the billing portal, and his address."""

    email = forms.EmailField(max_length=254, widget=UnfoldAdminTextInputWidget, label="E-mail")
    user_id = forms.RegexField(
        r"^[0-9]{1,20}\Z",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        label="User id",
        help_text="The billing portal's, 1 to 20 digits; empty: not known.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial.setdefault("email", self.subject.email)
        self.initial.setdefault("user_id", self.subject.user_id)


class PlanForm(ActForm):
    """The plan to move to."""

    plan = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["plan"].choices = [(plan.name, described(plan)) for plan in Plan.objects.all()]
        if self.subject:
            self.initial.setdefault("plan", self.subject.plan.name)


def described(plan: Plan) -> str:
    """A plan in one line."""
    sizes = f"{plan.memory_mb} MB, {plan.disk_gb} GB, {plan.cores} cores"
    return f"{plan.name}: {sizes}, {plan.backups} backups, {plan.domains} domains"


class OptionsForm(ActForm):
    """What the customer may choose about WordPress inside."""

    xmlrpc = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget, label="XML-RPC")
    cache = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget, label="Page cache")
    upload_mb = forms.IntegerField(
        required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget, label="Largest upload (MB)"
    )
    memory_mb = forms.IntegerField(
        required=False,
        min_value=options.LEAST_MEMORY_MB,
        widget=UnfoldAdminIntegerFieldWidget,
        label="Memory of one PHP request (MB)",
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        site: Site = self.subject
        self.initial |= {name: getattr(site, column) for name, column in options.COLUMNS.items()}
        plan = site.plan
        for name, usual, most in (
            ("upload_mb", options.UPLOAD_MB, options.most_upload(plan)),
            ("memory_mb", options.usual_memory(plan), options.most_memory(plan)),
        ):
            self.fields[name].help_text = f"Empty: {usual}. Up to {most} in the plan {plan.name}."


class OverruleForm(ActForm):
    """What the plan says, and what staff say instead."""

    backup_quota = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST, widget=UnfoldAdminIntegerFieldWidget
    )
    domain_quota = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST, widget=UnfoldAdminIntegerFieldWidget
    )
    high_availability = forms.TypedChoiceField(
        required=False,
        choices=[("", "as the plan says"), ("on", "on"), ("off", "off")],
        coerce=lambda value: value == "on",
        empty_value=None,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        site: Site = self.subject
        managed = {None: "", True: "on", False: "off"}[site.high_availability]
        self.initial |= {
            "backup_quota": site.backup_quota,
            "domain_quota": site.domain_quota,
            "high_availability": managed,
        }
        plan = site.plan
        for name, says in (("backup_quota", plan.backups), ("domain_quota", plan.domains)):
            self.fields[name].help_text = f"Empty: {says}, as the plan {plan.name} says."
        says = "on" if plan.high_availability else "off"
        self.fields["high_availability"].help_text = f"The plan {plan.name} says {says}."


class LiftForm(ActForm):
    """How many sites at once."""

    batch = forms.IntegerField(
        min_value=1,
        max_value=MOST,
        initial=BATCH,
        widget=UnfoldAdminIntegerFieldWidget,
        label="Sites at once",
    )


class TypedForm(ActForm):
    """For what cannot be taken back: the service id is typed."""

    typed = forms.CharField(
        max_length=64, widget=UnfoldAdminTextInputWidget, label="Type the service id to confirm"
    )

    def clean_typed(self) -> str:
        """It must be this one's."""
        if self.cleaned_data["typed"] != self.subject.service_id:
            raise forms.ValidationError(f"Type {self.subject.service_id}.")
        return self.cleaned_data["typed"]


class ForceForm(TypedForm):
    """The state that the row is to say."""

    STATES = {
        Site.State.LIVE: "live: it works, whatever the last job found",
        Site.State.FAILED: "failed: nothing of it is there, and it may be ordered again",
        Site.State.DELETED: "deleted: nothing of it is there, and nobody wants it",
    }

    state = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        other = [(state, says) for state, says in self.STATES.items() if state != self.subject.state]
        self.fields["state"].choices = other


class OrderForm(PlanForm):
    """What the billing portal would send with an order."""

    service_id = ServiceIdField()
    email = forms.EmailField(max_length=254, widget=UnfoldAdminTextInputWidget, label="Customer's e-mail")
    public_ip = forms.GenericIPAddressField(
        protocol="IPv4", widget=UnfoldAdminTextInputWidget, label="Public IP of the reverse proxy"
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields(["service_id", "email", "plan", "public_ip", "reason"])
        self.initial.setdefault("public_ip", settings.PROXY_IP)


class AdoptForm(OrderForm):
    """Which container becomes the site of which service."""

    vmid = forms.IntegerField(min_value=100, widget=UnfoldAdminIntegerFieldWidget, label="VMID")
    typed = forms.IntegerField(
        widget=UnfoldAdminIntegerFieldWidget, label="Type the VMID once more: it is not ours yet"
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields(["service_id", "email", "plan", "public_ip", "vmid", "typed", "reason"])

    def clean(self) -> dict[str, Any]:
        """The VMID twice alike."""
        given = super().clean()
        if "vmid" in given and given.get("typed") != given["vmid"]:
            self.add_error("typed", "The two VMIDs differ.")
        return given
