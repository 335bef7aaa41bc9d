"""Archives as callers see them."""

from typing import Any

from sites.archives import nightly
from sites.archives.rows import Archive
from sites.models import Site
from sites.services import archives as services


def archives(site: Site) -> dict[str, Any]:
    """Everything that GET /action/archives says."""
    found = list(services.listed_archives(site))
    often = nightly.schedule(site.plan) if site.state == Site.State.LIVE else nightly.NONE
    own = sum(row.origin == Archive.Origin.CUSTOMER for row in found)
    return {
        "archives": [_entry(row) for row in found],
        "schedule": often,
        "kept": kept(site),
        "next_at": None if often == nightly.NONE else nightly.next_at(site),
        "quota": f"{own}/{services.allowed(site)}",
    }


def kept(site: Site) -> str:
    """`7 daily, 4 weekly`"""
    return f"{site.plan.archives_daily} daily, {site.plan.archives_weekly} weekly"


def quota(site: Site) -> dict[str, str]:
    """`{"quota": "2/7"}`"""
    return {"quota": f"{services.archives_used(site)}/{services.allowed(site)}"}


def _entry(row: Archive) -> dict[str, Any]:
    return {
        "name": row.name,
        "created_at": row.made_at or row.created_at,
        "size_mb": row.size_mb,
        "expires_at": row.expires_at,
        "origin": row.origin,
        "status": "creating" if row.state == Archive.State.CREATING else "deleting" if row.busy else "ready",
    }
