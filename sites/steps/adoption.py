"""A container that others made becomes a site's, or is found to be gone."""

from ipaddress import AddressValueError, IPv4Interface, NetmaskValueError

from django.conf import settings

from nodepoint.clients.errors import NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from sites import marks, naming
from sites.allocation import is_ours
from sites.clients.proxmox import Config
from sites.connections import proxmox, site_network
from sites.models import Site
from sites.steps.container import LEFT, TAG
from sites.steps.proxmox import Foreign, NotSeen, find, locked

EXAMINED = "examined"  # the step that remembers how the container was before
NOT_USABLE = "The container at Proxmox VE cannot be used."


def examined(call: Call) -> Outcome:
    """The container stands, is nobody else's, and has an address that a site can have. Nothing is changed."""
    site: Site = call.subject
    node = _node(site)
    if node is None:
        return _no(f"Nothing that is a container has VMID {site.vmid}.")
    config = proxmox().config(node, site.vmid)
    if config.lock:
        return locked(config.lock)
    if config.template:
        return _no("It is a template.")
    mark = marks.parse(marks.carried(config.description))
    if mark and mark.is_anothers:
        return _no(f"It carries the mark {mark}, of another installation.")
    if owner := _owner(config, site):
        return _no(f"It carries the mark of {owner.owner_mark}, which stands.")
    address = _address(config, site)
    if address is None:
        return _no(f"Its address is not one that a site can have: {config.net0.get('ip') or 'none'}.")
    facts = {"node": node, "private_ip": address, "subdomain": _subdomain(config, site)}
    data = {"description": config.description, "tags": sorted(config.tags)}
    return Done(ref=str(site.vmid), facts=facts, data=data)


def _no(detail: str) -> Fail:
    return Fail(error=NOT_USABLE, detail=detail)


def _node(site: Site) -> str | None:
    guests = [guest for guest in proxmox().resources() if guest.vmid == site.vmid]
    return guests[0].node if guests and guests[0].type == "lxc" else None


def _owner(config: Config, site: Site) -> Site | None:
    """The other order that the container belongs to and that is not over."""
    text = marks.carried(config.description)
    mark = marks.parse(text)
    if mark is None:
        return None
    standing = Site.objects.filter(pk=mark.pk, live_key__isnull=False).exclude(pk=site.pk).first()
    return standing if standing and marks.is_of(text, standing) else None


def _address(config: Config, site: Site) -> str | None:
    """Its fixed address inside SITE_NETWORK, unless another site holds it."""
    try:
        address = IPv4Interface(config.net0.get("ip", "")).ip
    except (AddressValueError, NetmaskValueError):  # `dhcp`, `manual` or none
        return None
    never = {settings.SITE_GATEWAY, *settings.SITE_NAMESERVERS, *settings.PROXY_LAN_IPS}
    by_site = Site.objects.filter(private_ip=str(address)).exclude(pk=site.pk).exists()
    by_others = is_ours("private_ip", str(address))
    free = str(address) not in never and not by_site and not by_others
    return str(address) if free and address in site_network() else None


def _subdomain(config: Config, site: Site) -> str:
    """The first label of its host name where that is free, else one by the order's e-mail address."""
    if site.subdomain:
        return site.subdomain
    names = set(Site.objects.filter(subdomain__isnull=False).values_list("subdomain", flat=True))
    wish = config.hostname.partition(".")[0].lower()
    usable = naming.wished_subdomain(f"{wish}@") == wish and wish not in naming.RESERVED | names
    return wish if wish and usable else naming.free_subdomain(site.email, names)


def marked(call: Call) -> Outcome:
    """The container carries the site's mark."""
    site: Site = call.subject
    config = proxmox().config(site.node, site.vmid)
    if marks.owns(site, config.description):
        return Done()
    if config.description != _before(call)["description"]:
        return Fail(error=NOT_USABLE, detail="Its description has changed since it was looked at.")
    if config.lock:
        return locked(config.lock)
    digest = config.digest or None
    tags = config.tags | {TAG}
    proxmox().set_config(
        site.node, site.vmid, digest=digest, description=marks.written(site, config.description), tags=tags
    )
    return Done()


def unmarked(call: Call) -> Outcome:
    """A container that did not become a site has the description and the tags of before."""
    site: Site = call.subject
    try:
        config = proxmox().config(site.node, site.vmid)
    except NotFound:
        return Done()
    if not marks.owns(site, config.description):
        return Done()
    before = _before(call)
    tags = config.tags if TAG in before["tags"] else config.tags - {TAG}
    unchanged = config.description == marks.written(site, before["description"])
    description = before["description"] if unchanged else marks.removed(site, config.description)
    proxmox().set_config(site.node, site.vmid, description=description, tags=tags)
    return Done()


def kept_apart(call: Call) -> Outcome:
    """A container that did not become a site, and goes on using its address, keeps it: no order gets that
    until staff have released it. So it is where nobody can tell whether the container is gone."""
    site: Site = call.subject
    if site.private_ip is None:  # it was not looked at, or has no address that a site could have
        return Done()
    try:
        container = find(site)
    except (Foreign, NotSeen) as error:
        return Done(data={LEFT: str(error)})
    return Done(data={LEFT: f"container {container.vmid} stands"} if container else {})


def _before(call: Call) -> dict:
    return JobStep.objects.get(job=call.job, name=EXAMINED).data


def container_gone(call: Call) -> Outcome:
    """Nothing uses the site's VMID. From here on the site is being deleted."""
    try:
        container = find(call.subject)
    except (Foreign, NotSeen) as error:
        # Perhaps its own, with the mark taken away: a deletion leaves that alone and keeps its address.
        return Fail(error="The container may still be there.", detail=str(error))
    if container:
        return Fail(
            error="The container is still there.",
            detail=f"container {container.vmid} on {container.node} carries our mark",
        )
    return Done(facts={"deletion_requested_at": call.now})
