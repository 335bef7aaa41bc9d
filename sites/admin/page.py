"""Everything that the page of a site shows, each thing read once."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from nodepoint.audit.models import Entry
from nodepoint.board import findings
from nodepoint.board.models import Finding
from nodepoint.clients.errors import SYSTEMS
from nodepoint.jobs import registry, timeline
from nodepoint.jobs.models import Job
from nodepoint.notices.models import jobs_about
from nodepoint.people import person
from sites import diagnosis, representation, services
from sites.admin.lists import COLOURS
from sites.archives import nightly
from sites.archives import representation as describe
from sites.models import Archive, Backup, CustomDomain, Site, SiteHealth
from sites.placement.overview import why_there
from sites.services.legality import Facts

JOBS, MAILS, ENTRIES, DRIFT = 10, 4, 20, 10  # shown of each
STATUS_COLOURS = {
    **COLOURS,
    "running": "success",
    "stopped": "warning",
    "suspended": "warning",
    "unknown": "danger",
    "deleted": "default",
}
CERTIFICATE_COLOURS = {"active": "success", "pending": "info", "failed": "danger", "none": "warning"}
DOMAIN_COLOURS = {"active": "success", "pending": "info", "failed": "danger"}


def parts(facts: Facts) -> dict[str, Any]:
    """What the templates of the page's parts need beside the site and its buttons."""
    site = facts.site
    keys = [site.key, *(domain.key for domain in facts.domains)]
    of_these = Job.objects.filter(subject__in=[*keys, *jobs_about(keys, MAILS)])
    jobs = list(of_these.order_by("-created_at")[: JOBS + MAILS])
    shown = facts.running or next((job for job in jobs if job.subject == site.key), None)
    return {
        "site": site,
        "customer_url": person.url_of(site.user_id, site.email),
        "offers": representation.offers(site, site.primary_among(facts.domains)),
        "status": facts.status,
        "status_colour": STATUS_COLOURS.get(facts.status, "default"),
        "resources": _resources(facts),
        "reading": facts.reading,
        "reading_age": _age(facts),
        "links": links(site),
        "drift": [*drift(facts), *differences(keys, gone=facts.seen_gone)],
        "quotas": quotas(facts),
        "names": host_names(facts),
        "backups": [_backup(backup) for backup in facts.backups],
        "archives": archives(facts),
        "health": health(site),
        "placement": why_there(site),
        "timeline": timeline.of(shown) if shown else None,
        "jobs": [timeline.line(job) for job in jobs],
        "entries": list(Entry.objects.filter(subject__in=keys).order_by("-pk")[:ENTRIES]),
    }


def _resources(facts: Facts) -> dict[str, str] | None:
    usage = facts.reading.guests.get(facts.site.vmid) if facts.site.state == Site.State.LIVE else None
    return representation.resources(usage) if usage else None


def _age(facts: Facts) -> timedelta | None:
    taken = facts.reading.taken_at
    return timezone.now() - taken if taken else None


def links(site: Site) -> list[tuple[str, str]]:
    """(name, address) of where the same thing is seen in the systems themselves."""
    found = []
    if site.vmid and settings.PROXMOX_HOST:
        host = settings.PROXMOX_HOST
        host = host if ":" in host else f"{host}:8006"
        found.append(("Proxmox VE", f"https://{host}/#v1:0:=lxc%2F{site.vmid}"))
    if site.proxy_host_id and settings.NPM_URL:
        found.append(("Nginx Proxy Manager", f"{settings.NPM_URL.rstrip('/')}/nginx/proxy"))
    return found


def drift(facts: Facts) -> list[str]:
    """What the last reading shows otherwise than the rows want it, in sentences."""
    site, reading = facts.site, facts.reading
    if not facts.live or facts.running or reading.stale:
        return []
    usage = reading.guests.get(site.vmid)
    if usage is None:
        cure = "Restore it there from a backup of the cluster, or unlink the site."
        return [f"The cluster shows no container {site.vmid}. {cure}"] if facts.seen_gone else []
    if facts.status in ("running", "stopped") and facts.status != site.power_wished:
        return [f"It is {facts.status} and should be {site.power_wished}."]
    if site.suspended and usage.status == "running":
        return ["It is suspended and its container runs all the same."]
    return []


def differences(keys: list[str], *, gone: bool) -> list[str]:
    """What the last comparisons found about the site and its domains, in sentences, but for what `drift` has
    said already. One query."""
    rows = findings.standing().filter(subject__in=keys).exclude(kind=Finding.Kind.RUNS).order_by("pk")
    if gone:
        rows = rows.exclude(kind=Finding.Kind.MISSING, system="proxmox")
    return [
        f"{SYSTEMS.get(row.system, row.system)}: {row.thing} {row.get_kind_display()}."
        f"{f' {row.detail}' if row.detail else ''}"
        for row in rows[:DRIFT]
    ]


def quotas(facts: Facts) -> list[dict[str, Any]]:
    """Used and allowed of each quota, and whether staff have overruled the plan there."""
    site = facts.site
    rows = (
        ("Backups", facts.backups_used, site.backups_allowed, site.backup_quota is not None),
        ("Domains", len(facts.domains), site.domains_allowed, site.domain_quota is not None),
    )
    return [
        {"name": name, "used": used, "allowed": allowed, "overruled": overruled, "over": used > allowed}
        for name, used, allowed, overruled in rows
    ]


def host_names(facts: Facts) -> list[dict[str, Any]]:
    """All host names of the site with their certificates, the platform's own first."""
    names = [*_own_name(facts.site), *map(_custom_name, facts.domains)]
    primary = facts.site.primary_among(facts.domains)
    for name in names:
        name["primary"] = name["name"] == primary and len(names) > 1
        name["may_be_primary"] = name["serves"] and name["name"] != primary
    return names


def _own_name(site: Site) -> list[dict[str, Any]]:
    if not site.hostname:
        return []
    shared = settings.NPM_CERTIFICATE != "letsencrypt"
    certificate = "shared" if shared else "active" if site.certificate_id else "none"
    on = site.proxy_enabled and not site.suspended
    status = "active" if site.proxy_host_id and on else "off" if site.proxy_host_id else "pending"
    return [
        {
            "name": site.hostname,
            "own": True,
            "serves": True,
            "status": status,
            "status_colour": DOMAIN_COLOURS.get(status, "warning"),
            "certificate": certificate,
            "certificate_colour": "success" if shared else CERTIFICATE_COLOURS[certificate],
        }
    ]


def _custom_name(row: CustomDomain) -> dict[str, Any]:
    return {
        "name": row.domain,
        "own": False,
        "serves": row.serves,
        "status": row.status,
        "status_colour": DOMAIN_COLOURS[row.status],
        "certificate": row.certificate,
        "certificate_colour": CERTIFICATE_COLOURS[row.certificate],
        "error": row.error,
        "retry": row.may_be_tried_anew,
    }


def _backup(backup: Backup) -> dict[str, Any]:
    state = "in the making" if backup.state == Backup.State.CREATING else "ready"
    state = "being deleted" if state == "ready" and backup.busy else state
    kind = services.made_before(backup)
    return {
        "row": backup,
        "made_before": registry.flow(kind).title if kind else "",
        "state": state,
        "colour": "success" if state == "ready" else "info",
    }


def archives(facts: Facts) -> dict[str, Any]:
    """Those of the site, and when the next one is made."""
    site = facts.site
    rows = [{"row": row, **_state_of(row)} for row in facts.archives]
    often = nightly.schedule(site.plan) if facts.live else nightly.NONE
    if not rows and often == nightly.NONE:
        return {"rows": [], "says": "No archives are made here."}
    if often == nightly.NONE:
        return {"rows": rows, "says": "No more are made."}
    kept = describe.kept(site)
    return {"rows": rows, "says": f"Made {often}, kept: {kept}.", "next": nightly.next_at(site)}


def _state_of(row: Archive) -> dict[str, str]:
    if row.state == Archive.State.CREATING:
        return {"state": "in the making", "colour": "info"}
    if row.busy:
        return {"state": "being deleted", "colour": "info"}
    return {"state": "protected" if row.protected else "ready", "colour": "success"}


def health(site: Site) -> dict[str, Any] | None:
    """What the last look from inside has found; None before the first. One query."""
    row = SiteHealth.objects.filter(pk=site.pk).first()
    if row is None:
        return None
    tests = row.facts.get("test", {})
    return {
        "row": row,
        "versions": diagnosis.versions(row.facts),
        "updates": diagnosis.updates(row.facts),
        "recommended": [name for name, status in tests.items() if status == "recommended"],
        "tests": len(tests),
    }


def sentence(shown: dict[str, Any]) -> str:
    """What a screen reader is told when it changes: the status, and the step of the job that runs."""
    found = shown["timeline"]
    if found and found.alive:
        return f"{found.title}: {found.step}."
    ended = f" {found.title}: {found.state_label}." if found else ""
    return f"The site is {shown['status']}.{ended}"
