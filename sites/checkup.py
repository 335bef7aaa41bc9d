"""What `manage.py doctor` asks the systems that sites are made of. Nothing is changed anywhere."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from nodepoint.checkup import Examination
from nodepoint.clients.errors import NotFound, Unreachable
from nodepoint.resolver import Resolver, Status
from sites import connections, health, isolation
from sites.models import Plan, Site
from sites.pool import board as pool
from sites.steps.hosts import shared_certificate

# Privileges of the token at Proxmox VE: where each is checked (pve-access-control, pve-container 6.1.10,
# pve-guest-common 6.0.2). With a pool they may come from it, but for what is asked of a container that is in
# no pool yet: tags at its creation, and all that is done before the creation ends, when it joins.
ON_CONTAINERS = {
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Migrate",  # draining a node asks for it alone, of containers under HA, too
    "VM.PowerMgmt",
    "VM.Snapshot",
    *(f"VM.Config.{part}" for part in ("CPU", "Disk", "Memory", "Network", "Options")),
}
ON_ALL = {"VM.Audit", "VM.Config.Options"}
ON_POOL = {"Pool.Allocate"}  # for a container that joins it later, such as an adopted one
ON_STORAGE = {"Datastore.AllocateSpace"}  # to read it too; on the template's, so that templates can be built
FOR_ARCHIVES = {"VM.Backup"}
ON_ARCHIVES = {"Datastore.AllocateSpace", "Datastore.Audit"}
FREE_TAGS = {"free", ""}  # of `user-tag-access`: anybody may set any tag; else Sys.Modify on / overrides it
ROLE = "NodePoint"  # in the commands that doctor prints
NO_CONTAINER = 999_999_999  # the highest VMID there is, which nobody uses
CERTIFICATE_DAYS = 14  # an earlier end of the wildcard certificate is worth a word


def examinations() -> list[Examination]:
    """One for each system, node and resolver. One look at the database; no call is made yet."""
    return [
        Examination(
            "proxmox",
            health.proxmox,
            where=("PROXMOX_HOST",),
            who=("PROXMOX_USER", "PROXMOX_TOKEN_NAME", "PROXMOX_TOKEN_VALUE", "PROXMOX_VERIFY_TLS"),
            complaints=partial(proxmox, _some_want_high_availability()),
        ),
        *map(_ssh, settings.PROXMOX_NODES),
        Examination(
            "cloudflare",
            health.cloudflare,
            where=("CLOUDFLARE_API_URL",),
            who=("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ZONE_ID"),
            complaints=cloudflare,
        ),
        Examination("npm", health.npm, where=("NPM_URL",), who=("NPM_EMAIL", "NPM_PASSWORD"), complaints=npm),
        *map(_resolver, settings.DNS_RESOLVERS or [""]),
        *_relay(),
    ]


def _ssh(node: str) -> Examination:
    return Examination(
        f"ssh {node}",
        lambda: connections.console().connect(node),
        where=("SSH_NODE_HOSTS",),
        who=("SSH_USER", "SSH_KEY_FILE", "SSH_KNOWN_HOSTS"),
        complaints=partial(ssh, node),
    )


def _resolver(server: str) -> Examination:
    return Examination(f"dns {server or 'of the system'}", partial(dns, server), where=("DNS_RESOLVERS",))


def _relay() -> Iterator[Examination]:
    """The mail relay of the sites, where SITE_SMTP_URL names it: only an address can be let through."""
    if settings.SITE_SMTP_URL and not isolation.relay_address():
        host = urlsplit(settings.SITE_SMTP_URL).hostname or ""
        looked_up = partial(dns, (settings.DNS_RESOLVERS or [""])[0])
        yield Examination("mail relay", looked_up, where=("SITE_SMTP_URL",), complaints=partial(relay, host))


# Proxmox VE


def proxmox(high_availability: bool) -> Iterator[str]:
    """Privileges (those for HA where `high_availability`), firewall, pool, nodes, storages, the template, and
    ready containers."""
    yield from _privileges({"Sys.Audit", "Sys.Console"} if high_availability else {"Sys.Audit"})
    if not connections.proxmox().cluster_firewall():
        yield "Switch the firewall of the cluster on: without it sites are not kept apart."
    if settings.PROXMOX_POOL and settings.PROXMOX_POOL not in connections.proxmox().pools():
        yield f"Make the pool {settings.PROXMOX_POOL}, or let the token see it (Pool.Audit)."
    known = {node.name: node for node in connections.proxmox().nodes()}
    for name in settings.PROXMOX_NODES:
        if name not in known:
            yield f"PROXMOX_NODES names {name}, which is no node of this cluster."
        elif not known[name].online:
            yield f"Node {name} is offline."
        else:
            yield from _storages(name)
    if complaint := pool.complaint():
        yield complaint


def _privileges(on_cluster: set[str]) -> Iterator[str]:
    """What the token lacks, each with the commands that give it. Where a privilege is inherited from does not
    matter: those of a pool carry no propagate flag."""
    pool = [f"/pool/{settings.PROXMOX_POOL}"] if settings.PROXMOX_POOL else []
    template = f"/storage/{settings.PROXMOX_TEMPLATE.partition(':')[0]}"
    lacking: dict[str, set[str]] = {}
    for paths, wanted in (
        (["/vms", *pool], ON_CONTAINERS),
        (["/vms"], ON_ALL),
        *(([path], ON_POOL) for path in pool),
        ([f"/storage/{settings.PROXMOX_STORAGE}"], ON_STORAGE),
        ([template], ON_STORAGE),
        *_for_archives(),
        ([f"/sdn/zones/localnetwork/{settings.PROXMOX_BRIDGE}"], {"SDN.Use"}),
        (["/"], on_cluster),
    ):
        lacking.setdefault(paths[-1], set()).update(wanted - _held(paths))
    for path, missing in lacking.items():
        if missing:
            yield _missing(missing, path)
    access = connections.proxmox().user_tag_access()
    if access not in FREE_TAGS and "Sys.Modify" not in _held(["/"]):
        yield (
            f"The cluster lets nobody set the tags of our containers (user-tag-access is {access}):"
            " pvesh set /cluster/options --user-tag-access user-allow=free"
        )


def _for_archives() -> Iterator[tuple[list[str], set[str]]]:
    """Where archives are made: on all guests, since one that was deleted is in no pool any more, and its
    archives would not be listed (pve-storage 9.1.7 `API2/Storage/Content.pm`)."""
    if settings.ARCHIVE_STORAGE:
        yield ["/vms"], FOR_ARCHIVES
        yield [f"/storage/{settings.ARCHIVE_STORAGE}"], ON_ARCHIVES


def _archive_storage(node: str) -> Iterator[str]:
    """What keeps archives from being made on a node."""
    storage = settings.ARCHIVE_STORAGE
    status = connections.proxmox().storage_status(node, storage)
    if not (status.active and status.enabled):
        yield f"ARCHIVE_STORAGE: {storage} is not active on {node}."
    elif "backup" not in status.content:
        yield f"ARCHIVE_STORAGE: {storage} may not hold backups (content backup) on {node}."
    elif kept := connections.proxmox().own_retention(node, storage):
        yield (
            f"ARCHIVE_STORAGE: {storage} keeps {kept} by itself, and refuses more: NodePoint says what is"
            f" kept. pvesm set {storage} --prune-backups keep-all=1"
        )
    if not status.shared:
        yield f"ARCHIVE_STORAGE: {storage} is on each node by itself: what goes with {node} is lost."


def _missing(privileges: set[str], path: str) -> str:
    names = " ".join(sorted(privileges))
    user, token = settings.PROXMOX_USER, f"{settings.PROXMOX_USER}!{settings.PROXMOX_TOKEN_NAME}"
    role = f"{ROLE}{path.replace('/', '-').rstrip('-')}"
    return (
        f"The token lacks {names.replace(' ', ', ')} on {path}:"
        f" pveum role add {role} --privs '{names}' || pveum role modify {role} --append --privs '{names}';"
        f" pveum acl modify {path} --roles {role} --users '{user}' --tokens '{token}'"
    )


def _held(paths: list[str]) -> set[str]:
    """What the token may do on any of these paths."""
    found = (connections.proxmox().permissions(path) for path in paths)
    return {privilege for answer in found for held in answer.values() for privilege in held}


def _some_want_high_availability() -> bool:
    return (
        Plan.objects.filter(high_availability=True).exists()
        or Site.objects.filter(~Q(state=Site.State.DELETED), high_availability=True).exists()
    )


def _storages(node: str) -> Iterator[str]:
    storage, (template, _, _) = settings.PROXMOX_STORAGE, settings.PROXMOX_TEMPLATE.partition(":")
    status = connections.proxmox().storage_status(node, storage)
    if not (status.active and status.enabled):
        yield f"Storage {storage} is not active on {node}."
    elif "rootdir" not in status.content:
        yield f"Storage {storage} may not hold containers (content rootdir) on {node}."
    volumes = connections.proxmox().storage_content(node, template)
    if settings.PROXMOX_TEMPLATE not in {volume.volid for volume in volumes}:
        yield f"PROXMOX_TEMPLATE: {settings.PROXMOX_TEMPLATE} is not on {node}."
    if settings.ARCHIVE_STORAGE:
        yield from _archive_storage(node)


# The others


def ssh(node: str) -> Iterator[str]:
    """Whether `pct exec` can be run: of a container that does not exist it says exactly that."""
    try:
        connections.console().run(node, NO_CONTAINER, ["true"])
    except NotFound:  # that is what it should say
        return
    yield f"SSH_USER cannot run pct exec on {node}."


def cloudflare() -> Iterator[str]:
    """Whether the zone can be that of BASE_DOMAIN. Whether we may write is seen only by writing."""
    ours = settings.BASE_DOMAIN.split(".")[-2:]
    names = [record.name.lower() for record in connections.cloudflare().list_records()]
    if names and not any(name.split(".")[-2:] == ours for name in names):
        yield f"CLOUDFLARE_ZONE_ID is not the zone of {settings.BASE_DOMAIN}: it holds {names[0]}."


def npm() -> Iterator[str]:
    """The account's permissions, and the wildcard certificate."""
    user = connections.npm().whoami()
    if user.visibility != "all":
        yield "Let the account see all items: what it does not see stands in its way."
    for name, held in (("proxy hosts", user.proxy_hosts), ("certificates", user.certificates)):
        if held != "manage":
            yield f"Let the account manage {name}; now it is: {held or 'hidden'}."
    if (number := shared_certificate()) is not None:
        yield from _wildcard(number)


def _wildcard(number: int) -> Iterator[str]:
    try:
        certificate = connections.npm().certificate(number)
    except NotFound:
        yield f"NPM_CERTIFICATE: there is no certificate {number}."
        return
    wildcard = f"*.{settings.BASE_DOMAIN}"
    if wildcard not in certificate.domain_names:
        yield f"NPM_CERTIFICATE: certificate {number} is not for {wildcard}."
    if not certificate.usable():
        yield f"NPM_CERTIFICATE: certificate {number} has expired, or was never issued."
    elif certificate.expires_on < datetime.now(UTC) + timedelta(days=CERTIFICATE_DAYS):
        yield f"NPM_CERTIFICATE: certificate {number} ends on {certificate.expires_on:%Y-%m-%d}; renew it."


def dns(server: str) -> None:
    """Whether a resolver (empty: the system's) answers, whatever it answers."""
    answer = Resolver([server] if server else ()).lookup(settings.BASE_DOMAIN, "NS")
    if answer.status is Status.FAILED:
        raise Unreachable("dns", answer.reason)


def relay(host: str) -> Iterator[str]:
    """Addresses of the relay in networks that no container reaches. A name is no rule of a firewall."""
    resolver = Resolver(settings.DNS_RESOLVERS)
    for address in (text for kind in ("A", "AAAA") for text in resolver.lookup(host, kind).records):
        if any(ip_address(address) in network for network in isolation.closed()):
            yield (
                f"SITE_SMTP_URL: {host} is {address}, in a network that is closed to the sites:"
                " their mails stay. Give that address instead of the name."
            )
