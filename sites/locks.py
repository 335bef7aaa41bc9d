"""Taking the lock off a container whose task has died with its node. Proxmox VE's API has no way to do it:
it is `pct unlock`, on the node itself."""

from dataclasses import dataclass

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import Busy
from sites import answers, marks
from sites.connections import console, proxmox
from sites.models import Site
from sites.steps.proxmox import require

SECONDS = 15.0  # for the whole


class NotLocked(Exception):
    """There is no lock any more."""


@dataclass(frozen=True)
class Unlocked:
    """The lock that was taken off, such as `rollback`, and where."""

    lock: str
    node: str
    vmid: int


def unlock(site: Site) -> Unlocked:
    """Take the lock off the site's container, which must carry our mark or be in the making by us.

    NotLocked; ClientError: Busy while a task is still at work on the container, and the family's others."""
    with deadline(SECONDS):
        container = require(site)
        lock, node, vmid = container.config.lock, container.node, container.vmid
        if not lock:
            raise NotLocked
        if any(task.running for task in proxmox().tasks(node, vmid=vmid)):
            raise Busy("proxmox", f"a task is still at work on container {vmid}")
        output = console().on_node(node, ["pct", "unlock", str(vmid)])
        if output.exit_code:
            raise Busy("ssh", f"pct unlock {vmid}: {answers.words(output.stderr)}")
        if not marks.owns(site, container.config.description):
            # What is left of a creation has no mark yet. With it, the undo finds it and removes it.
            proxmox().set_config(node, vmid, description=marks.written(site, container.config.description))
        return Unlocked(lock, node, vmid)
