"""What customers may choose about WordPress inside their site: defaults, bounds, and what holds now."""

from dataclasses import dataclass
from typing import Any

from sites.models import Plan, Site

UPLOAD_MB = 128
"""Of one upload where nothing was chosen."""
LEAST_MEMORY_MB = 64
SHARE = 4  # of the plan's memory one request may have this part; the database's pool is as large


@dataclass(frozen=True)
class Options:
    """As callers name them. `memory_mb`: of one request of PHP."""

    xmlrpc: bool
    upload_mb: int
    memory_mb: int
    cache: bool


def of(site: Site) -> Options:
    """What holds for a site: its choices within its plan, else the defaults."""
    memory = memory_limit(site) or usual_memory(site.plan)
    return Options(site.xmlrpc, site.upload_mb or UPLOAD_MB, memory, site.page_cache)


def memory_limit(site: Site) -> int:
    """PHP's memory limit in MB as chosen, no more than the plan lets it be; 0: as the plan's memory says."""
    return min(site.php_memory_mb, most_memory(site.plan)) if site.php_memory_mb else 0


def usual_memory(plan: Plan) -> int:
    """PHP's memory limit in MB where nothing was chosen: as `php_options` of base.sh has it."""
    return 128 if plan.memory_mb < 1024 else 256 if plan.memory_mb < 8192 else 512


def most_memory(plan: Plan) -> int:
    """The highest limit in MB that can be chosen."""
    return max(usual_memory(plan), plan.memory_mb // SHARE)


def most_upload(plan: Plan) -> int:
    """The largest upload in MB that can be chosen: the plan's disk."""
    return plan.disk_gb * 1024


COLUMNS = {"xmlrpc": "xmlrpc", "upload_mb": "upload_mb", "memory_mb": "php_memory_mb", "cache": "page_cache"}
"""Where a site's row holds each."""


def beyond(plan: Plan, chosen: dict[str, Any]) -> dict[str, str]:
    """What of it a site of this plan cannot have, by name, each with the sentence that says what it can."""
    bounds = {
        "upload_mb": (1, most_upload(plan), "An upload can be {} to {} MB large: no larger than the disk."),
        "memory_mb": (LEAST_MEMORY_MB, most_memory(plan), "PHP can have {} to {} MB of memory in this plan."),
    }
    found = {}
    for name, (least, most, sentence) in bounds.items():
        if chosen.get(name) is not None and not least <= chosen[name] <= most:
            found[name] = sentence.format(least, most)
    return found
