"""Zones after the database came back from a dump. Whose a zone is ISPConfig knows by the customer number of
its client, so that every zone that was added since gets its row again, and no name is given twice."""

from dataclasses import dataclass, field
from datetime import datetime

from dns import marks
from dns.clients.ispconfig import Zone as PanelZone
from dns.connections import ispconfig
from dns.models import Customer, Zone
from nodepoint.audit import trail
from nodepoint.clients.errors import NotFound
from nodepoint.jobs import halted
from nodepoint.jobs.models import Job
from nodepoint.restoration import Kind, Line, Look

BY = "manage.py restored"
SYSTEM = "ispconfig"
# What goes on after the release: each looks first. A change of a record that is made once more would take
# back a later one.
LASTING = {
    "dns.create_zone": "The zone is made after the release. If it is void, cancel the job before.",
    "dns.delete_zone": "The deletion goes on after the release, as it was asked for.",
    "dns.repair_zone": "It is repaired after the release.",
}
OVER = "Not carried out again: it ended after the dump, one way or the other. Look at the zone."


@dataclass
class _Found:
    """`younger`: zones without a row that stands, by their customer. `finished`: rows that were being made.
    `replaced`: rows that were being deleted, and whose name is a younger zone's. `missing`: rows of zones
    that are gone."""

    clients: dict[str, tuple[int, int]] = field(default_factory=dict)
    younger: list[tuple[str, PanelZone]] = field(default_factory=list)
    finished: list[tuple[Zone, PanelZone]] = field(default_factory=list)
    replaced: list[Zone] = field(default_factory=list)
    missing: list[Zone] = field(default_factory=list)


def look() -> Look:
    """Compare clients and zones of the panel with our rows. No row is written. ClientError."""
    found = _Found()
    known = {row.user_id: row for row in Customer.objects.all()}
    for client_id, user_id in _clients():
        row = known.get(user_id)
        group = row.group_id if row and row.client_id == client_id else _group(client_id)
        if group is not None:
            found.clients.setdefault(user_id, (client_id, group))
    users = {group: user_id for user_id, (_, group) in found.clients.items()}
    standing = {
        row.name: row for row in Zone.objects.filter(name_key__isnull=False).select_related("customer")
    }
    there = {zone.origin.rstrip("."): zone for zone in ispconfig().zones()}
    for name, zone in there.items():
        if zone.group_id in users:
            _sort(found, zone, users[zone.group_id], standing.get(name))
    live = [
        row for row in standing.values() if row.state == Zone.State.ACTIVE and not row.deletion_requested_at
    ]
    found.missing = [row for row in live if row.name not in there]
    return Look(bool(set(found.clients) - set(known) or found.missing), found)


def _clients() -> list[tuple[int, str]]:
    """Ids and users of all our clients, the oldest first."""
    numbered = [one for begin in marks.beginnings() for one in ispconfig().clients_numbered(begin)]
    pairs = [(one.id, marks.user_of(one.customer_no)) for one in sorted(numbered, key=lambda one: one.id)]
    return [(client_id, user_id) for client_id, user_id in pairs if user_id]


def _group(client_id: int) -> int | None:
    try:
        return ispconfig().client_group(client_id)
    except NotFound:  # only half made
        return None


def _sort(found: _Found, zone: PanelZone, user_id: str, row: Zone | None) -> None:
    if row is None:
        found.younger.append((user_id, zone))
    elif row.customer.user_id != user_id:
        return  # moved in the panel: its owner's next look tells (dns.standing)
    elif row.deletion_requested_at and row.ispconfig_id not in (None, zone.id):
        found.replaced.append(row)
        found.younger.append((user_id, zone))
    elif row.state == Zone.State.CREATING and zone.active:
        found.finished.append((row, zone))


def settle(look: Look, jobs: list[Job], now: datetime) -> list[Line]:
    """Write what was found, in the caller's transaction."""
    found: _Found = look.seen
    mine = [job for job in jobs if job.subject.startswith("dns.")]
    by_subject = {key: [job for job in mine if job.subject == key] for key in {job.subject for job in mine}}
    lines = []
    for row in found.replaced:
        _end(row, now)
        halted.end(by_subject.pop(row.key, []), Job.State.SUCCEEDED, "It had been deleted by then.", now)
        lines.append(Line(Kind.ENDED, SYSTEM, f"zone {row.name}", "It was added again later.", row.key))
    for row, zone in found.finished:
        Zone.objects.filter(pk=row.pk).update(
            state=Zone.State.ACTIVE, ispconfig_id=zone.id, serial=zone.serial
        )
        halted.end(by_subject.pop(row.key, []), Job.State.SUCCEEDED, "It had been made by then.", now)
        lines.append(Line(Kind.CHANGED, SYSTEM, f"zone {row.name}", "It is made.", row.key))
    lines += [_adopted(found, user_id, zone) for user_id, zone in found.younger]
    for row in found.missing:
        detail = (
            "It was deleted after the dump, or lost. It is not made again: delete it here once it is sure."
        )
        lines.append(Line(Kind.MISSING, SYSTEM, f"zone {row.name}", detail, row.key))
    return lines + _rest(by_subject, now)


def _end(row: Zone, now: datetime) -> None:
    ended = {"name_key": None, "state": Zone.State.DELETED, "ended_at": now}
    Zone.objects.filter(pk=row.pk).update(**ended)
    trail.record("restored.end", row.key, label=row.name, before={"state": row.state}, actor=BY)


def _adopted(found: _Found, user_id: str, zone: PanelZone) -> Line:
    client_id, group_id = found.clients[user_id]
    ids = {"client_id": client_id, "group_id": group_id}
    customer, _ = Customer.objects.update_or_create(user_id=user_id, defaults=ids)
    name = zone.origin.rstrip(".")
    values = {"customer": customer, "ispconfig_id": zone.id, "serial": zone.serial}
    row = Zone.objects.create(name=name, name_key=name, state=Zone.State.ACTIVE, **values)
    after = {"ispconfig_id": zone.id, "user_id": user_id}
    trail.record("restored.adopt", row.key, label=name, after=after, actor=BY)
    return Line(Kind.ADOPTED, SYSTEM, f"zone {name}", f"Of the customer {user_id}.", row.key)


def _rest(by_subject: dict[str, list[Job]], now: datetime) -> list[Line]:
    """What becomes of jobs about which nothing has been decided yet."""
    lines = []
    for subject, jobs in by_subject.items():
        over = [job for job in jobs if job.kind not in LASTING]
        halted.end(over, Job.State.CANCELLED, OVER, now)
        for job in jobs:
            thing = f"{job.title}: {job.about}"
            lines.append(Line(Kind.JOB, SYSTEM, thing, LASTING.get(job.kind, OVER), subject))
    return lines
