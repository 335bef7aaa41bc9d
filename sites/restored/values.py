"""What a site's row would say of what stands: everything that the systems tell, and nothing that is guessed
without being said."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

from django.conf import settings

from sites import occupied
from sites.clients.npm import ProxyHost
from sites.clients.proxmox import Config, Snapshot
from sites.connections import site_network
from sites.models import Backup, Plan, Site
from sites.restored.world import Things
from sites.steps import hosts
from sites.steps.backups import is_ours
from sites.steps.safety import BEFORE
from sites.steps.snapshot import INITIAL

MADE = "BAK"  # the names of customers' backups begin so
NO_MAKING = "its making had not come to its end: there is no snapshot “initial”"
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Facts:
    """`site`: columns of its row. `customs`: the proxy hosts of the customer's own names. `doubts`: what was
    taken for true and may not be."""

    site: dict[str, Any]
    customs: dict[str, ProxyHost]
    doubts: list[str] = field(default_factory=list)


def why_not(things: Things) -> str:
    """Why no site can be made of what stands; empty: one can."""
    config = things.config
    if things.guest is None or config is None:
        return "no container carries its mark"
    if config.lock == "create" or first_snapshot(things) is None:
        return NO_MAKING
    if address_of(config) is None:
        return f"its address is none that a site can have: {config.net0.get('ip') or 'none'}"
    return "" if name_of(things) else "nothing tells its name"


def first_snapshot(things: Things) -> Snapshot | None:
    """The snapshot that is taken once a site was verified."""
    return next((one for one in things.snapshots if one.name == INITIAL and not one.snapstate), None)


def address_of(config: Config) -> str | None:
    """The fixed address of a container inside SITE_NETWORK; None where it has none."""
    address = occupied.address_of(config)
    return address if address and IPv4Address(address) in site_network() else None


def name_of(things: Things) -> str:
    """The subdomain under which most of it stands: its record and its proxy host, else what the container is
    called."""
    called = things.config.hostname.partition(".")[0].lower() if things.config else ""
    names = [*_below(one.name for one in things.records), *_below(_all_names(things.hosts))]
    if not names or called in names:
        return called if LABEL.fullmatch(called) else ""
    return names[0]


def _all_names(found: Iterable[ProxyHost]) -> Iterator[str]:
    return (name for host in found for name in host.domain_names)


def _below(names: Iterable[str]) -> Iterator[str]:
    """The labels of names that are directly below BASE_DOMAIN."""
    for name in names:
        label, _, domain = name.lower().partition(".")
        if domain == settings.BASE_DOMAIN:
            yield label


def of(things: Things, wished: Plan | None = None) -> Facts:
    """What a site's row says, where `why_not` is silent. `wished`: the plan that it has already."""
    guest, config, initial = things.guest, things.config, first_snapshot(things)
    plan, is_sure = plan_of(config, wished)
    name = name_of(things)
    hostname = f"{name}.{settings.BASE_DOMAIN}"
    own = next((host for host in things.hosts if hostname in host.domain_names), None)
    record = next((one for one in things.records if one.type == "A" and one.name == hostname), None)
    suspended = not config.onboot
    made_at = datetime.fromtimestamp(initial.snaptime, UTC)
    values = {
        "state": Site.State.LIVE,
        "plan": plan,
        "public_ip": record.content if record else settings.PROXY_IP,
        "vmid": guest.vmid,
        "node": guest.node,
        "private_ip": address_of(config),
        "subdomain": name,
        "dns_record_id": record.id if record else "",
        "proxy_host_id": own.id if own else None,
        "certificate_id": certificate_of(own),
        "proxy_enabled": own is None or own.enabled or suspended,
        "suspended_at": made_at if suspended else None,
        "high_availability": None if things.managed == plan.high_availability else things.managed,
        "power": guest.status if guest.status in ("running", "stopped") else "",
        "live_at": made_at,
    }
    doubts = [] if is_sure else [f"no plan has its size: {plan} is the nearest"]
    doubts += ["taken for suspended, since it does not start with its node"] if suspended else []
    doubts += ["it is stopped, and taken for one that is to run"] * (
        not suspended and guest.status == "stopped"
    )
    return Facts(values, customs_of(things, hostname), doubts)


def certificate_of(host: ProxyHost | None) -> int | None:
    """The number of a certificate of its own; the shared one is nobody's."""
    if host is None or host.certificate_id in (0, hosts.shared_certificate()):
        return None
    return host.certificate_id


def customs_of(things: Things, hostname: str) -> dict[str, ProxyHost]:
    """The proxy hosts of names that are not the platform's, by name."""
    return {
        name: host
        for host in things.hosts
        for name in host.domain_names
        if name != hostname and not name.endswith(f".{settings.BASE_DOMAIN}")
    }


def plan_of(config: Config, wished: Plan | None = None) -> tuple[Plan, bool]:
    """The plan of a container by its size: `wished` where it has that, else one that it has exactly, else the
    nearest. Whether it has its size. A disk may be larger than its plan's: disks only grow."""
    plans = list(Plan.objects.all())
    if wished and has_size(config, wished):
        return wished, True
    exact = [plan for plan in plans if has_size(config, plan) and round(config.rootfs_gb) == plan.disk_gb]
    fitting = exact or [plan for plan in plans if has_size(config, plan)]
    if fitting:
        return max(fitting, key=lambda plan: plan.disk_gb), True
    return min(plans, key=lambda plan: _distance(config, plan)), False


def has_size(config: Config, plan: Plan) -> bool:
    """Whether a container has a plan's memory and cores, and at least its disk."""
    same = (config.memory, config.cores) == (plan.memory_mb, plan.cores)
    return same and round(config.rootfs_gb) >= plan.disk_gb


def _distance(config: Config, plan: Plan) -> tuple[int, int, float]:
    memory, disk = abs(config.memory - plan.memory_mb), abs(config.rootfs_gb - plan.disk_gb)
    return memory, abs(config.cores - plan.cores), disk


def backups_of(site: Site, snapshots: Iterable[Snapshot]) -> Iterator[Backup]:
    """Rows of the snapshots that were made as backups of a site, those for safety included."""
    for one in snapshots:
        if one.snapstate or not is_ours(one, site):
            continue
        if one.name == BEFORE or one.name.startswith(MADE):
            kind = Backup.Kind.SAFETY if one.name == BEFORE else Backup.Kind.CUSTOMER
            made_at = datetime.fromtimestamp(one.snaptime, UTC)
            yield Backup(site=site, name=one.name, kind=kind, state=Backup.State.READY, created_at=made_at)
