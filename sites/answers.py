"""What a container answers is data that others may have written: limited, masked and parsed here, before it
gets into a row, a log or a page."""

import re
from dataclasses import dataclass, field, replace

from nodepoint.clients.errors import mask
from sites.clients.console import Output

LONGEST = 200  # characters of a stranger's words that staff are shown
LOOKED_AT = 4000  # characters that are searched for secrets
NO_STATUS = "the status file holds what the script does not write"
PHASE = re.compile(r"phase [a-z]{1,20} [0-9]{1,6}")
FAILED = re.compile(r"failed [a-z]{1,20} [0-9]{1,3} .*")
VERSION = r"[0-9][\w.-]{0,30}"
UPDATED = re.compile(rf"updated {VERSION} {VERSION}|none {VERSION}|upgraded [0-9]{{1,4}}", re.ASCII)
DONE = re.compile(r"done ([0-9]{1,3})")
PACKED = re.compile(r"packed ([0-9]{1,15})")
LACKS = re.compile(r"the disk has ([0-9]{1,9}) MB free, and ([0-9]{1,9}) MB are needed")
FOUND = re.compile(r"found ([0-9]{1,9}) ([0-9]{1,12}) ([0-9]{1,12})")
USELESS = "65"  # the script's code for what fails again however often it is tried
NO_ROOM = "66"  # and for what does not fit


CULPRITS = {
    "plugin": "the plugin {}",
    "theme": "the theme {}",
    "must-use": "the must-use plugin {}",
    "drop-in": "the file {} in wp-content",
    "configuration": "the file {}",
    "maintenance": "the file {}, left over from an update",
    "database": "its database, which does not answer",
}
CULPRIT = re.compile(rf"failed ({'|'.join(CULPRITS)}) ([A-Za-z0-9._-]{{1,80}})")


def culprit(output: Output) -> str:
    """What keeps WordPress from answering, as `access.sh` names it in its last line, in words for customers;
    empty where it names nothing. The name is the site's own word."""
    found = CULPRIT.fullmatch(output.stdout.rstrip("\n").rpartition("\n")[2])
    return CULPRITS[found[1]].format(found[2]) if found else ""


def words(text: str) -> str:
    """The end of a text in one line: without control characters and secrets, at most `LONGEST` characters."""
    return mask(text.strip()[-LOOKED_AT:])[-LONGEST:]


def complaint(output: Output) -> str:
    """How a command ended that should have ended with 0, for staff."""
    return f"exit code {output.exit_code}: {words(output.stderr)}"


def end_of_installation(output: Output) -> str | None:
    """What the status file of the install script says: None while it is at work, empty when it has done all,
    else why not. A file that the script does not write like that is none that has ended well."""
    lines = output.stdout.split("\n")[:-1]  # a line without its end is still being written
    if output.exit_code or not lines:
        return None  # it is not there yet
    *before, last = lines
    failed = next((line for line in before if FAILED.fullmatch(line)), "")
    known = all(PHASE.fullmatch(line) or FAILED.fullmatch(line) for line in before)
    if output.truncated or not known:
        return NO_STATUS
    if not (done := DONE.fullmatch(last)):
        return None if PHASE.fullmatch(last) or FAILED.fullmatch(last) else NO_STATUS
    if done[1] == "0":
        return NO_STATUS if failed else ""
    return words(failed or last)


def end_at_once(output: Output) -> str | None:
    """The same of what the script printed when it was handed over, where it has waited for its end."""
    return end_of_installation(replace(output, stdout=output.stdout.removeprefix("started\n")))


@dataclass(frozen=True)
class ContentEnd:
    """How work on a site's content has ended. `trouble`: why not well, `phase`: where; `useless`: it would
    fail again; `no_room`: for want of disk; `found`: `{tables, changes, left}`, where addresses were looked
    for, or `{size}` in bytes of what was packed."""

    trouble: str = ""
    phase: str = ""
    useless: bool = False
    no_room: bool = False
    found: dict[str, int] = field(default_factory=dict)

    @property
    def missing_mb(self) -> int:
        """How much the disk had too little, where the script says so; else 0."""
        lacks = LACKS.search(self.trouble) if self.no_room else None
        return max(0, int(lacks[2]) - int(lacks[1])) if lacks else 0


def end_of_content(output: Output, run: str) -> ContentEnd | None:
    """What the status file of the script says that works on the content; None while this run of it is at
    work, or has not begun."""
    lines = output.stdout.split("\n")[:-1]
    if output.exit_code or lines[:1] != [f"run {run}"]:
        return None
    *before, last = lines[1:] or [""]
    found = _found(before)
    rest = [line for line in before if not (FOUND.fullmatch(line) or PACKED.fullmatch(line))]
    failed = next((line for line in rest if FAILED.fullmatch(line)), "")
    if output.truncated or not all(PHASE.fullmatch(line) or FAILED.fullmatch(line) for line in rest):
        return ContentEnd(NO_STATUS)
    if not (done := DONE.fullmatch(last)):
        known = not last or any(form.fullmatch(last) for form in (PHASE, FAILED, FOUND, PACKED))
        return None if known else ContentEnd(NO_STATUS)
    if done[1] != "0":
        useless, no_room = done[1] == USELESS, done[1] == NO_ROOM
        return ContentEnd(words(failed or last), failed.split(" ")[1] if failed else "", useless, no_room)
    if failed:
        return ContentEnd(NO_STATUS)
    return ContentEnd(found=found)


def _found(lines: list[str]) -> dict[str, int]:
    for line in lines:
        if addresses := FOUND.fullmatch(line):
            return dict(zip(("tables", "changes", "left"), map(int, addresses.groups()), strict=True))
        if packed := PACKED.fullmatch(line):
            return {"size": int(packed[1])}
    return {}


@dataclass(frozen=True)
class UpdateEnd:
    """How an update of a site has ended: `trouble`, why not well; else in a few `words` what was done."""

    trouble: str = ""
    words: str = ""


def end_of_update(output: Output, run: str) -> UpdateEnd | None:
    """What the status file of the script says that updates a site; None while this run of it is at work,
    or has not begun."""
    lines = output.stdout.split("\n")[:-1]
    if output.exit_code or lines[:1] != [f"run {run}"] or not (done := DONE.fullmatch(lines[-1])):
        return None
    said = lines[1] if len(lines) == 3 and not output.truncated else ""
    if done[1] == "0" and UPDATED.fullmatch(said):
        return UpdateEnd(words=said)
    return UpdateEnd(words(said) if FAILED.fullmatch(said) else NO_STATUS)
