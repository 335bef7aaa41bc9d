"""Writing what was decided into our rows, in one transaction; and what becomes of the jobs of sites."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.jobs import halted
from nodepoint.jobs.models import Job
from nodepoint.restoration import Kind, Line, Look
from sites import allocation
from sites.clients.npm import ProxyHost
from sites.models import Backup, CustomDomain, MovedDomain, Platform, ReleasedDomain, Site, Spare
from sites.restored import builds, values, world
from sites.restored.decisions import Deciding, Decisions
from sites.restored.values import Facts
from sites.restored.world import Things
from sites.services import overrides
from sites.steps.reservation import NOTHING

BY = "manage.py restored"
REASON = "The database came back from a dump: nothing is given out until staff release it."
TO_TELL = "No system knows its e-mail address and its user id: tell them on its page."
# Jobs of sites that go on after the release: what they do is looked for first, and nobody asks for it again.
# All others are of customers, who have seen for themselves how they ended: a rollback that is done once more
# would take away what was written since.
LASTING = {
    "sites.provision": "The order goes on after the release. If it is void, cancel the job before.",
    "sites.adopt": "The adoption goes on after the release.",
    "sites.terminate": "The deletion goes on after the release, as it was asked for.",
    "sites.unlink": "It goes on after the release, if the container is gone.",
    "sites.suspend": "The suspension is carried out after the release. If it is void, unsuspend the site.",
    "sites.unsuspend": "It is carried out after the release. If it is void, suspend the site.",
    "sites.upgrade": "The plan is applied after the release, where the container does not have it.",
    "sites.template": "The template is built on after the release.",
    "sites.pool_fill": "It is made ready after the release.",
    "sites.pool_destroy": "It is destroyed after the release.",
}
OVER = "Not carried out again: it ended after the dump, one way or the other. Ask anew if it is missing."


def look() -> Look:
    """Read all systems of sites and decide. No row is written. ClientError, NotThisDatabase."""
    found = world.read()
    decisions = Deciding(found, at_work=halted.at_work(timezone.now())).decide()
    decisions.lines += builds.lines(found)
    return Look(decisions.tell, decisions, decisions.oldest)


def settle(look: Look, jobs: list[Job], now: datetime) -> list[Line]:
    """Write what was decided, in the caller's transaction."""
    return _Settling(look.seen, jobs, now).lines()


def release() -> None:
    """Take orders again, unless somebody else had paused them. Called once the restoration is released."""
    if Platform.current().orders_paused_by == BY:
        overrides.resume_orders(actor=BY)


class _Settling:
    def __init__(self, decisions: Decisions, jobs: list[Job], now: datetime) -> None:
        self.decisions, self.now = decisions, now
        self.jobs: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            self.jobs[job.subject].append(job)

    def lines(self) -> list[Line]:
        allocation.lock()
        overrides.pause_orders(actor=BY, reason=REASON)
        found = list(self.decisions.lines)
        for site, younger in self.decisions.end.items():
            found.append(self._ended(site, younger))
        for site, facts, things in self.decisions.adopt:
            found += self._adopted(site, facts, things)
        for site, changes in self.decisions.change:
            found += self._changed(site, changes)
        for site, name, host in self.decisions.domains:
            found += self._came(site, name, host)
        for site, things in self.decisions.backups:
            found += self._backups(site, things)
        found += [self._over(spare) for spare in self.decisions.spares]
        return found + self._rest()

    def _over(self, spare: Spare) -> Line:
        """A ready container that an order has got since the dump, or that was destroyed."""
        self._close(spare.key, Job.State.CANCELLED)
        over = {"state": Spare.State.GONE, "vmid": None, "private_ip": None, "ended_at": self.now}
        Spare.objects.filter(pk=spare.pk).update(**over, reason="It was gone when the database came back.")
        trail.record("restored.end", spare.key, label=spare.build_id, before={"vmid": spare.vmid}, actor=BY)
        detail = "It waits for no order any more: one has got it since, or it was destroyed."
        return Line(Kind.ENDED, "nodepoint", f"container {spare.vmid} of the pool", detail, spare.key)

    def _ended(self, site: Site, younger: Site) -> Line:
        """A row of a site that had ended by the time a younger one was given its place."""
        before = {name: getattr(site, name) for name in ("state", "vmid", "private_ip", "subdomain")}
        self._close(site.key, Job.State.SUCCEEDED if site.deletion_requested_at else Job.State.CANCELLED)
        for domain in site.custom_domains.all():
            domain.release()
        ended = {**NOTHING, "state": Site.State.DELETED, "ended_at": self.now}
        Site.objects.filter(pk=site.pk).update(**ended)
        site.backups.filter(state=Backup.State.READY).update(state=Backup.State.DELETED, ended_at=self.now)
        trail.record("restored.end", site.key, label=site.service_id, before=before, actor=BY)
        detail = f"Its place is that of {younger.service_id}, ordered later: it had been deleted by then."
        if site.pk > younger.pk:
            detail = (
                "It was ordered once more before this command was run, and had made nothing: the site stands."
            )
        return Line(Kind.ENDED, "nodepoint", f"site {site.service_id}", detail, site.key)

    def _adopted(self, site: Site, facts: Facts, things: Things) -> list[Line]:
        """A site that stands gets a row, or its unfinished one becomes that of a live site."""
        is_new = site._state.adding
        made_at = facts.site["live_at"]
        if is_new:
            site.created_at = made_at
        for name, value in facts.site.items():
            setattr(site, name, value)
        site.power_verified_at = None
        site.save(force_insert=is_new)
        self._close(site.key, Job.State.SUCCEEDED)
        trail.record("restored.adopt", site.key, label=site.service_id, after=_plain(facts.site), actor=BY)
        for name, host in facts.customs.items():
            self._take(site, name, host)
        Backup.objects.bulk_create(values.backups_of(site, things.snapshots), ignore_conflicts=True)
        where = f"container {site.vmid}, {site.private_ip}, {site.hostname}, plan {site.plan}"
        detail = "; ".join([where, *(f"domain {name}" for name in facts.customs), *facts.doubts])
        thing = f"site {site.service_id}"
        found = [Line(Kind.ADOPTED, "nodepoint", thing, f"{detail}.", site.key)]
        if not site.email:
            found.append(Line(Kind.UNKNOWN, "nodepoint", thing, TO_TELL, site.key))
        return found

    def _take(self, site: Site, name: str, host: ProxyHost) -> str:
        """A customer's name that a proxy host of the site serves is the site's; whose it was before."""
        status = CustomDomain.CertificateStatus
        certificate = status.ACTIVE if host.certificate_id else status.FAILED  # staff can have it ordered
        facts = {
            "status": CustomDomain.Status.ACTIVE,
            "certificate": certificate,
            "certificate_id": host.certificate_id or None,
            "proxy_host_id": host.id,
        }
        former = CustomDomain.objects.filter(domain=name).select_related("site").first()
        if former and former.site_id != site.pk:
            former.delete()
            MovedDomain.objects.get_or_create(domain=name, site=former.site)
        ReleasedDomain.objects.filter(domain=name).delete()
        CustomDomain.objects.update_or_create(domain=name, defaults={"site": site, **facts})
        return former.site.service_id if former and former.site_id != site.pk else ""

    def _changed(self, site: Site, changes: dict[str, Any]) -> list[Line]:
        """Columns follow what stands, but for what a job that rests is still to make so."""
        kinds = {job.kind for job in self.jobs[site.key]}
        if kinds & {"sites.suspend", "sites.unsuspend"}:
            changes.pop("suspended_at", None)
        if changes.get("suspended_at") == "now":
            changes["suspended_at"] = self.now
        if not changes:
            return []
        before = _plain({name: getattr(site, name) for name in changes})
        Site.objects.filter(pk=site.pk).update(
            **changes, **({"tuned_for_mb": None} if "plan" in changes else {})
        )
        after = _plain(changes)
        trail.record("restored.change", site.key, label=site.service_id, before=before, after=after, actor=BY)
        if "plan" in changes:
            void = [job for job in self.jobs[site.key] if job.kind == "sites.upgrade"]
            self._end(void, Job.State.CANCELLED, "The site has got yet another plan since.")
        said = ", ".join(
            f"{name} {_said(value)} instead of {_said(before[name])}" for name, value in after.items()
        )
        return [Line(Kind.CHANGED, "nodepoint", f"site {site.service_id}", f"{said}.", site.key)]

    def _came(self, site: Site, name: str, host: ProxyHost) -> list[Line]:
        former = self._take(site, name, host)
        trail.record("restored.domain", site.key, label=site.service_id, after={"domain": name}, actor=BY)
        detail = f"Of {site.service_id}" + (f", before of {former}." if former else ".")
        return [Line(Kind.ADOPTED, "npm", f"domain {name}", detail, site.key)]

    def _backups(self, site: Site, things: Things) -> list[Line]:
        """Rows of backups follow the snapshots."""
        there = {one.name: one for one in values.backups_of(site, things.snapshots)}
        known = {one.name: one for one in site.backups.all()}
        gone = [one for name, one in known.items() if one.state == Backup.State.READY and name not in there]
        for one in gone:
            one.state, one.ended_at = Backup.State.DELETED, self.now
            one.save(update_fields=["state", "ended_at"])
        came = []
        for name, one in there.items():
            if name not in known:
                one.save()
                came.append(name)
            elif known[name].state != Backup.State.READY:
                Backup.objects.filter(pk=known[name].pk).update(state=Backup.State.READY, ended_at=None)
                came.append(name)
        parts = {"found": came, "gone": [one.name for one in gone]}
        said = "; ".join(f"{word} {', '.join(names)}" for word, names in parts.items() if names)
        return [Line(Kind.CHANGED, "proxmox", f"backups of {site.service_id}", f"{said}.", site.key)]

    def _rest(self) -> list[Line]:
        """Jobs of sites, domains and templates that rest and about which nothing has been decided yet."""
        found = []
        for subject, jobs in self.jobs.items():
            if not subject.startswith("sites."):
                continue
            over = [job for job in jobs if job.kind not in LASTING]
            self._end(over, Job.State.CANCELLED, OVER)
            for job in jobs:
                thing = f"{job.title}: {job.about}"
                found.append(Line(Kind.JOB, "nodepoint", thing, LASTING.get(job.kind, OVER), subject))
        return found

    def _close(self, subject: str, state: str) -> None:
        """All that was going on with a subject is over."""
        self._end(self.jobs[subject], state, "Settled when the database came back from a dump.")

    def _end(self, jobs: list[Job], state: str, sentence: str) -> None:
        if not jobs:
            return
        halted.end(jobs, state, sentence, self.now)
        subject, keys = jobs[0].subject, {job.pk for job in jobs}
        self.jobs[subject] = [job for job in self.jobs[subject] if job.pk not in keys]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As the log of acts keeps them."""
    return {
        name: str(value) if isinstance(value, Model | datetime) else value for name, value in values.items()
    }


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
