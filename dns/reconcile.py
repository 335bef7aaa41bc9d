"""What `manage.py reconcile` compares of DNS: our rows of zones with the zones at ISPConfig, by one list of
all of them. Zones take no mark: one is removed only if its id and its name are those that a row of ours has
noted.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from dns import published, transfers
from dns.clients.ispconfig import Zone as PanelZone
from dns.connections import ispconfig
from dns.models import Publication, Zone
from nodepoint.clients.errors import ClientError, Conflict
from nodepoint.jobs.models import Job
from nodepoint.reconcile import Finding, Kind, Report

SYSTEM = "ispconfig"
ENDED_FOR = timedelta(days=1)  # before what is left of a zone may be removed
LAG = timedelta(seconds=5)  # between the list and our rows


def compare() -> Report:
    """Look at ISPConfig, then at our rows. Changes nothing."""
    report, begun = Report(), timezone.now()
    try:
        found = ispconfig().zones()
    except ClientError as error:
        report.unread.append(error)
        return report
    lately = Job.objects.filter(subject__startswith="dns.zone:")
    alive = lately.filter(state__in=Job.ALIVE) | lately.filter(finished_at__gt=begun - LAG)
    restless = set(alive.values_list("subject", flat=True))
    standing = list(Zone.objects.filter(name_key__isnull=False).select_related("customer").order_by("pk"))
    calm = [zone for zone in standing if zone.state == Zone.State.ACTIVE and zone.key not in restless]
    by_origin = {zone.origin: zone for zone in found}
    unpublished = {seen.zone_id: seen for seen in published.unpublished()}
    for zone in calm:
        report.things[SYSTEM] += 1
        report.findings += _of_zone(zone, by_origin.get(zone.origin), unpublished.get(zone.pk))
    held = {zone.origin for zone in standing}
    strays = [zone for zone in found if zone.origin not in held]
    for finding in _strays(strays, restless):
        report.things[SYSTEM] += 1
        report.findings.append(finding)
    return report


def _of_zone(zone: Zone, found: PanelZone | None, unpublished: Publication | None) -> Iterator[Finding]:
    thing = f"zone {zone.name}"
    if found is None:
        detail = "Its records are gone with it: restore ISPConfig's backup, or delete the zone here."
        yield Finding(Kind.MISSING, SYSTEM, thing, detail, zone)
    elif found.group_id != zone.customer.group_id:
        detail = f"belongs to group {found.group_id} instead of {zone.customer.group_id}"
        yield Finding(Kind.FOREIGN, SYSTEM, thing, detail, zone)
    else:
        wrong = list(_drift(zone, found))
        if wrong:
            yield Finding(Kind.DIFFERS, SYSTEM, thing, "; ".join(wrong), zone, repairable=True)
        elif unpublished:
            # A new serial helps where a secondary holds a higher one, not where a record is refused.
            detail, ahead = published.for_staff(unpublished), unpublished.is_ahead
            yield Finding(Kind.DIFFERS, SYSTEM, thing, detail, zone, repairable=ahead)


def _drift(zone: Zone, found: PanelZone) -> Iterator[str]:
    """What a repair puts right at ISPConfig."""
    if not found.active:
        yield "not served"
    if found.id != zone.ispconfig_id:
        yield f"id {found.id} instead of {zone.ispconfig_id}"
    for field, value in transfers.drift(found).items():
        yield f"{field} {getattr(found, field) or 'empty'} instead of {value}"


def _strays(found: list[PanelZone], restless: set[str]) -> Iterator[Finding]:
    """What is left of zones that have ended here. Others have been made in the panel: they get a row when
    their owner looks at them (`lookup.zones_of`)."""
    ids = [zone.id for zone in found]
    ended = {row.ispconfig_id: row for row in Zone.objects.filter(ispconfig_id__in=ids, name_key=None)}
    for zone in found:
        row = ended.get(zone.id)
        if row is None or row.origin != zone.origin or row.key in restless:
            continue
        thing = f"zone {row.name}"
        if row.ended_at is None or row.ended_at > timezone.now() - ENDED_FOR:
            yield Finding(Kind.ORPHAN, SYSTEM, thing, "Its zone here ended less than a day ago.", row)
        else:
            detail = f"Its zone here ended on {row.ended_at:%Y-%m-%d}."
            yield Finding(Kind.ORPHAN, SYSTEM, thing, detail, row, orphan=zone, mark=zone.origin)


def remove(orphan: PanelZone, mark: str) -> None:
    """Remove a zone that was left over, with its records; one that is gone by now is fine. Conflict when it
    is not the one that was reported any more."""
    found = ispconfig().find_zone(mark)
    if found is None:
        return
    if (found.id, found.group_id) != (orphan.id, orphan.group_id):
        raise Conflict(SYSTEM, f"zone {mark} is another one now")
    for record in ispconfig().zone_records(found.id):
        ispconfig().delete_record(record.id, raise_serial=False)
    ispconfig().delete_zone(found.id)
