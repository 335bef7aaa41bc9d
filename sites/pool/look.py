"""What becomes of ready containers while they wait, seen by the periodic look at the cluster: those that are
gone, stopped, edited or not ours any more are nobody's from then on, and others are made; one that was moved
is followed."""

from collections.abc import Iterable
from datetime import datetime

from nodepoint.clients.errors import ClientError
from sites import marks, occupied
from sites.clients.proxmox import Config, Guest
from sites.connections import proxmox
from sites.models import Spare
from sites.pool import ends

MIB = 1024**2
MOST = 25  # configurations read in one look: the marks of the others have their turn in the next ones


def notice(guests: Iterable[Guest], asked_at: datetime) -> int:
    """Have those go that nobody may be given any more; how many. `guests`: all of the cluster, as asked for
    at `asked_at`; one that became ready later is not judged by them. No calls but for the marks: one each."""
    by_vmid = {guest.vmid: guest for guest in guests}
    waiting = list(Spare.objects.filter(state=Spare.State.READY, ready_at__lt=asked_at).order_by("pk"))
    turn = int(asked_at.timestamp() // 60) % max(1, -(-len(waiting) // MOST)) * MOST
    inspected = waiting[turn : turn + MOST]
    return sum(_judged(spare, by_vmid.get(spare.vmid), spare in inspected) for spare in waiting)


def _judged(spare: Spare, guest: Guest | None, inspected: bool) -> bool:
    try:
        if guest is None:
            return proxmox().vmid_free(spare.vmid) and ends.vanished(spare, "Its container is gone.")
        if guest.status == "unknown" or guest.lock:  # its node is away; or a backup or a migration is at work
            return False
        if guest.node != spare.node:
            Spare.objects.filter(pk=spare.pk, state=Spare.State.READY).update(node=guest.node)
        wrong = _wrong(spare, guest) or (_wrong_inside(spare, guest) if inspected else "")
    except ClientError:  # nobody can tell: the next look does, and so does an order that claims it
        return False
    return bool(wrong) and ends.destroy(spare, wrong, actor="pool") is not None


def _wrong(spare: Spare, guest: Guest) -> str:
    """What the list of guests shows of it that is not as it was left."""
    if guest.type != "lxc" or guest.name != spare.hostname:
        return f"Something else uses its VMID: {guest.name or guest.type}."
    if guest.status != "running":
        return "Somebody has stopped it."
    if (guest.maxmem, guest.maxcpu) != (spare.memory_mb * MIB, spare.cores):
        return "Its size was changed."
    return ""


def _wrong_inside(spare: Spare, guest: Guest) -> str:
    """The same of its configuration."""
    config: Config = proxmox().config(guest.node, guest.vmid)
    if marks.spare_build(marks.carried(config.description)) != spare.build_id:
        return "Its mark was changed."
    return "" if occupied.address_of(config) == spare.private_ip else "Its address was changed."
