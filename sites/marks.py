"""Owner marks: what everything that we make in another system says about whose it is.

`nodepoint:<installation>:<service_id>:<row>` is a line of its own in a text that people may edit: notes above
and below it change nothing, and what we write keeps them. Where several stand, the first one decides. A
comment of one line, as at Cloudflare, begins with the mark. Marks of releases before the installation was
part of them, `nodepoint:<service_id>:<row>`, are ours; those of another installation are somebody else's.
Service ids hold no `:`, so that the number of parts tells the two apart.

A template's is `nodepoint-template:<installation>:<build>`, that of a container in the pool
`nodepoint-pool:<installation>:<build>`: never like a site's, whatever a service is called.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from nodepoint import installation
from nodepoint.shapes import INSTALLATION

COMMENT = 100  # characters that Cloudflare's free plan takes (error 9313 beyond)
TEMPLATE, SPARE = "nodepoint-template", "nodepoint-pool"
SHORT = 8  # characters of a service id that stay readable where the whole does not fit

_SITE = re.compile(
    rf"nodepoint:(?:({INSTALLATION}):)?([A-Za-z0-9_][A-Za-z0-9_-]{{0,63}}(?:~[0-9a-f]{{16}})?)"
    r":([1-9][0-9]{0,18})"
)
_SPARE = re.compile(rf"{SPARE}:({INSTALLATION}):([0-9a-f]{{1,16}})")
_ANY = re.compile(rf"{_SITE.pattern}|{TEMPLATE}:(?:{INSTALLATION}:)?[0-9a-f]{{1,16}}|{_SPARE.pattern}")


class Owner(Protocol):
    """A row whose things carry marks. `mark_names`: the parts of its mark before and behind the installation.
    `claimed`: the build of the spare whose mark its container may still carry; empty: none."""

    claimed: str

    @property
    def mark_names(self) -> tuple[str, str]: ...


@dataclass(frozen=True)
class Mark:
    """A site's mark as it was found. `installation` is empty in those of earlier releases; `service_id` may
    be a shortened one (`shortened`)."""

    installation: str
    service_id: str
    pk: int

    @property
    def is_anothers(self) -> bool:
        """Whether another installation has made the thing."""
        return self.installation not in ("", installation.identity())

    def __str__(self) -> str:
        parts = ("nodepoint", self.installation, self.service_id, str(self.pk))
        return ":".join(filter(None, parts))


def of(owner: Owner) -> str:
    """The mark of a site or a template, as it is written now."""
    kind, name = owner.mark_names
    return f"{kind}:{installation.identity()}:{name}"


def for_comment(owner: Owner) -> str:
    """The mark in at most COMMENT characters, whatever the lengths of the installation and the service id:
    of one that is too long the beginning and a digest stay, and a `~` that no service id holds."""
    whole = of(owner)
    if len(whole) <= COMMENT:
        return whole
    kind, name = owner.mark_names
    service_id, _, pk = name.rpartition(":")
    return f"{kind}:{installation.identity()}:{shortened(service_id)}:{pk}"


def shortened(service_id: str) -> str:
    """A service id in 25 characters at most, unlike all real ones."""
    return f"{service_id[:SHORT]}~{sha256(service_id.encode()).hexdigest()[:16]}"


def of_spare(build_id: str) -> str:
    """The mark of the container in the pool with this build id."""
    return f"{SPARE}:{installation.identity()}:{build_id}"


def spare_build(mark: str) -> str:
    """The build id of the spare of this installation whose mark that is; empty for all other marks."""
    found = _SPARE.fullmatch(mark)
    return found[2] if found and found[1] == installation.identity() else ""


def parse(line: str) -> Mark | None:
    """The site's mark that the whole text is, else None."""
    found = _SITE.fullmatch(line)
    return Mark(found[1] or "", found[2], int(found[3])) if found else None


def carried(text: str) -> str:
    """The mark in a text of several lines (a description, notes): the first that is a line of its own; empty
    when there is none."""
    return next((line for line in map(str.strip, text.split("\n")) if _ANY.fullmatch(line)), "")


def carried_by_comment(text: str) -> str:
    """The mark with which a comment of one line begins, alone or before a blank; empty when there is none."""
    word = next(iter(text.split(maxsplit=1)), "")
    return word if _ANY.fullmatch(word) else ""


def forms(owner: Owner) -> frozenset[str]:
    """All that the owner's mark may look like: as it is written now, shortened, as earlier releases wrote
    it, and that of the spare which it has claimed."""
    kind, name = owner.mark_names
    claimed = [of_spare(owner.claimed)] if owner.claimed else []
    return frozenset((of(owner), for_comment(owner), f"{kind}:{name}", *claimed))


def is_of(mark: str, owner: Owner) -> bool:
    """Whether a mark that was found is this owner's."""
    return mark in forms(owner)


def owns(owner: Owner, text: str) -> bool:
    """Whether what a text of several lines describes is the owner's."""
    return is_of(carried(text), owner)


def written(owner: Owner, text: str) -> str:
    """The text with the owner's mark: in the place of the mark that stands there, else as its first line.
    Everything else stays as people wrote it."""
    mark, there = of(owner), carried(text)
    if not there:
        return f"{mark}\n{text}" if text.strip() else mark
    lines = text.split("\n")
    place = next(number for number, line in enumerate(lines) if line.strip() == there)
    return "\n".join([*lines[:place], mark, *lines[place + 1 :]])


def removed(owner: Owner, text: str) -> str:
    """The text without the owner's mark; somebody else's stays."""
    return "\n".join(line for line in text.split("\n") if not is_of(line.strip(), owner))
