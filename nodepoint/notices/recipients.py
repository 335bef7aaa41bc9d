"""Who of a letter's recipients has it, who may get it later, and who never will."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Said = tuple[int, bytes | str]  # a reply of SMTP: code, words

PERMANENT = 500
SPOKEN = 300  # characters of what a server says
NOT_ASKED = "the server broke off before"


@dataclass(frozen=True)
class Tally:
    """How a letter fared. `later` and `never`: by address, the server's words."""

    have: list[str]
    later: dict[str, str]
    never: dict[str, str]

    @property
    def words(self) -> str:
        """What the server said of those who do not have it."""
        refused = self.never | self.later
        return "; ".join(f"{address}: {said}" for address, said in refused.items())[:SPOKEN]


def left(to: Iterable[str], have: Collection[str], never: Collection[str]) -> list[str]:
    """Those who are still to get it, each once."""
    return [one for one in dict.fromkeys(to) if one not in have and one not in never]


def tally(
    asked: list[str], refused: Mapping[int, Said], taken: bool, never: Mapping[str, str] | None = None
) -> Tally:
    """`refused`: what the server said against some, by their place in `asked`. `taken`: whether it took the
    message for all others; else it was not asked about them (RFC 5321 3.3 and 4.2.1: 5yz is for good).
    `never`: those whom it refused for good before, and who were not asked about again."""
    said = {asked[place]: reply for place, reply in refused.items()}
    have = [one for one in asked if taken and one not in said]
    for_good = {one: _words(reply) for one, reply in said.items() if reply[0] >= PERMANENT}
    later = [one for one in asked if one not in have and one not in for_good]
    return Tally(
        have=have,
        later={one: _words(said[one]) if one in said else NOT_ASKED for one in later},
        never={**(never or {}), **for_good},
    )


def _words(reply: Said) -> str:
    return f"{reply[0]} {text(reply[1])}".strip()


def text(said: bytes | str) -> str:
    """A server's words in one line."""
    return " ".join((said.decode(errors="replace") if isinstance(said, bytes) else said).split())
