"""A look at all systems and at our rows, for the invariants."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sites.models import CustomDomain, Site, Spare
from tests.histories import people
from tests.histories.world import World

ENDED = (Site.State.FAILED, Site.State.DELETED)


@dataclass
class Truth:
    """The systems and our rows, looked at once."""

    world: World

    def __post_init__(self) -> None:
        world, lab = self.world, self.world.lab
        lab.world.settle()
        with lab.lock:
            self.containers = [
                {**view, "held": world.container(view["vmid"]).held}
                for view in lab.proxmox.state_view()["containers"]
                if view["vmid"] not in world.strangers
            ]
            self.ha = {int(one["sid"].partition(":")[2]): one for one in lab.proxmox.state_view()["ha"]}
            self.records = [
                row for row in lab.cloudflare.state_view()["records"] if not people.is_record(row)
            ]
            views = lab.npm.state_view()
            self.hosts = [row for row in views["proxy_hosts"] if not people.is_host(row)]
            shared = str(lab.settings["NPM_CERTIFICATE"])
            self.certificates = [row for row in views["certificates"] if str(row["id"]) != shared]
            self.running = dict(lab.npm.state.nginx.running)
            storage, wanted = world.cluster.storage(world.archives or "nas"), {"content": "backup"}
            self.archives = world.cluster.volumes.content("node1", storage, wanted)
            zones = lab.ispconfig.state_view()["zones"]
            self.zones = [row for row in zones if people.FOREIGN_ZONE not in row["origin"]]

    @cached_property
    def sites(self) -> list[Site]:
        return list(Site.objects.select_related("plan").order_by("pk"))

    @property
    def standing(self) -> list[Site]:
        return [site for site in self.sites if site.state not in ENDED]

    @cached_property
    def spares(self) -> list[Spare]:
        return list(Spare.objects.filter(state__in=Spare.STANDING))

    @cached_property
    def domains(self) -> list[CustomDomain]:
        return list(CustomDomain.objects.select_related("site"))

    def site_of(self, vmid: int) -> Site | None:
        return next((site for site in self.standing if site.vmid == vmid), None)

    def container_of(self, site: Site) -> dict[str, Any] | None:
        return next((one for one in self.containers if one["vmid"] == site.vmid), None)

    def names_of(self, site: Site) -> list[str]:
        own = [row.domain for row in self.domains if row.site_id == site.pk]
        return [name for name in (site.hostname, *own) if name]
