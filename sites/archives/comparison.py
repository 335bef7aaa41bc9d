"""Rows of archives against what lies on their storages."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from nodepoint.reconcile import Finding, Kind
from sites import marks
from sites.archives.rows import Archive, mark_in, name_in
from sites.clients.proxmox import Volume
from sites.comparison import Comparison
from sites.connections import proxmox

Listed = dict[str, dict[str, list[Volume]]]
"""What was read: archives by storage and node; those of a shared storage once, under an empty name."""


def read() -> Listed:
    """What lies on the storages of all archives, as the nodes that are up show it. A storage that is away
    shows nothing of itself, and nothing is said of it then."""
    ready = Archive.objects.filter(state=Archive.State.READY).order_by()
    storages = set(ready.values_list("storage", flat=True).distinct())
    wanted = storages | ({settings.ARCHIVE_STORAGE} if settings.ARCHIVE_STORAGE else set())
    if not wanted:
        return {}
    up = [node.name for node in proxmox().nodes() if node.online and node.name in settings.PROXMOX_NODES]
    found: Listed = defaultdict(dict)
    for storage in sorted(wanted):
        for node in up:
            status = proxmox().storage_status(node, storage)
            if not status.active or (status.shared and found[storage]):
                continue
            listed = proxmox().storage_content(node, storage, content="backup")
            found[storage]["" if status.shared else node] = listed
    return found


@dataclass
class Archives(Comparison):
    """Archives that are gone, and those that no row knows."""

    listed: Listed

    def findings(self) -> Iterator[Finding]:
        """No further call."""
        if not self.listed:
            return
        ready = Archive.objects.filter(state=Archive.State.READY).select_related("site").order_by("pk")
        known: set[str] = set()
        for row in ready:
            known.add(row.name)
            yield from self._of_row(row)
        volumes = [volume for nodes in self.listed.values() for found in nodes.values() for volume in found]
        doubtful = [volume for volume in volumes if name_in(volume.notes) not in known | {""}]
        names = {name_in(volume.notes) for volume in doubtful}
        # Those in the making, or just deleted: what was read is older than the rows.
        known = set(Archive.objects.filter(name__in=names).values_list("name", flat=True)) if names else set()
        for volume in doubtful:
            if name_in(volume.notes) not in known:
                yield from self._of_volume(volume)

    def _of_row(self, row: Archive) -> Iterator[Finding]:
        nodes = self.listed.get(row.storage, {})
        place = "" if row.shared else row.node
        if place not in nodes or self.rows.restless(row.site.key):
            return
        self.things["proxmox"] += 1
        there = next((volume for volume in nodes[place] if volume.volid == row.volid), None)
        thing = f"archive {row.name}"
        if there is None:
            detail = f"{row.volid} is gone: it cannot be restored. Deleting it here settles its row."
            yield Finding(Kind.MISSING, "proxmox", thing, detail, row.site)
        elif not marks.is_of(mark_in(there.notes), row.site):
            detail = f"{row.volid} does not carry our mark any more: it is left alone."
            yield Finding(Kind.DIFFERS, "proxmox", thing, detail, row.site)
        elif there.verification == "failed":
            detail = f"The backup server has verified {row.volid}, and found it damaged."
            yield Finding(Kind.DIFFERS, "proxmox", thing, detail, row.site)

    def _of_volume(self, volume: Volume) -> Iterator[Finding]:
        """An archive with a mark of ours, as after a dump came back; people look at it and delete it."""
        named = marks.parse(mark_in(volume.notes))
        if named is None or named.is_anothers:
            return
        name, owner = name_in(volume.notes), self.rows.owner(str(named))
        detail = f"No row knows {name}, which carries the mark {named}. Nothing removes it by itself."
        yield Finding(Kind.ORPHAN, "proxmox", f"archive {volume.volid}"[:255], detail, owner)
