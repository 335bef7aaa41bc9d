"""What a container answers is data that others may have written: limited, masked and parsed here, before it
gets into a row, a log or a page."""

import re

from nodepoint.clients.errors import mask
from sites.clients.console import Output

LONGEST = 200  # characters of a stranger's words that staff are shown
LOOKED_AT = 4000  # characters that are searched for secrets
NO_STATUS = "the status file holds what the script does not write"
PHASE = re.compile(r"phase [a-z]{1,20} [0-9]{1,6}")
FAILED = re.compile(r"failed [a-z]{1,20} [0-9]{1,3} .*")
DONE = re.compile(r"done ([0-9]{1,3})")


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
