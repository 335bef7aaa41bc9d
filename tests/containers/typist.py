"""typist.py ANSWERS COMMAND... — types answers into a program on a terminal, as a person would.

ANSWERS: a JSON file {NAME: [answer, next answer, …]}; the last one is given again, Enter where there is none.
A question is a line `  NAME: …: `, or the one whether to answer again. Prints what the screen shows.
"""

import json
import os
import pty
import re
import sys
from pathlib import Path

QUESTION = re.compile(r"(?:^|\n) {2}([A-Z_]+|Enter to answer again)\b[^\n]*: $")


def main() -> int:
    answers = json.loads(Path(sys.argv[1]).read_text())
    child, terminal = pty.fork()
    if not child:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
    shown = seen = ""
    while True:
        try:
            chunk = os.read(terminal, 4096).decode(errors="replace").replace("\r", "")
        except OSError:  # the terminal's other side is closed
            break
        shown, seen = shown + chunk, seen + chunk
        if found := QUESTION.search(seen):
            ready = answers.get(found[1], [""])
            os.write(terminal, (ready.pop(0) if len(ready) > 1 else ready[0]).encode() + b"\n")
            seen = ""
    sys.stdout.write(shown)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
