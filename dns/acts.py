"""What staff can do with zones and their records, by the services that customers' calls go through."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django import forms
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from dns import changes, live, planning, records, services
from dns.models import Zone
from nodepoint.api.errors import from_job
from nodepoint.clients.errors import ClientError
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.staff.acts import Act, ActForm, Result

LOOK_SECONDS = 2.0  # for the records on a page
MOST_TOLD = 20  # lines of a file that are named
WAIT_SECONDS = 4.0  # for a job, so that the page shows what came of it


class RecordForm(ActForm):
    """What a record says. Filled in with the record of `rc_id`, where one is to be changed."""

    rc_id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    type = forms.ChoiceField(choices=[(one, one) for one in records.TYPES], widget=UnfoldAdminSelectWidget)
    name = forms.CharField(
        max_length=255, initial="@", help_text="@, relative, or whole.", widget=UnfoldAdminTextInputWidget
    )
    content = forms.CharField(
        max_length=4096,
        help_text=f"{records.ALIAS} stands for the proxy's address.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    priority = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=65535,
        help_text="For MX and SRV.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    ttl = forms.IntegerField(
        label="TTL (seconds)",
        initial=3600,
        min_value=records.TTLS[0],
        max_value=records.TTLS[1],
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, *args: Any, subject: Zone | None, initial: Mapping[str, Any], **options: Any) -> None:
        filled = (
            {**initial, **_of_record(subject, initial.get("rc_id"))} if not args or not args[0] else initial
        )
        super().__init__(*args, subject=subject, initial=filled, **options)

    def values(self) -> dict[str, Any]:
        """As the services take them."""
        return {name: self.cleaned_data[name] for name in ("type", "name", "content", "priority", "ttl")}


class RecordNumberForm(ActForm):
    """Which record."""

    rc_id = forms.IntegerField(widget=forms.HiddenInput)


class ImportForm(ActForm):
    """A zone file, and what is to be done with it."""

    zonefile = forms.CharField(
        label="Zone file", strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 12})
    )
    mode = forms.ChoiceField(
        choices=[("add", "Add what is missing"), ("replace", "Make the zone what the file says")],
        widget=UnfoldAdminSelectWidget,
    )
    dry_run = forms.BooleanField(
        label="Only say what would be done", required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )


class ChangeNumberForm(ActForm):
    """Which change."""

    change_id = forms.IntegerField(widget=forms.HiddenInput)


class ZoneForm(ActForm):
    """A zone to be made, and for whom."""

    user_id = forms.RegexField(
        r"^[0-9]{1,20}\Z", label="User id in the billing portal", widget=UnfoldAdminTextInputWidget
    )
    domain = forms.CharField(max_length=253, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(required=False, label="E-mail (may be empty)", widget=UnfoldAdminTextInputWidget)


def _of_record(zone: Zone | None, number: Any) -> dict[str, Any]:
    """What a record says now; nothing when it, or ISPConfig, cannot be found."""
    found = read(zone)[0] if zone and str(number or "").isdecimal() else None
    for held in found.records if found else ():
        if held.id == int(number):
            entry = held.entry
            return {
                "type": entry.type,
                "name": entry.name,
                "content": entry.data,
                "priority": entry.priority,
                "ttl": entry.ttl,
            }
    return {}


def read(zone: Zone) -> tuple[live.LiveZone | None, str]:
    """The zone as ISPConfig holds it now, and a sentence where it cannot be shown."""
    if zone.name_key is None:
        return None, "This zone is gone."
    try:
        found = live.zone(zone.customer, zone.name, LOOK_SECONDS)
    except ClientError as error:
        return None, error.sentence
    return found, "" if found else "ISPConfig does not have this zone for this customer."


def _add(zone: Zone, *, actor: str, **given: Any) -> Result:
    _, job = services.add_record(zone.customer.user_id, _said(zone, given), actor=actor)
    return _ended(job)


def _change(zone: Zone, *, actor: str, rc_id: int, **given: Any) -> Result:
    _, job = services.update_record(
        zone.customer.user_id, {**_said(zone, given), "rc_id": rc_id}, actor=actor
    )
    return _ended(job)


def _said(zone: Zone, given: dict[str, Any]) -> dict[str, Any]:
    wanted = ("type", "name", "content", "priority", "ttl")
    return {**{name: given[name] for name in wanted}, "zone_id": zone.ispconfig_id}


def _remove(zone: Zone, *, actor: str, rc_id: int, **_: Any) -> Result:
    return _ended(services.delete_record(zone.customer.user_id, zone.ispconfig_id, rc_id, actor=actor))


def _import(zone: Zone, *, actor: str, zonefile: str, mode: str, dry_run: bool, **_: Any) -> Result:
    lines, job = changes.import_file(zone, zonefile, mode, dry_run=dry_run, actor=actor)
    counts = Counter(line.act for line in lines)
    said = ", ".join(f"{act} {count}" for act, count in sorted(counts.items()))
    refused = [f"line {line.place}: {line.reason}" for line in lines if line.act == planning.REFUSE]
    if dry_run:
        return Result(said=" ".join(["Nothing was done.", f"It would be: {said}.", *refused[:MOST_TOLD]]))
    return _ended(job) if job else Result(said="All of it is there already.")


def _undo(zone: Zone, *, actor: str, change_id: int, **_: Any) -> Result:
    _lines, job = changes.undo(zone, change_id, actor=actor)
    return _ended(job) if job else Result(said="There is nothing to undo any more.")


def _ended(job: Job) -> Result:
    """What came of a job, or that it goes on. A refusal found by the job itself is raised."""
    job = queue.wait_for(job.pk, WAIT_SECONDS)
    if job.alive:
        return Result(said="It is being done; the records below follow.")
    if job.state in Job.ENDED_BADLY:
        raise from_job(job)
    return Result()


def _delete_zone(zone: Zone, *, actor: str, **_: Any) -> Result:
    services.delete_zone(zone.customer.user_id, zone.name, actor=actor)
    return Result()


def _create_zone(_: None, *, actor: str, user_id: str, domain: str, email: str, **__: Any) -> Result:
    zone, _job = services.create_zone(user_id, domain, email=email, actor=actor)
    return Result(where=reverse("admin:dns_zone_change", args=[zone.pk]))


CREATE = Act(
    name="create",
    label="Add a zone",
    question="Add a zone?",
    warning="Its registrar must name our name servers already: that is asked now, as for customers.",
    done="The zone is being set up.",
    perform=_create_zone,
    permission="dns.add_zone",
    icon="add",
    form=ZoneForm,
)
ACTS = (
    Act(
        name="add-record",
        label="Add a record",
        question="Add a record?",
        warning="The same rules hold as for the customer. It is published within a minute.",
        done="The record is there.",
        perform=_add,
        permission="dns.change_zone",
        icon="add",
        form=RecordForm,
    ),
    Act(
        name="change-record",
        label="Change",
        question="Change this record?",
        warning="Its type stays. What it says now is replaced.",
        done="The record is changed.",
        perform=_change,
        permission="dns.change_zone",
        icon="edit",
        form=RecordForm,
    ),
    Act(
        name="delete-record",
        label="Delete",
        question="Delete this record?",
        warning="Whatever relies on it stops working as soon as caches forget it.",
        done="The record is gone.",
        perform=_remove,
        permission="dns.change_zone",
        icon="delete",
        form=RecordNumberForm,
        dangerous=True,
    ),
    Act(
        name="import-records",
        label="Import a zone file",
        question="Import a zone file?",
        warning="All of it is taken, or nothing. Our name servers and what only staff make stay as they are.",
        done="The records are as the file says.",
        perform=_import,
        permission="dns.change_zone",
        icon="upload",
        form=ImportForm,
    ),
    Act(
        name="undo-change",
        label="Undo",
        question="Undo this change?",
        warning="The record is again as it was before, as long as nobody has changed it since.",
        done="The change is undone.",
        perform=_undo,
        permission="dns.change_zone",
        icon="undo",
        form=ChangeNumberForm,
    ),
    Act(
        name="delete-zone",
        label="Delete the zone",
        question="Delete this zone with all its records?",
        warning="All names in it stop working: web sites, mail, everything. There is no way back.",
        done="The zone is being deleted.",
        perform=_delete_zone,
        permission="dns.delete_zone",
        icon="delete_forever",
        dangerous=True,
        needs_reason=True,
    ),
)
