"""What a shell would make of what is sent into a container."""

import subprocess
from collections.abc import Sequence

BASH = "/bin/bash"


def broken(script: bytes) -> bytes:
    """What bash says about a script that it cannot parse; empty when it can."""
    # With -n bash reads the script and runs none of it; an empty environment holds no BASH_ENV either.
    command = ["bash", "-n"]
    checked = subprocess.run(  # noqa: S603 - a fixed command
        command, executable=BASH, env={}, input=script, capture_output=True, timeout=30
    )
    return checked.stderr if checked.returncode else b""


def without_env(argv: Sequence[str]) -> list[str]:
    """A command line without the `env` before it, and what that sets."""
    words = list(argv)
    if words[:1] in (["env"], ["/usr/bin/env"]):
        words = words[1:]
        while words and (words[0] in ("-i", "-") or "=" in words[0]):
            words.pop(0)
    return words


def header(script: bytes) -> list[str]:
    """The leading comment lines of a script."""
    lines = []
    for line in script.decode(errors="replace").splitlines():
        if line.strip() and not line.startswith("#"):
            break
        lines.append(line.rstrip())
    return lines
