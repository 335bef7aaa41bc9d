"""Which release this is."""

from functools import cache
from pathlib import Path

BASE = "1.0.0"  # the release that is being prepared; pyproject.toml says the same
NOTED = ".install-release"  # `git describe --tags --always`, by script/install and the image


@cache
def version() -> str:
    """The tag that was installed, such as `v1.0.0-3-gdb5d75b`; `1.0.0.dev` where nobody noted one."""
    file = Path(__file__).resolve().parent.parent / NOTED
    try:
        return file.read_text().strip() or f"{BASE}.dev"
    except OSError:  # a clone that was never installed
        return f"{BASE}.dev"
