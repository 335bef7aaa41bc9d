"""What customers and staff have done, each with what must be there before and what is true afterwards."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.test import override_settings
from django.utils import timezone

from lab import health
from lab.content import Archive
from nodepoint.jobs.models import Job
from sites import belonging, exports, marks, services
from sites.archives.rows import Archive as StoredArchive
from sites.clients.proxmox import FirewallOptions, FirewallRule
from sites.connections import cloudflare, npm, proxmox
from sites.install import LEVEL
from sites.models import Backup, CustomDomain, Site, Template
from sites.services import lift, overrides, repair, updates
from sites.services.adoption import adopt_site
from tests.sites.acts import RUNNING, STOPPED, SUSPENDED
from tests.sites.base import ORDER
from tests.sites.domains import SHOP
from tests.staff.deed import BY, Deed
from tests.staff.outcomes import a_site, ordered, stands_as
from tests.staff.pool_deeds import POOL_DEEDS
from tests.staff.zone_deeds import ZONE_DEEDS

if TYPE_CHECKING:
    from tests.staff.test_every_fault import EveryFaultCase as Case

OPEN = FirewallOptions(enable=False, policy_in="ACCEPT")


# Orders and their ends


def _nothing(case: "Case") -> None:
    """There is nothing before an order."""


def _with_a_domain(case: "Case") -> Site:
    site = a_site(case)
    case.add()
    return site


def _deleted(case: "Case") -> None:
    case.assertFalse(Site.objects.exclude(state=Site.State.DELETED).exists())
    case.assert_nothing_left()


# Power, plan, suspension


def _after(path: str) -> Callable[["Case"], Site]:
    def before(case: "Case") -> Site:
        site = a_site(case)
        case.act(path)
        return site

    return before


def _asked(path: str, **body: object) -> Callable[["Case"], object]:
    return lambda case: case.ask(path, **body)


def _upgraded(case: "Case") -> None:
    stands_as(RUNNING)(case)
    site = Site.objects.get(live_key="1001")
    case.assertEqual((site.plan.name, site.tuned_for_mb), ("premium", 8192), case.tale(site))
    case.assertEqual(case.container(site.vmid)["memory"], 8192)


def _inside_is(**expected: object) -> Callable[["Case"], None]:
    def stands(case: "Case") -> None:
        stands_as(RUNNING)(case)
        site = Site.objects.get(live_key="1001")
        found = {name: getattr(site, name) for name in expected}
        case.assertEqual((found, site.tuned_for_mb), (expected, 2048), case.tale(site))

    return stands


def _from_before(case: "Case") -> None:
    """A site of an earlier install script."""
    Site.objects.filter(pk=a_site(case).pk).update(level=0)


# Backups


def _with_a_backup(case: "Case") -> Site:
    site = a_site(case)
    case.act("/action/mkbak")
    return site


def _with_a_storage(case: "Case") -> Site:
    case.enterContext(override_settings(ARCHIVE_STORAGE="nas"))
    return a_site(case)


def _with_an_own_archive(case: "Case") -> Site:
    site = _with_a_storage(case)
    case.act("/action/mkarchive")
    return site


def _own_archive() -> str:
    return StoredArchive.objects.get(state=StoredArchive.State.READY).name


def _archives_are(count: int) -> Callable[["Case"], None]:
    def stands(case: "Case") -> None:
        stands_as(RUNNING)(case)
        ready = StoredArchive.objects.filter(state=StoredArchive.State.READY)
        case.assertEqual(ready.count(), count)
        cluster = case.lab.proxmox.cluster
        with case.lab.lock:
            listed = cluster.volumes.content("node1", cluster.storage("nas"), {"content": "backup"})
        case.assertEqual(len(listed), count)

    return stands


def _backup() -> str:
    return Backup.objects.get(state=Backup.State.READY, kind=Backup.Kind.CUSTOMER).name


def _backups_are(count: int) -> Callable[["Case"], None]:
    def stands(case: "Case") -> None:
        stands_as(RUNNING)(case)
        ready = Backup.objects.filter(state=Backup.State.READY)
        case.assertEqual(ready.filter(kind=Backup.Kind.CUSTOMER).count(), count)
        names = ready.order_by("pk").values_list("name", flat=True)
        case.assertEqual(case.container(900)["snapshots"], ["initial", *names])

    return stands


# Content


def _replace(dry_run: bool) -> Callable[["Case"], object]:
    names = {"from": "janedoe.nodepoint.eu", "to": "shop.example.com"}
    return lambda case: case.ask("/action/replace", **names, dry_run=dry_run)


URL = "https://files.example.org/site.zip"


def _with_an_archive(case: "Case") -> Site:
    case.lab.dns.set("files.example.org", "A", ["198.51.100.20"])
    case.lab.guest.archives[URL] = Archive("old.example", {"wp_posts": ["https://old.example/"]})
    return a_site(case)


def _imported(case: "Case") -> None:
    stands_as(RUNNING)(case)
    name = f"https://{Site.objects.get(live_key='1001').hostname}/"
    case.assertEqual(case.lab.guest._guests[900]["tables"], {"wp_posts": [name]})


def _exported(case: "Case") -> None:
    job = Job.objects.get(kind="sites.export", state="succeeded")
    case.assertEqual(case.lab.guest._guests[900]["offer"]["token"], exports.token(job.pk))


def _addresses_bear(name: str) -> Callable[["Case"], None]:
    def stands(case: "Case") -> None:
        texts = [text for found in case.lab.guest._guests[900]["tables"].values() for text in found]
        case.assertEqual([f"https://{name}" in text for text in texts], [True] * 4)
        case.assertEqual(Job.objects.filter(kind__endswith="_addresses", state="succeeded").count(), 1)

    return stands


# Domains


def _added(case: "Case") -> None:
    row = CustomDomain.objects.get()
    case.assertEqual((row.status, row.certificate), ("active", "active"), case.tale(row.site))
    case.assertEqual([case.host_of()["certificate_id"]], case.certificates_of())
    case.assertTrue(case.served())


def _set_domain(case: "Case") -> object:
    case.point()
    return case.set_domain(Prefer="respond-async")


def _with_a_record(case: "Case") -> None:
    """A site whose customer has set the record that shows a domain to be his."""
    proof = belonging.proof(a_site(case), SHOP)
    case.lab.dns.set(proof.name, "TXT", [proof.value])


def _prove_domain(case: "Case") -> object:
    case.point()
    return case.set_domain(verify="txt", Prefer="respond-async")


def _not_there(case: "Case") -> None:
    case.assertFalse(CustomDomain.objects.exists())
    case.assertEqual((case.hosts_of(), case.certificates_of()), ([], []))


def _platforms_name() -> str:
    return Site.objects.get().hostname


def _goes_by_it(case: "Case") -> None:
    site = Site.objects.get()
    case.assertEqual((site.serves_as, site.chosen_name), (site.hostname, site.hostname))


def _with_a_waiting_release(case: "Case") -> None:
    site = case.live_site()
    with case.lab.lock:
        case.lab.guest.feel(site.vmid, *health.WELL, "minor 6.9.1")


def _released(case: "Case") -> None:
    with case.lab.lock:
        said = case.lab.guest._guests[Site.objects.get().vmid]["health"]
    case.assertIn("wordpress 6.9.1", said)
    case.assertNotIn("minor 6.9.1", said)


def _domain_is_served(case: "Case") -> None:
    case.accept()
    while not Job.objects.filter(kind="sites.certificate").exists():
        case.run_calls(1)


# What staff do


def _with_everything_wrong(case: "Case") -> Site:
    """A live site at whose things somebody has turned every screw."""
    site = a_site(case)
    proxmox().set_config(site.node, site.vmid, memory=512)
    proxmox().set_firewall_options(site.node, site.vmid, OPEN)
    with case.lab.lock:
        case.lab.proxmox.cluster.containers[site.vmid].pool = ""
    proxmox().add_firewall_rule(site.node, site.vmid, FirewallRule("in", "ACCEPT"))
    cloudflare().delete_record(site.dns_record_id)
    npm().delete_proxy_host(site.proxy_host_id)
    if case.plan == "premium":
        proxmox().remove_ha_resource(site.vmid)
    else:
        cluster = case.lab.proxmox.cluster
        with case.lab.lock:
            cluster.power.halt(cluster.containers[site.vmid], time.time())
    return site


def _repaired(case: "Case") -> None:
    stands_as(RUNNING)(case)
    site = Site.objects.get(live_key="1001")
    case.assertEqual(case.container(site.vmid)["memory"], site.plan.memory_mb)
    (record,) = cloudflare().find_records(site.hostname)
    case.assertEqual(record.content, site.public_ip)


def _without_container(case: "Case") -> Site:
    site = _with_a_domain(case)
    case.pass_time(3600)
    with case.lab.lock:
        case.lab.proxmox.cluster.containers.pop(site.vmid)
    return site


def _stranger(case: "Case") -> None:
    """A WordPress in a container that somebody else has made."""
    site = case.live_site(service_id="old")
    proxmox().set_config(site.node, site.vmid, description="made by hand", tags={"web"})
    gone = {"live_key": None, "vmid": None, "private_ip": None, "subdomain": None}
    Site.objects.filter(pk=site.pk).update(state="deleted", ended_at=timezone.now(), **gone)
    cloudflare().delete_record(site.dns_record_id)
    npm().delete_proxy_host(site.proxy_host_id)


def _adopted(case: "Case") -> None:
    site = Site.objects.get(live_key="77")
    case.assertEqual((site.state, site.vmid), ("live", 900), case.tale(site))
    description = case.config(900)["description"]
    case.assertEqual(marks.carried(description), site.owner_mark)
    case.assertIn("made by hand", description)  # what people wrote stays
    left = case.leftovers()
    case.assertEqual([r["content"] for r in left["records"]], [site.public_ip])
    case.assertEqual([h["forward_host"] for h in left["proxy_hosts"]], [site.private_ip])


def _adopt(case: "Case") -> None:
    adopt_site(**{**ORDER, "service_id": "77"}, vmid=900, **BY)


def _built(case: "Case") -> None:
    ready = Template.objects.filter(state="ready").get()
    case.assertEqual((ready.vmid, ready.private_ip), (None, None), case.tale(ready))
    case.assert_nothing_left()


DEEDS = {
    "order": Deed(_nothing, lambda case: case.order(plan=case.plan), ordered),
    "delete": Deed(_with_a_domain, lambda case: case.delete(), _deleted),
    "suspend": Deed(a_site, _asked("/suspend"), stands_as(SUSPENDED)),
    "unsuspend": Deed(_after("/suspend"), _asked("/unsuspend"), stands_as(RUNNING)),
    "start": Deed(_after("/action/stop"), _asked("/action/start"), stands_as(RUNNING)),
    "stop": Deed(a_site, _asked("/action/stop"), stands_as(STOPPED)),
    "restart": Deed(a_site, _asked("/action/restart"), stands_as(RUNNING)),
    "upgrade": Deed(a_site, _asked("/wp/upgrade", plan="premium"), _upgraded),
    "backup": Deed(a_site, _asked("/action/mkbak"), _backups_are(1)),
    "archive": Deed(_with_a_storage, _asked("/action/mkarchive"), _archives_are(1)),
    "delete archive": Deed(
        _with_an_own_archive,
        lambda case: case.ask("/action/delarchive", archive=_own_archive()),
        _archives_are(0),
    ),
    "delete backup": Deed(
        _with_a_backup, lambda case: case.ask("/action/delbak", bak=_backup()), _backups_are(0)
    ),
    "rollback": Deed(
        _with_a_backup, lambda case: case.ask("/action/rollback", bak=_backup()), _backups_are(1)
    ),
    "reset": Deed(a_site, _asked("/action/reset"), _backups_are(0)),
    "count addresses": Deed(_with_a_domain, _replace(dry_run=True), _addresses_bear("janedoe.nodepoint.eu")),
    "replace addresses": Deed(_with_a_domain, _replace(dry_run=False), _addresses_bear("shop.example.com")),
    "import": Deed(_with_an_archive, _asked("/action/import", url=URL), _imported),
    "export": Deed(a_site, _asked("/action/export"), _exported),
    "add domain": Deed(a_site, lambda case: _set_domain(case), _added),
    "prove domain": Deed(_with_a_record, lambda case: _prove_domain(case), _added),
    "certificate": Deed(a_site, _nothing, _added, begun=_domain_is_served),
    "remove domain": Deed(_with_a_domain, lambda case: case.del_domain(), _not_there),
    "primary": Deed(
        _with_a_domain, lambda case: case.ask("/action/primary", domain=_platforms_name()), _goes_by_it
    ),
    "options": Deed(a_site, _asked("/action/options", options={"xmlrpc": True}), _inside_is(xmlrpc=True)),
    "safe mode": Deed(a_site, _asked("/action/safemode", enabled=True), _inside_is(safe_mode=True)),
    "lift": Deed(_from_before, lambda case: lift.lift_all(**BY), _inside_is(level=LEVEL)),
    "update": Deed(
        _with_a_waiting_release,
        lambda case: updates.update_site(Site.objects.get(), wordpress=True, system=True, **BY),
        _released,
    ),
    "toggle": Deed(
        a_site, lambda case: case.toggle(enabled=False), stands_as({**RUNNING, "traffic": [False]})
    ),
    "repair": Deed(
        _with_everything_wrong, lambda case: repair.repair_site(Site.objects.get(), **BY), _repaired
    ),
    "unlink": Deed(
        _without_container, lambda case: overrides.unlink_site(Site.objects.get(), **BY), _deleted
    ),
    "adopt": Deed(_stranger, _adopt, _adopted),
    **POOL_DEEDS,
    "template": Deed(_nothing, lambda case: services.build_template(**BY), _built),
    **ZONE_DEEDS,
}
