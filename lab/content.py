"""What a site holds, and the script that works on it: a few texts for each table, whose addresses are plain
ones. It is done at once; the real script's own tests are those in real containers."""

import re
from collections.abc import Mapping
from typing import Any

Guest = dict[str, Any]
Output = tuple[int, bytes, bytes]
FAILING = {
    "error": ("70", "line 1: it went wrong"),
    "refuse": ("65", "nobody can tell which tables are WordPress's"),
}


def of_a_new_site(name: str) -> dict[str, list[str]]:
    """The tables of a site that was just installed, by their names."""
    posts = [f'<a href="https://{name}/wp-admin/">Your dashboard</a>', f"https://{name}/?page_id=2"]
    return {"wp_options": [f"https://{name}", f"https://{name}"], "wp_posts": posts, "wp_comments": []}


def run(
    guest: Guest, status_file: str, arguments: list[str], parameters: Mapping[str, str], fault: str
) -> Output:
    """``replace`` or ``count``. ``fault``: it fails (``error``), says that it would fail again (``refuse``),
    or is killed (all others)."""
    name = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
    run, old, new = (parameters.get(key, "") for key in ("JOB", "FROM", "TO"))
    if (
        arguments[:1] not in (["replace"], ["count"])
        or not run
        or not (name.fullmatch(old) and name.fullmatch(new))
    ):
        return 64, b"", b""
    lines = guest["files"].get(status_file, "").splitlines()
    if lines[:1] == [f"run {run}"] and lines[-1:] == ["done 0"]:
        return 0, b"started\n", b""
    lines = [f"run {run}"]
    if fault in FAILING:
        code, words = FAILING[fault]
        lines += [f"failed addresses {code} {words}", f"done {code}"]
    elif not fault:
        found = _replaced(guest["tables"], old, new, dry=arguments[0] == "count")
        lines += [f"found {found[0]} {found[1]} 0", "phase addresses 1", "done 0"]
    guest["files"][status_file] = "".join(f"{line}\n" for line in lines)
    return 0, b"started\n", b""


def _replaced(tables: dict[str, list[str]], old: str, new: str, dry: bool) -> tuple[int, int]:
    address = re.compile(rf"(?<=//){re.escape(old)}(?![a-z0-9-]|\.[a-z0-9-])")
    touched = changes = 0
    for name, texts in tables.items():
        made = [address.subn(new, text) for text in texts]
        count = sum(number for _, number in made)
        touched, changes = touched + bool(count), changes + count
        if not dry:
            tables[name] = [text for text, _ in made]
    return touched, changes
