"""Which backups of a guest a retention keeps, as the storage layer marks them (pve-storage 9.1.7,
Storage.pm:2000-2103)."""

import time
from collections.abc import Callable, Mapping

PERIODS: dict[str, Callable[[time.struct_time], str]] = {
    "keep-last": lambda at: time.strftime("%s", at),
    "keep-hourly": lambda at: time.strftime("%H/%d/%m/%Y", at),
    "keep-daily": lambda at: time.strftime("%d/%m/%Y", at),
    "keep-weekly": lambda at: time.strftime("%V/%G", at),
    "keep-monthly": lambda at: time.strftime("%m/%Y", at),
    "keep-yearly": lambda at: time.strftime("%Y", at),
}


def options(text: str) -> dict[str, int]:
    """``keep-daily=7,keep-weekly=4`` by name; empty where everything is kept."""
    found = {name: int(count) for name, _, count in (part.partition("=") for part in text.split(",") if part)}
    return {} if found.get("keep-all") else {name: count for name, count in found.items() if count}


def kept(times: list[int], keep: Mapping[str, int]) -> set[int]:
    """Those of the times (epoch seconds) that are kept: the newest of each of the last N periods of a kind,
    periods that a shorter kind has covered not counted. What is not the newest of such a period is lost to
    the longer kinds, too."""
    if not keep:
        return set(times)
    marked: set[int] = set()
    removed: set[int] = set()
    for name, period in PERIODS.items():
        covered = {period(time.localtime(at)) for at in marked}
        chosen: set[str] = set()
        for at in sorted(set(times) - marked - removed, reverse=True):
            this = period(time.localtime(at))
            if this in covered:
                continue
            if this in chosen:
                removed.add(at)
            elif len(chosen) >= keep.get(name, 0):
                break
            else:
                chosen.add(this)
                marked.add(at)
    return marked
