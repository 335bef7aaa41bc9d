"""Sites as callers see them."""

from typing import Any

from django.utils import timezone

from nodepoint.api import jobs
from sites import live, services, thresholds
from sites import options as choices
from sites.measured import disk_percent, month
from sites.models import Backup, Plan, Site, SiteUsage

MB, GB = 1024**2, 1024**3
NEVER_MEASURED = SiteUsage()  # no row is there yet


def plan(plan: Plan) -> dict[str, Any]:
    """`{name, memory_mb, disk_gb, cores, backups, domains, archives_daily, archives_weekly}`"""
    fields = ("name", "memory_mb", "disk_gb", "cores", "backups", "domains")
    fields += ("archives_daily", "archives_weekly")
    return {field: getattr(plan, field) for field in fields}


def names(site: Site) -> dict[str, Any]:
    """Who the site is and where it is: what an order gets at once. An order that failed has none of it, even
    where its row keeps the address of a container that is not ours any more."""
    held = site.state != Site.State.FAILED
    return {
        "service_id": site.service_id,
        "vmid": site.vmid if held else None,
        "private_ip": site.private_ip if held else None,
        "subdomain": site.subdomain if held else None,
        "url": site.url if held else None,
    }


def site(site: Site) -> dict[str, Any]:
    """Everything that GET /status says. One reading of the cluster serves all sites."""
    reading = live.reading() if site.state == Site.State.LIVE else None
    job = services.last_job(site)
    usage = reading.guests.get(site.vmid) if reading else None
    domains = site.domains()
    customs = [row.domain for row in domains]
    return {
        **names(site),
        "status": services.status(site, reading),
        "email": site.email,
        "public_ip": site.public_ip,
        "plan": plan(site.plan),
        "node": (usage.node if usage else site.node) or None,
        "resources": resources(usage) if usage else None,
        "primary": site.primary_among(domains) if site.state != Site.State.FAILED else None,
        "domains": [*filter(None, [site.hostname if site.state != Site.State.FAILED else None]), *customs],
        "proxy_enabled": site.proxy_enabled,
        "usage": _usage(site, usage),
        "options": options(site),
        "safe_mode": site.safe_mode,
        "backups": {"used": services.backups_used(site), "allowed": site.backups_allowed},
        "quota": {"domains": quota(len(customs), site.domains_allowed)},
        "job": jobs.render(job) if job else None,
        **({"stale": True} if reading and reading.stale else {}),
    }


def _usage(site: Site, usage: live.Usage | None) -> dict[str, Any]:
    """Disk and traffic of the calendar month. Of a container that does not run, what was known last."""
    seen = getattr(site, "usage", NEVER_MEASURED)
    now = disk_percent(usage.disk, usage.disk_limit) if usage else None
    percent = seen.disk_percent if now is None else now
    this_month = seen.month == month(timezone.now())
    return {
        "disk_percent": percent,
        "disk_warning": thresholds.warning(percent),
        "traffic_in_mb": round(seen.in_bytes / MB) if this_month else 0,
        "traffic_out_mb": round(seen.out_bytes / MB) if this_month else 0,
    }


def options(site: Site) -> dict[str, Any]:
    """`{xmlrpc, upload_mb, memory_mb, cache}`: the customer's choices, the defaults where he made none."""
    return dict(vars(choices.of(site)))


def backup_quota(site: Site) -> dict[str, str]:
    """`{"quota": "2/3"}`"""
    return {"quota": f"{services.backups_used(site)}/{site.backups_allowed}"}


def backups(site: Site) -> dict[str, Any]:
    """Everything that GET /action/getbak says."""
    found = list(services.listed_backups(site))
    used, allowed = sum(b.kind == Backup.Kind.CUSTOMER for b in found), site.backups_allowed
    entries = [_backup(backup) for backup in found]
    return {"backups": entries, "quota": f"{used}/{allowed}", "used": used, "allowed": allowed}


def _backup(backup: Backup) -> dict[str, Any]:
    return {
        "name": backup.name,
        "kind": backup.kind,
        "made_before": services.made_before(backup),
        "created_at": backup.created_at,
        "status": _backup_status(backup),
    }


def _backup_status(backup: Backup) -> str:
    """creating, ready, or deleting, as long as the job lasts that deletes it."""
    if backup.state == Backup.State.CREATING:
        return "creating"
    return "deleting" if backup.busy else "ready"


def quota(used: int, allowed: int) -> dict[str, int]:
    """`{used, allowed, remaining}`; staff may have lowered what is allowed below what is used."""
    return {"used": used, "allowed": allowed, "remaining": max(0, allowed - used)}


def custom_domains(site: Site) -> dict[str, Any]:
    """What GET /action/getdomain says: `{domains, count, quota, details, replace}`."""
    rows = site.domains()
    problems = services.domain_problems(rows)
    primary = site.primary_among(rows)
    found = quota(len(rows), site.domains_allowed)
    return {
        "domains": [row.domain for row in rows],
        "count": found["remaining"],
        "quota": found,
        "details": [
            {
                "domain": row.domain,
                "status": row.status,
                "certificate": row.certificate,
                "error": row.error or None,
                "primary": row.domain == primary,
                "problem": problems.get(row.domain),
            }
            for row in rows
        ],
        "replace": offers(site, primary),
    }


def offers(site: Site, primary: str | None) -> list[dict[str, str]]:
    """`[{from, to}]`: names that addresses in the content may still bear, the last one first."""
    old = [name for name in reversed(site.content_names) if name != primary]
    return [{"from": name, "to": primary} for name in old] if primary else []


def resources(usage: live.Usage) -> dict[str, str]:
    """Live usage in words: `{"cpu": "0.5%", "memory": "512MB / 2048MB", "disk": "3.1GB / 20GB", "uptime": "5
    days"}`
    """
    return {
        "cpu": f"{usage.cpu * 100:.1f}%",
        "memory": f"{round(usage.memory / MB)}MB / {round(usage.memory_limit / MB)}MB",
        "disk": f"{_gigabytes(usage.disk)}GB / {_gigabytes(usage.disk_limit)}GB",
        "uptime": duration(usage.uptime),
    }


def _gigabytes(number: int) -> str:
    return f"{number / GB:.1f}".removesuffix(".0")


def duration(seconds: int) -> str:
    """In the largest unit that fits: `5 days`, `1 hour`."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
