"""The container's firewall at Proxmox VE, closed as `sites.isolation` says."""

from nodepoint.clients.errors import BadAnswer
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites import isolation
from sites.clients.proxmox import FirewallRule
from sites.connections import proxmox
from sites.isolation import OPTIONS, Act, Write
from sites.steps.proxmox import Container, follows_moves, require

MOST_WRITES = 200  # for one container: whoever writes against us must not keep a worker


@follows_moves
def firewall_on(call: Call) -> Outcome:
    """The firewall is on with exactly our rules. What was written is read once more before the site counts as
    kept apart.
    """
    container = require(call.subject)
    present = proxmox().firewall_rules(container.node, container.vmid)
    if not _is_closed(container, present) and not _is_closed(container, _close(container, present)):
        raise _not_as_written()
    return Done()


def _not_as_written() -> BadAnswer:
    return BadAnswer("proxmox", "the firewall is not as it was written")


def _is_closed(container: Container, present: list[FirewallRule]) -> bool:
    if isolation.next_write(present, isolation.rules()):
        return False
    return proxmox().firewall_options(container.node, container.vmid) == OPTIONS


def _close(container: Container, present: list[FirewallRule]) -> list[FirewallRule]:
    """One write after the other, and the rules as they are read in the end. The firewall is switched on as
    soon as the rules that stand there cut nothing off: at once for a new container; and before anything goes
    that may have kept strangers out."""
    wanted, is_on = isolation.rules(), False
    for _ in range(MOST_WRITES):
        write = isolation.next_write(present, wanted)
        if not is_on and (write is None or write.act is Act.REMOVE or not isolation.cuts_off(present)):
            proxmox().set_firewall_options(container.node, container.vmid, OPTIONS)
            is_on = True
        if write is None:
            break
        present = _carried_out(container, write, present)
    return proxmox().firewall_rules(container.node, container.vmid) if _is_guessed(present) else present


def _is_guessed(present: list[FirewallRule]) -> bool:
    """Whether a rule was added since the list was read: positions, and what stands there, are not known."""
    return not all(rule.digest for rule in present)


def _carried_out(container: Container, write: Write, present: list[FirewallRule]) -> list[FirewallRule]:
    """The list after the write. Positions count only in a list as it was just read, which its digest proves:
    where it is not known any more, that is read first and the write left to the next look."""
    node, vmid = container.node, container.vmid
    if write.act is Act.ADD:
        proxmox().add_firewall_rule(node, vmid, write.rule)
        return [write.rule, *present]
    if _is_guessed(present):
        read = proxmox().firewall_rules(node, vmid)
        if not isolation.alike(read, present):
            raise _not_as_written()
        return read
    digest = present[write.pos].digest
    if write.act is Act.ENABLE:
        proxmox().enable_firewall_rule(node, vmid, write.pos, digest)
    else:
        proxmox().delete_firewall_rule(node, vmid, write.pos, digest)
    return proxmox().firewall_rules(node, vmid)
