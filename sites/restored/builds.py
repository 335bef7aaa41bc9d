"""Golden templates after the database came back: archives and containers of builds that no row knows. They
are listed and not adopted: an archive's name says neither whose it is nor what it was built from."""

from collections.abc import Iterator

from nodepoint.restoration import Kind, Line
from sites import marks
from sites.models import Template
from sites.restored.world import ARCHIVE, World

USABLE = "It can be used all the same, where PROXMOX_TEMPLATE names it; building anew makes one with a row."


def lines(world: World) -> Iterator[Line]:
    """One for each archive, and for each container that was to become one."""
    known = {template.build_id: template for template in Template.objects.all()}
    for volid in sorted(world.archives):
        if ARCHIVE.fullmatch(volid)[1] not in known:
            detail = f"No row knows this golden template, ours or another installation's. {USABLE}"
            yield Line(Kind.LISTED, "proxmox", f"template {volid}", detail)
    if world.archives_unread:
        detail = f"Not all of them could be read ({world.archives_unread}): run this again."
        yield Line(Kind.LISTED, "proxmox", "templates", detail)
    ours = {marks.of(template): template for template in known.values()}
    for vmid, mark in sorted(world.builds.items()):
        if mark not in ours:
            detail = "A template was being built in it after the dump. Remove it at Proxmox VE."
            yield Line(Kind.LISTED, "proxmox", f"container {vmid} of {mark}", detail)
