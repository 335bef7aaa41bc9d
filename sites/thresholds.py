"""When a disk counts as filling up, and what is said of it. Numbers in, sentences out."""

DISK = (80, 90, 95)  # percent
FULL = 99  # percent: the last one is no room to work in
EASES = 5  # percent under a threshold from which on it is told again

HELPS = (
    "Delete what is not needed, such as backups that a plugin keeps inside the site, old uploads and unused"
    " plugins, or move to a plan with a larger disk."
)
NEAR = "Once it is full, nothing can be saved, and updates and orders fail."


def reached(percent: int | None) -> int:
    """The highest threshold that a disk has reached; 0: none."""
    return max((one for one in DISK if percent is not None and percent >= one), default=0)


def told(percent: int, before: int) -> int:
    """Of which threshold somebody was told, after a look: the one that is reached now, where it is a higher
    one; a lower one only once the disk has fallen well below."""
    still = max((one for one in DISK if one <= before and percent > one - EASES), default=0)
    return max(reached(percent), still)


def warning(percent: int | None) -> str | None:
    """A sentence for customers; None while there is room."""
    threshold = reached(percent)
    if not threshold:
        return None
    return f"{percent} % of the disk is in use. {f'{NEAR} ' if threshold == DISK[-1] else ''}{HELPS}"
