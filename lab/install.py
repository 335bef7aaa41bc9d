"""The played installation of WordPress: what a detached install script would have written by a given
moment."""

from dataclasses import asdict, dataclass
from typing import Any

FULL = {
    "packages": 62.0,
    "wordpress": 3.0,
    "database": 3.0,
    "configuration": 1.0,
    "firewall": 1.0,
    "installation": 3.0,
    "verification": 2.0,
}
"""Phases of the full script and their share of its 75 seconds; nearly all of it is packages."""
SITE_PART = {"database": 1.0, "configuration": 0.5, "installation": 1.0, "verification": 0.5}
"""Phases where packages and WordPress are there already (golden template, or a second run)."""


@dataclass
class Installation:
    """One run of the script, a pure function of time. Times are epoch seconds.

    ``failing``: name of the phase that fails; ``stuck``: the phase that never ends; ``dying``: the phase in
    which the script is killed, without an end marker.
    """

    status_file: str
    began: float
    phases: list[tuple[str, float]]
    failing: str = ""
    stuck: str = ""
    dying: str = ""

    def lines(self, now: float) -> list[str]:
        """The status file's lines by ``now``: one per finished phase, then the end marker ``done CODE``."""
        lines, at = [], self.began
        for name, seconds in self.phases:
            at += seconds
            if now < at or name == self.stuck or name == self.dying:
                return lines
            if name == self.failing:
                return [*lines, f"failed {name} 1 {name} did not work", "done 1"]
            lines.append(f"phase {name} {round(seconds)}")
        return [*lines, "done 0"]

    def running(self, now: float) -> bool:
        """Whether the script is still at work: neither ended nor killed."""
        last = self.lines(now)[-1:]
        return last not in (["done 0"], ["done 1"]) and not self._killed(now)

    def succeeded(self, now: float) -> bool:
        """Whether the end marker says success."""
        return self.lines(now)[-1:] == ["done 0"]

    def as_object(self) -> dict[str, Any]:
        """The JSON object that ``Installation(**object)`` takes."""
        return asdict(self)

    def _killed(self, now: float) -> bool:
        at = self.began
        for name, seconds in self.phases:
            at += seconds
            if name == self.dying:
                return now >= at
        return False


def phases(golden: bool, seconds: float) -> list[tuple[str, float]]:
    """Phases with their seconds, stretched so that together they take ``seconds``."""
    shares = SITE_PART if golden else FULL
    scale = seconds / sum(shares.values())
    return [(name, share * scale) for name, share in shares.items()]
