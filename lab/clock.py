"""How long things take: life-like durations, stretched or shrunk by one factor."""

import random

SECONDS: dict[str, float] = {
    "create.plain": 45,
    "create.golden": 10,
    "start": 7,
    "stop": 5,
    "reboot": 12,
    "snapshot": 15,
    "rollback": 10,
    "destroy": 3,
    "migrate": 14,
    "task": 0.5,
    "install.full": 75,
    "install.base": 66,
    "install.site": 3,
    "install.claim": 2,
    "backup": 25,
    "backup.again": 8,
    "backup.copied": 40,
    "restore": 30,
    "certificate": 5,
    "ha.round": 10,
    "ha.recovery": 60,
    "read": 0.05,
    "write": 0.2,
    "npm.host": 0.4,
    "ssh": 0.3,
    "dns": 0.05,
    "none": 0,
}
"""Seconds at factor 1.0. ``task`` is any Proxmox task without a row of its own; ``backup.again`` a backup
whose last one a backup server has, ``backup.copied`` one that copies the files first; ``ha.round`` one round
of the HA manager, ``ha.recovery`` the time from a node's loss to the start of its HA containers elsewhere."""


class Clock:
    """Gives durations in seconds. ``factor`` may change at run time; what has begun keeps its duration.

    Raises ValueError for a negative factor, or a jitter outside 0 to 1.
    """

    def __init__(self, factor: float = 0.0, jitter: float = 0.0) -> None:
        if factor < 0 or not 0 <= jitter < 1:
            raise ValueError("the factor must not be negative, the jitter must lie between 0 and 1")
        self.factor = factor
        self.jitter = jitter

    def seconds(self, kind: str) -> float:
        """Seconds that ``kind`` takes now; with jitter 0.2 it varies by up to 20 % either way.

        Raises KeyError for a kind that is not in SECONDS.
        """
        spread = random.uniform(1 - self.jitter, 1 + self.jitter) if self.jitter else 1.0
        return SECONDS[kind] * self.factor * spread
