"""The last resort of `nodepoint.supervisor`: ends its children when it was itself killed with SIGKILL.

Run by path, in a session of its own and with nothing but the standard library: it is small, and no signal to
the supervisor's group reaches it. It reads `+GROUP` and `-GROUP` lines; the end of its input means that the
supervisor is gone, and the process groups that are still on the list are killed.

PR_SET_PDEATHSIG would be less code, but it reaches only the direct child, and a killed django-q2 master
leaves its workers behind, working on without anyone to look after them (seen with 1.11).
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Follow the list of process groups until the supervisor is gone, then kill what is left on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        change = groups.add if line.startswith(b"+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
