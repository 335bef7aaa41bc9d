"""What a site holds, and the script that works on it: a few texts for each table, whose addresses are plain
ones. It is done at once; the real script's own tests are those in real containers."""

import copy
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Guest = dict[str, Any]
Output = tuple[int, bytes, bytes]
OFFER_PATH = "/nodepoint-export/"
OFFER_SECONDS = 86400
NEEDED = 100 << 20  # bytes that an export of a site needs, unless its guest says another number
FREE = 10 * 1024**3  # bytes of each site's disk
FAILING = {
    "error": ("70", "line 1: it went wrong"),
    "refuse": ("65", "nobody can tell which tables are WordPress's"),
}


def of_a_new_site(name: str) -> dict[str, list[str]]:
    """The tables of a site that was just installed, by their names."""
    posts = [f'<a href="https://{name}/wp-admin/">Your dashboard</a>', f"https://{name}/?page_id=2"]
    return {"wp_options": [f"https://{name}", f"https://{name}"], "wp_posts": posts, "wp_comments": []}


@dataclass(frozen=True)
class Archive:
    """What lies at an address: ``size`` in bytes (-1: its server does not tell) and the tables of a site that
    goes by ``name``. ``refused``: the phase in which the script finds it of no use."""

    name: str
    tables: dict[str, list[str]]
    size: int = 1000
    refused: str = ""


def run(
    guest: Guest,
    status_file: str,
    arguments: list[str],
    parameters: Mapping[str, str],
    fault: str,
    archives: Mapping[str, Archive],
) -> Output:
    """``replace``, ``count``; ``look``, ``import``, ``back``; ``room``, ``export``, ``offer``, ``withdraw``.
    ``fault``: it fails (``error``), says that it would fail again (``refuse``), or is killed (all others)."""
    act, run = (arguments or [""])[0], parameters.get("JOB", "")
    if not run or not _valid(act, parameters):
        return 64, b"", b""
    archive = archives.get(parameters.get("URL", ""))
    if act == "look":
        if archive is None:
            return 71, b"", b"answer 404: \n"
        return 0, f"look {archive.size} {FREE}\n".encode(), b""
    if act == "room":
        return 0, f"room {guest.get('needed', NEEDED)} {FREE}\n".encode(), b""
    if act == "offer":
        offer = offered(guest, parameters["TOKEN"])
        told = f"{len(packed(offer))} {int(offer['made']) + OFFER_SECONDS}" if offer else "none"
        return 0, f"offer {told}\n".encode(), b""
    lines = guest["files"].get(status_file, "").splitlines()
    if lines[:1] == [f"run {run}"] and lines[-1:] == ["done 0"]:
        return 0, b"started\n", b""
    lines = [f"run {run}"]
    if fault in FAILING:
        code, words = FAILING[fault]
        lines += [f"failed addresses {code} {words}", f"done {code}"]
    elif not fault:
        lines += _done(guest, act, parameters, archive)
    guest["files"][status_file] = "".join(f"{line}\n" for line in lines)
    return 0, b"started\n", b""


def _valid(act: str, parameters: Mapping[str, str]) -> bool:
    name = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
    if act in ("replace", "count"):
        return all(name.fullmatch(parameters.get(key, "")) for key in ("FROM", "TO"))
    if act in ("export", "offer"):
        return bool(re.fullmatch(r"[0-9a-f]{64}", parameters.get("TOKEN", "")))
    if act in ("room", "withdraw"):
        return True
    return act in ("look", "import", "back") and parameters.get("URL", "").startswith("https://")


def _done(guest: Guest, act: str, parameters: Mapping[str, str], archive: Archive | None) -> list[str]:
    new = parameters.get("TO", "")
    if act == "back":
        return ["phase back 1", "done 0"]
    if act in ("export", "withdraw"):
        return _packed(guest, act, parameters)
    if act != "import":
        touched, changes = _replaced(guest["tables"], parameters["FROM"], new, dry=act == "count")
        return [f"found {touched} {changes} 0", "phase addresses 1", "done 0"]
    if archive is None:
        return ["failed fetch 65 curl: (22) The requested URL returned error: 404", "done 65"]
    if archive.refused:
        return [f"failed {archive.refused} 65 it is of no use", "done 65"]
    guest["tables"] = copy.deepcopy(archive.tables)
    touched, changes = _replaced(guest["tables"], archive.name, new, dry=False)
    phases = ("fetch", "unpack", "database", "switch", "names", "caches", "served", "tidy")
    return [f"found {touched} {changes} 0", *(f"phase {phase} 1" for phase in phases), "done 0"]


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


def _packed(guest: Guest, act: str, parameters: Mapping[str, str]) -> list[str]:
    """An earlier offer goes first, whatever becomes of the next."""
    guest.pop("offer", None)
    if act == "withdraw":
        return ["phase withdraw 1", "done 0"]
    if guest.get("fills", 0) > FREE:
        lacks = f"the disk has {FREE >> 20} MB free, and {guest['fills'] >> 20} MB are needed"
        return ["phase withdraw 1", f"failed pack 66 {lacks}", "done 66"]
    made = {"token": parameters["TOKEN"], "name": parameters["TO"], "made": time.time()}
    guest["offer"] = {**made, "tables": copy.deepcopy(guest["tables"])}
    phases = [f"phase {phase} 1" for phase in ("withdraw", "measure", "dump", "pack")]
    return [*phases, f"packed {len(packed(guest['offer']))}", "phase offer 1", "done 0"]


def offered(guest: Guest, token: str) -> dict[str, Any] | None:
    """What is offered under this token; the container looks for itself whether the time is over."""
    offer = guest.get("offer")
    if not offer or offer["token"] != token or time.time() >= offer["made"] + OFFER_SECONDS:
        return None
    return dict(offer)


def packed(offer: Mapping[str, Any]) -> bytes:
    """The bytes that stand for the archive."""
    return json.dumps({"name": offer["name"], "tables": offer["tables"]}).encode()


def fetched(guest: Guest, path: str) -> bytes | None:
    """The whole of what is offered at this path, which is gone then."""
    token = path.removeprefix(OFFER_PATH).removesuffix(".tar.gz")
    if not path.startswith(OFFER_PATH) or not (offer := offered(guest, token)):
        return None
    del guest["offer"]
    return packed(offer)
