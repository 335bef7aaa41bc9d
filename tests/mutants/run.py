"""`script/mutants`: each mutant in a copy of the tree, with the tests that must catch it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.catalogue import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = re.compile(r"\d+ passed, \d+ failed")
LONGEST = 600  # seconds; a mutant may well run for ever, which is caught, too


def copy_to(folder: Path) -> Path:
    """The tree as it is now, what git does not know left out."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test(folder: Path, labels: str) -> tuple[bool, str]:
    """Whether the tests pass in the copy, and what they say at the end."""
    environment = os.environ | {
        "NODEPOINT_DATA": str(folder / "var"),
        "DATABASE_URL": f"sqlite:///{folder}/var/db.sqlite3",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    (folder / "var").mkdir(exist_ok=True)
    command = [sys.executable, "manage.py", "test", "--noinput", *labels.split()]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return False, "it did not come to its end"
    if found := SUMMARY.search(done.stdout):
        return not done.returncode, found[0]
    # A tree that cannot be imported proves nothing.
    raise SystemExit(f"{labels}: the tests could not be run\n{done.stdout}{done.stderr[-2000:]}")


def survives(folder: Path, mutant: Mutant) -> tuple[bool, str]:
    """Whether its tests pass although it is there."""
    file = folder / mutant.path
    text = file.read_text()
    if text.count(mutant.before) != 1:
        return True, f"stale: stands {text.count(mutant.before)} times in {mutant.path}"
    file.write_text(text.replace(mutant.before, mutant.after))
    try:
        return test(folder, mutant.tests)
    finally:
        file.write_text(text)


def main(words: list[str]) -> int:
    """All mutants, or those whose description holds one of the words. Exit code 1 where one survives."""
    chosen = [one for one in MUTANTS if not words or any(word in one.what for word in words)]
    alive = 0
    with tempfile.TemporaryDirectory(prefix="nodepoint-mutants-") as name:
        folder = copy_to(Path(name))
        whole, said = test(folder, " ".join(sorted({one.tests for one in chosen})))
        print(f"as it is: {said}", flush=True)
        if not whole:
            return 1
        for number, mutant in enumerate(chosen, 1):
            began = time.monotonic()
            lives, said = survives(folder, mutant)
            alive += lives
            verdict = "SURVIVES" if lives else "caught"
            seconds = time.monotonic() - began
            print(f"{number:2} {verdict:8} {mutant.what}: {said} ({seconds:.0f} s)", flush=True)
    print(f"{len(chosen) - alive} of {len(chosen)} caught")
    return int(alive > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
