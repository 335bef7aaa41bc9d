"""What all benchmarks share: goals that are judged, and the tables of docs/performance.md."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/performance.md"


@dataclass(frozen=True)
class Goal:
    """A figure that was `reached`; it is to be at `least` or at `most` so much."""

    name: str
    reached: float
    least: float | None = None
    most: float | None = None

    def is_missed(self, slack: float) -> bool:
        """Whether it is worse than its goal by more than the share `slack`."""
        too_small = self.least is not None and self.reached < self.least / (1 + slack)
        return too_small or (self.most is not None and self.reached > self.most * (1 + slack))

    def __str__(self) -> str:
        aim = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        return f"{self.name}: {self.reached:.3g} ({aim})"


def judged(goals: Iterable[Goal], slack: float) -> int:
    """Print the goals; how many were missed."""
    missed = 0
    for goal in goals:
        wrong = goal.is_missed(slack)
        missed += wrong
        print(f"{goal}{': MISSED' if wrong else ''}", flush=True)
    return missed


def markdown(rows: Iterable[Iterable[str]]) -> str:
    """A table; its first row is the heading."""
    heading, *others = (f"| {' | '.join(row)} |" for row in rows)
    line = "|" + " --- |" * (heading.count("|") - 1)
    return "\n".join([heading, line, *others])


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` between the two comments that carry this name. ValueError where they are not there."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page.name} has no place for {name}")
    page.write_text(before + begin + text + end + after)
