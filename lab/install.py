"""The played installation of WordPress: what a detached install script would have written by a given
moment."""

import contextlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

WEIGHTS = {
    "packages": 62.0,
    "wordpress": 3.0,
    "system": 1.0,
    "database": 3.0,
    "configuration": 1.0,
    "installation": 3.0,
    "web": 1.0,
    "verification": 1.0,
}
"""Shares of the phases in the 75 seconds of the whole; nearly all of it is packages. Others count as one."""
USUAL = {
    "BASE": ("packages", "wordpress", "system"),
    "SITE": ("database", "configuration", "installation", "web", "verification"),
    "CLAIM": ("database", "configuration", "renewal", "web", "verification"),
}
PARTS = re.compile(r"^(BASE|SITE|CLAIM)=\(([a-z ]+)\)$", re.MULTILINE)
ASSIGNMENT = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """What a script is going to do, as it stands in its text: the phases of its parts, which of them is
    wanted, and the parameters that it was given."""

    base: tuple[str, ...]
    site: tuple[str, ...]
    claim: tuple[str, ...]
    parameters: dict[str, str]

    @classmethod
    def read(cls, script: str) -> "Plan":
        """By its lists, ``BASE=(packages …)``, ``SITE=(database …)`` and ``CLAIM=(…)``; those of the usual
        script where it has none."""
        parts = USUAL | {name: tuple(phases.split()) for name, phases in PARTS.findall(script)}
        return cls(parts["BASE"], parts["SITE"], parts["CLAIM"], dict(_assignments(script)))

    @property
    def base_only(self) -> bool:
        """Whether no site is to be made."""
        return self.parameters.get("PART") == "base"

    @property
    def claims(self) -> bool:
        """Whether a container that waited is to become a site's own."""
        return self.parameters.get("PART") == "claim"

    def kind(self, prepared: bool) -> str:
        """How long it takes: see ``lab.clock.SECONDS``. ``prepared``: the base is there already."""
        if self.claims:
            return "install.claim"
        return "install.base" if self.base_only else "install.site" if prepared else "install.full"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The phases that are to be gone through."""
        if self.claims:
            return self.claim
        return self.base if self.base_only else self.base + self.site


def _assignments(script: str) -> Iterator[tuple[str, str]]:
    for name, value in ASSIGNMENT.findall(script):
        with contextlib.suppress(ValueError):  # one that goes over several lines
            yield name, " ".join(shlex.split(value))


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
    parameters: dict[str, str] = field(default_factory=dict)

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


def phases(plan: Plan, prepared: bool, seconds: float) -> list[tuple[str, float]]:
    """Phases with their seconds, stretched so that together they take ``seconds``; those of the base take no
    time where it is there already."""
    shares = {name: 0.0 if prepared and name in plan.base else WEIGHTS.get(name, 1.0) for name in plan.wanted}
    scale = seconds / (sum(shares.values()) or 1.0)
    return [(name, share * scale) for name, share in shares.items()]
