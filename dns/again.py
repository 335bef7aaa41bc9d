"""Asking once more for what a job was asked for, by the service that was asked before.

A deletion never fails, so it has no way here.
"""

from dns import changes, services
from dns.models import Zone
from dns.planning import Wish
from dns.records import Entry
from nodepoint.jobs.models import Job
from nodepoint.jobs.steering import asked_again_by


def _zone(job: Job) -> Zone | None:
    return Zone.objects.select_related("customer").filter(pk=job.subject_pk).first()


def _stands(job: Job) -> bool:
    """Whether the job's zone is served, or should be, and stays."""
    zone = _zone(job)
    return zone is not None and zone.state == Zone.State.ACTIVE and not zone.deletion_requested_at


def _may_be_added(job: Job) -> bool:
    """Whether the zone was undone, no other row stands for its name, and it was not asked for since."""
    zone = _zone(job)
    if zone is None or zone.state != Zone.State.FAILED:
        return False
    same = Zone.objects.filter(name=zone.name)
    since = same.filter(customer=zone.customer, pk__gt=zone.pk)
    return not since.exists() and not same.filter(name_key__isnull=False).exists()


def _add_zone(job: Job, actor: str) -> Job:
    return services.create_zone(job.data["user_id"], job.data["zone"], actor=actor)[1]


def _add_record(job: Job, actor: str) -> Job:
    return services.add_entry(_zone(job), _entry(job), actor=actor)


def _update_record(job: Job, actor: str) -> Job:
    return services.update_entry(_zone(job), job.data["record"], _entry(job), actor=actor)


def _delete_record(job: Job, actor: str) -> Job:
    return services.delete_entry(_zone(job), job.data["record"], actor=actor)


def _change_records(job: Job, actor: str) -> Job | None:
    asked = job.data
    how = {"mode": asked["mode"], "skip_refused": asked["skip_refused"]}
    return changes.change(_zone(job), map(Wish.of, asked["wishes"]), **how, actor=actor)[1]


def _switch_dnssec(job: Job, actor: str) -> Job:
    return services.switch_dnssec(_zone(job), job.data["wanted"], actor=actor)


def _repair_zone(job: Job, actor: str) -> Job | None:
    return services.repair_zone(_zone(job), actor=actor)


def _same_record(job: Job, other: Job) -> bool:
    """Whether both jobs of a zone are about one record: the one of that id or, where it was to be added, the
    one that says the same."""
    if "wishes" in job.data:
        return other.kind == job.kind and _asked(other) == _asked(job)
    if "record" in job.data:
        return other.data.get("record") == job.data["record"]
    return other.kind == job.kind and _entry(other).says_the_same(_entry(job))


def _asked(job: Job) -> list[dict[str, object]]:
    """The wishes of a job, without what the records said when it was submitted."""
    return [{name: said for name, said in wish.items() if name != "expect"} for wish in job.data["wishes"]]


def _entry(job: Job) -> Entry:
    return Entry(**job.data["entry"])


def register() -> None:
    """Tell the engine."""
    asked_again_by("dns.create_zone", _may_be_added, _add_zone)
    asked_again_by("dns.switch_dnssec", _stands, _switch_dnssec)
    asked_again_by("dns.repair_zone", _stands, _repair_zone)
    for kind, ask in (
        ("dns.add_record", _add_record),
        ("dns.update_record", _update_record),
        ("dns.delete_record", _delete_record),
        ("dns.change_records", _change_records),
    ):
        asked_again_by(kind, _stands, ask, _same_record)
