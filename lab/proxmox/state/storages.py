"""Storages: what their kinds can do, and in which words each kind says that it cannot."""

from dataclasses import dataclass

KIB, GIB = 1024, 1024**3
NO_SPACE = "No space left on device"
THIN_POOL = "Cannot create new thin volume, free space in thin pool pve/data reached threshold."


@dataclass(frozen=True)
class Kind:
    """What a storage plugin can do. ``word``: how it calls itself when it cannot read a volume's name;
    ``newest_only``: it rolls back to the newest snapshot alone."""

    word: str
    snapshots: bool = False
    newest_only: bool = False


KINDS = {
    "drbd": Kind("PVE", snapshots=True),
    "zfspool": Kind("zfs", snapshots=True, newest_only=True),
    "lvmthin": Kind("lvm", snapshots=True),
    "rbd": Kind("rbd", snapshots=True),
    "lvm": Kind("lvm"),
    "dir": Kind("directory"),
    "nfs": Kind("directory"),
    "pbs": Kind("PBS"),
}


@dataclass(frozen=True)
class Storage:
    """A storage of the cluster; each is on every node. ``total``: bytes."""

    name: str
    kind: str
    content: str
    total: int
    shared: bool = False

    @property
    def folder(self) -> str:
        """Where its files lie on a node (pve-storage, `path`); empty for a storage without files of its own,
        ``pbs://NAME`` for a backup server."""
        if self.kind == "pbs":
            return f"pbs://{self.name}"
        if self.kind in ("dir", "nfs"):
            return "/var/lib/vz" if self.name == "local" else f"/mnt/pve/{self.name}"
        return ""

    def not_online(self) -> str:
        """The words of a call that finds the storage away (pve-storage, Storage.pm:1354,
        Storage/PBSPlugin.pm, activate_storage)."""
        if self.kind == "pbs":
            away = f"500 Can't connect to {self.name}.lab:8007 (Connection refused)"
            return f"{self.name}: error fetching datastores - {away}"
        return f"storage '{self.name}' is not online"

    @property
    def snapshots(self) -> bool:
        """Whether containers on it can be snapshotted."""
        return KINDS[self.kind].snapshots

    @property
    def newest_only(self) -> bool:
        """Whether a rollback is possible to the newest snapshot alone."""
        return KINDS[self.kind].newest_only

    def unparsable(self, volume: str) -> str:
        """The words for a volume name that the kind does not know."""
        return f"unable to parse {KINDS[self.kind].word} volume name '{volume}'"

    def volume_name(self, vmid: int, number: str) -> str:
        """The name of a new root file system; ``number``: eight hexadecimal digits that nobody else has."""
        if self.kind == "drbd":
            return f"pm-{number}_{vmid}"
        if self.kind in ("dir", "nfs"):
            return f"{vmid}/vm-{vmid}-disk-0.raw"
        return f"{'subvol' if self.kind == 'zfspool' else 'vm'}-{vmid}-disk-0"

    def full(self, vmid: int, wanted: int, free: int) -> str:
        """The words for a new volume of ``wanted`` bytes where no more than ``free`` are left."""
        name = self.volume_name(vmid, "0badcafe").rpartition("/")[2]
        definition = f"resource definition {name.partition('_')[0]} from resource group defaultpool"
        texts = {
            "drbd": _linstor(f"Could not create {definition}", "Not enough available nodes"),
            "zfspool": f"zfs error: cannot create 'rpool/data/{name}': out of space",
            "lvmthin": f"lvcreate 'pve/{name}' error:   {THIN_POOL}",
            "lvm": f"not enough free space ({free // KIB} < {wanted // KIB})",
            "rbd": f"rbd create '{name}' error: rbd: create error: (28) {NO_SPACE}",
        }
        return texts.get(
            self.kind, f"unable to create image: qemu-img: {name}: Could not resize file: {NO_SPACE}"
        )

    def no_growth(self, volume: str, wanted: int) -> str:
        """The words for a volume that cannot grow to ``wanted`` bytes; empty for the kinds that promise more
        than they have: ZFS, thin pools and files find out when it is written."""
        name = volume.rpartition(":")[2]
        texts = {
            "drbd": _linstor(
                f"Could not set size ({wanted // KIB} KiB) on resource definition {name.partition('_')[0]}",
                "Not enough free space available",
            ),
            "lvm": f"error resizing volume '/dev/vg/{name}':   Insufficient free space: 2560 extents "
            "needed, but only 0 available",
        }
        return texts.get(self.kind, "")

    def no_snapshot(self, volume: str, snapshot: str) -> str:
        """The words for a snapshot that finds no room."""
        name = volume.rpartition(":")[2]
        linstor = name.partition("_")[0]
        texts = {
            "drbd": _linstor(
                f"Could not create cluster wide snapshot snap_{linstor}_{snapshot} of {linstor}",
                "Not enough free space available",
            ),
            "zfspool": f"zfs error: cannot create snapshot 'rpool/data/{name}@{snapshot}': out of space",
            "lvmthin": f"lvcreate snapshot 'pve/snap_{name}_{snapshot}' error:   {THIN_POOL}",
            "rbd": f"rbd snapshot '{name}' error: rbd: failed to create snapshot: (28) {NO_SPACE}",
        }
        return texts[self.kind]

    def stuck_snapshot(self, volume: str, snapshot: str) -> str:
        """The words for a snapshot that cannot be deleted."""
        name = volume.rpartition(":")[2]
        linstor = name.partition("_")[0]
        texts = {
            "drbd": _linstor(
                f"Could not delete cluster wide snapshot snap_{linstor}_{snapshot} of {linstor}",
                "Snapshot is in use",
            ),
            "zfspool": f"zfs error: cannot destroy snapshot rpool/data/{name}@{snapshot}: dataset is busy",
            "lvmthin": f"lvremove snapshot 'pve/snap_{name}_{snapshot}' error:   Logical volume in use.",
            "rbd": f"rbd snapshot '{name}' error: rbd: failed to remove snapshot: (16) Device or "
            "resource busy",
        }
        return texts[self.kind]


def _linstor(what: str, message: str) -> str:
    """An error of LINSTOR's controller, with the backtrace that its plugin adds; on one line in a task's
    end."""
    content = f'[{{"ret_code":-4611686018407201820,"message":"{message}"}}]'
    where = "/usr/share/perl5/PVE/Storage/Custom/LINSTORPlugin.pm line 566"
    return f"API Return-Code: 500. Message: {what}, because: {content}  at {where}."


STORAGES = {
    storage.name: storage
    for storage in (
        Storage("global-lvm", "drbd", "images,rootdir", 20 * 1024 * GIB, shared=True),
        Storage("local-zfs", "zfspool", "images,rootdir", 4096 * GIB),
        Storage("local", "dir", "vztmpl,iso,backup,rootdir", 500 * GIB),
        Storage("thin", "lvmthin", "images,rootdir", 1024 * GIB),
        Storage("thick", "lvm", "images,rootdir", 1024 * GIB),
        Storage("ceph", "rbd", "images,rootdir", 4096 * GIB, shared=True),
        Storage("share", "nfs", "images,rootdir", 1024 * GIB, shared=True),
        Storage("nas", "nfs", "backup", 8192 * GIB, shared=True),
        Storage("pbs", "pbs", "backup", 16384 * GIB, shared=True),
    )
}
