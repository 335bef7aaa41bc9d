"""Which release this is."""

import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTED = ".install-release"  # `git describe --tags --always`, by script/install and the image
COMMIT = re.compile(r"[0-9a-f]{7,40}")  # what that says where the clone has no tags


def stated() -> str:
    """What pyproject.toml says, such as `2.0.0`; between two releases `2.1.0.dev0`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@cache
def version() -> str:
    """The tag that was installed, such as `v2.0.0` or `v2.0.0-3-gdb5d75b`. Where there are no tags, what is
    stated with the commit behind it, `2.0.0+db5d75b`; where nobody noted one, what is stated."""
    try:
        noted = (ROOT / NOTED).read_text().strip()
    except OSError:  # a clone that was never installed
        noted = ""
    if COMMIT.fullmatch(noted):
        return f"{stated()}+{noted}"
    return noted if noted not in ("", "unknown") else stated()
