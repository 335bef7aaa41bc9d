"""What is inside the containers: a few files, the played install script, and the answers of the web server.

Nothing here runs a container's shell; a script's header says what is to be played (see docs/lab.md)."""

import copy
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lab import content, curl, health, sealing, shell, wordpress
from lab.install import Installation, Plan, phases
from lab.server import Response

if TYPE_CHECKING:
    from lab import Lab

Output = tuple[int, bytes, bytes]

INSTALL_LINE = re.compile(r"# lab: install status=(/\S+)")
DATABASE_LINE = re.compile(r"# lab: database seconds=(\d+)")
CONTENT_LINE = re.compile(r"# lab: content status=(/\S+)")
UPDATE_LINE = re.compile(r"# lab: update status=(/\S+)")
ACCESS_LINE = "# lab: access"
HEALTH_LINE = "# lab: health"
SEALS = {"# lab: seal": sealing.template, "# lab: spare": sealing.spare}
BUSY = 75
USAGE = 64
PCT_FAILED = 255
SYNTAX_ERROR = 2
NOT_FOUND = 127
HOST_NAMESERVER = "192.168.1.1"
"""What a container uses that was given none: its node's own."""


class Guests:
    """The inside of every container, by VMID. Call with the lab's lock held, ``exec`` excepted.

    Each guest is a JSON object: ``golden`` (packages and WordPress are there), ``site`` (WordPress is
    installed and answers), ``files`` (path -> text), ``install`` (the running Installation or None), and
    ``held_until`` while the database's commits wait; ``consistent`` in a snapshot taken meanwhile. What
    ``lab.sealing`` says, too.
    """

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self._guests: dict[int, dict[str, Any]] = {
            int(id): guest for id, guest in lab.store.load("guest").items()
        }
        self.archives: dict[str, content.Archive] = {}  # what can be imported, by its address
        self._snapshots: dict[str, dict[str, Any]] = lab.store.load("guest-snapshot")

    # What happens to the container from outside.

    def create(self, vmid: int, golden: bool, files: Mapping[str, str]) -> None:
        """A fresh root file system, from a golden template or a plain one, with what lies in it."""
        self._save(vmid, _fresh(golden) | {"files": dict(files)})

    def restore(self, vmid: int, guest: Mapping[str, Any]) -> None:
        """A root file system that was kept under some name, in this container."""
        self._save(vmid, copy.deepcopy(dict(guest)))

    def destroy(self, vmid: int) -> None:
        """Everything goes, snapshots too."""
        self._guests.pop(vmid, None)
        self._lab.store.delete("guest", vmid)
        for key in [key for key in self._snapshots if key.startswith(f"{vmid}/")]:
            self._forget_snapshot(key)

    def halt(self, vmid: int, now: float) -> None:
        """The container stops: a script at work dies where it is, without an end marker."""
        guest = self._look(vmid, now)
        if guest and guest["install"]:
            installation = Installation(**guest["install"])
            guest["files"][installation.status_file] = _text(installation.lines(now))
            guest["install"] = None
            self._save(vmid, guest)
        if guest:
            guest.pop("held_until", None)
            wordpress.forget_runtime(guest)
            self._save(vmid, guest)

    def snapshot(self, vmid: int, name: str, now: float) -> None:
        """Keep the files of this moment; a script at work is in them as half done."""
        guest = copy.deepcopy(self._look(vmid, now) or {})
        if guest.get("install"):
            installation = Installation(**guest["install"])
            guest["files"][installation.status_file] = _text(installation.lines(now))
            guest["install"] = None
        guest["consistent"] = guest.pop("held_until", 0.0) > now
        wordpress.forget_runtime(guest)
        key = f"{vmid}/{name}"
        self._snapshots[key] = guest
        self._lab.store.save("guest-snapshot", key, guest)

    def kept(self, vmid: int, name: str) -> dict[str, Any]:
        """All that is kept under that name."""
        return copy.deepcopy(self._snapshots.get(f"{vmid}/{name}") or _fresh(golden=False))

    def delete_snapshot(self, vmid: int, name: str) -> None:
        """Forget the files kept under that name."""
        self._forget_snapshot(f"{vmid}/{name}")

    def roll_back(self, vmid: int, name: str) -> None:
        """Back to the files kept under that name."""
        self._save(vmid, copy.deepcopy(self._snapshots[f"{vmid}/{name}"]))

    # What is seen from outside. The caller knows that the container runs.

    def listens(self, vmid: int, now: float) -> bool:
        """Whether the web server is up: from the end of a successful installation on."""
        guest = self._look(vmid, now)
        return bool(guest and guest["site"])

    def http(self, vmid: int, visit: wordpress.Visit, now: float) -> Response | None:
        """The web server's answer to any Host; None when it does not listen."""
        if not self.listens(vmid, now):
            return None
        guest = self._guests[vmid]
        if visit.method == "GET" and (archive := content.fetched(guest, visit.path)) is not None:
            self._save(vmid, guest)
            headers = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
            return Response(200, archive, headers=headers, content_type="application/gzip")
        answer = wordpress.answer(guest, self._title(vmid), visit)
        if visit.method == "POST":
            self._save(vmid, guest)
        return answer

    def break_site(self, vmid: int, trouble: str) -> None:
        """Bring an installed site into one of ``wordpress.TROUBLES``; an empty text mends it. A rollback and
        another run of the script mend it, too."""
        if trouble and trouble not in wordpress.TROUBLES:
            raise ValueError(f"no such trouble: {trouble!r}")
        guest = self._guests[vmid]
        guest["trouble"] = trouble
        self._save(vmid, guest)

    def exec(self, node: str, vmid: int, argv: Sequence[str], stdin: bytes) -> Output:
        """``pct exec``: run one command in a container; takes the lock itself."""
        words = shell.without_env(argv)
        if not words:
            return PCT_FAILED, b"", b"no command specified\n"
        command, arguments = words[0].rpartition("/")[2], words[1:]
        # A real bash looks at a script first, and outside the lock: it takes some milliseconds.
        broken = shell.broken(stdin) if command == "bash" and arguments[:1] == ["-s"] else b""
        with self._lab.lock:
            code, refusal = self._lab.proxmox.cluster.exec_refusal(node, vmid)
            if code:
                return code, b"", f"{refusal}\n".encode()
            if broken:
                return SYNTAX_ERROR, b"", broken
            output = self._command(vmid, command, arguments, stdin)
        return self._awaited(vmid, stdin, output)

    def _awaited(self, vmid: int, script: bytes, output: Output) -> Output:
        """What a script prints that stays until it has ended, or is not the kind that does."""
        code, printed, complaints = output
        stay = sealing.STAY.search(script)
        if stay is None or not int(stay[1]) or printed != b"started\n":
            return output
        end = time.monotonic() + int(stay[1]) * self._lab.clock.factor
        while True:
            with self._lab.lock:
                guest = self._look(vmid, time.time())
                if guest and not guest["install"]:
                    return code, printed + sealing.status(guest), complaints
            if guest is None or time.monotonic() >= end:
                return output
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))

    def _command(self, vmid: int, command: str, arguments: list[str], stdin: bytes) -> Output:
        now = time.time()
        if command == "bash" and arguments[:1] == ["-s"]:
            return self._script(vmid, arguments[1:], stdin, now)
        if command == "true":
            return 0, b"", b""
        if command == "cat" and arguments:
            return self._cat(vmid, arguments, now)
        if command == "test" and len(arguments) == 2 and arguments[0] in ("-e", "-f"):
            return (0 if arguments[1] in self._files(vmid, now) else 1), b"", b""
        if command == "curl":
            return curl.run(arguments, lambda visit: self.http(vmid, visit, now))
        error = f'lxc-attach: {vmid}: Failed to exec "{command}": the lab does not play it\n'
        return NOT_FOUND, b"", error.encode()

    def _cat(self, vmid: int, paths: list[str], now: float) -> Output:
        files = self._files(vmid, now)
        found = "".join(files[path] for path in paths if path in files)
        missing = "".join(f"cat: {path}: No such file or directory\n" for path in paths if path not in files)
        return (1 if missing else 0), found.encode(), missing.encode()

    def _script(self, vmid: int, arguments: list[str], script: bytes, now: float) -> Output:
        if not script.strip():
            return 0, b"", b""
        for line in shell.header(script):
            found = INSTALL_LINE.fullmatch(line)
            if found:
                return self._install(vmid, found[1], Plan.read(script.decode(errors="replace")), now)
            if found := DATABASE_LINE.fullmatch(line):
                return self._database(vmid, arguments, now + int(found[1]), now)
            if found := CONTENT_LINE.fullmatch(line):
                plan = Plan.read(script.decode(errors="replace"))
                return self._content(vmid, found[1], arguments, plan.parameters)
            if line == ACCESS_LINE:
                return self._access(vmid, arguments, now)
            if found := UPDATE_LINE.fullmatch(line):
                return self._update(vmid, found[1], Plan.read(script.decode(errors="replace")))
            if line == HEALTH_LINE:
                return self._health(vmid, now)
            if seal := SEALS.get(line):
                return self._sealed(vmid, seal, script, now)
        sentence = b"The lab does not know what this script does: its header names nothing to play.\n"
        return NOT_FOUND, b"", sentence

    def _install(self, vmid: int, status_file: str, plan: Plan, now: float) -> Output:
        guest = self._look(vmid, now) or _fresh(golden=False)
        if guest["install"]:
            return BUSY, b"busy\n", b""
        if plan.claims and not sealing.is_spare(guest):
            return 69, b"", b"no ready container is here\n"
        prepared = guest["golden"] or guest["site"]
        seconds = self._lab.clock.seconds(plan.kind(prepared))
        installation = Installation(
            status_file, now, phases(plan, prepared, seconds), parameters=plan.parameters
        )
        if not prepared and not self._resolves(vmid):
            installation.failing = plan.base[0]
        self._apply_faults(vmid, installation)
        guest["install"] = installation.as_object()
        guest["files"][status_file], guest["status"] = "", status_file
        self._save(vmid, guest)
        return 0, b"started\n", b""

    def _database(self, vmid: int, arguments: list[str], until: float, now: float) -> Output:
        guest = self._look(vmid, now)
        if arguments not in (["hold"], ["release"]):
            return USAGE, b"", b""
        if guest is None or not guest["site"]:
            return 70, b"", b"ERROR 2002 (HY000): Can't connect to local server\n"
        guest.pop("held_until", None)
        if arguments == ["hold"]:
            guest["held_until"] = until
        self._save(vmid, guest)
        return 0, b"held\n" if arguments == ["hold"] else b"", b""

    def _content(
        self, vmid: int, status_file: str, arguments: list[str], parameters: Mapping[str, str]
    ) -> Output:
        guest = self._look(vmid, time.time()) or _fresh(golden=False)
        if not guest["site"]:
            return 69, b"", b"no site of ours is in here\n"
        is_work = arguments[:1] not in (["look"], ["room"], ["offer"])
        fault = self._lab.faults.take("ssh", f"CONTENT {vmid}", only="CONTENT") if is_work else None
        archives = {**self.archives, **self._offers(arguments, parameters)}
        output = content.run(guest, status_file, arguments, parameters, fault.kind if fault else "", archives)
        self._save(vmid, guest)
        return output

    def _offers(self, arguments: list[str], parameters: Mapping[str, str]) -> dict[str, content.Archive]:
        """What another container offers at this very address; an import that fetches it has had it."""
        parts = urlsplit(parameters.get("URL", ""))
        for vmid, guest in self._guests.items():
            if guest["files"].get(wordpress.PLATFORM_DOMAIN, "").strip() != parts.hostname:
                continue
            given = guest if arguments[:1] == ["import"] else copy.deepcopy(guest)
            if archive := content.fetched(given, parts.path):
                self._save(vmid, guest)
                made = json.loads(archive)
                return {parameters["URL"]: content.Archive(**made, size=len(archive))}
        return {}

    def _access(self, vmid: int, arguments: list[str], now: float) -> Output:
        guest = self._look(vmid, now) or _fresh(golden=False)
        output = wordpress.access(guest, *arguments[:2])
        self._save(vmid, guest)
        return output

    def _health(self, vmid: int, now: float) -> Output:
        guest = self._look(vmid, now)
        if guest is None or not guest["site"]:
            return 70, b"", b"there is no site in here\n"
        return 0, _text(health.lines(guest)).encode(), b""

    def _update(self, vmid: int, status_file: str, plan: Plan) -> Output:
        guest = self._look(vmid, time.time())
        if guest is None or not guest["site"]:
            return 69, b"", b"no site of ours is in here\n"
        fault = self._lab.faults.take("ssh", f"UPDATE {vmid}", only="UPDATE")
        run, part = (plan.parameters.get(name, "") for name in ("RUN", "PART"))
        guest["files"][status_file] = health.update(guest, run, part, fault.kind if fault else "")
        self._save(vmid, guest)
        return 0, b"started\n", b""

    def breaks(self, vmid: int, trouble: str) -> None:
        """The next update brings this one of ``wordpress.TROUBLES`` upon the site."""
        guest = self._guests[vmid]
        guest["breaks"] = trouble
        self._save(vmid, guest)

    def feel(self, vmid: int, *lines: str) -> None:
        """What an installed site says of itself from now on; nothing: all is well."""
        guest = self._guests[vmid]
        guest["health"] = list(lines)
        self._save(vmid, guest)

    def _sealed(
        self, vmid: int, seal: Callable[[dict[str, Any], Plan], Output], script: bytes, now: float
    ) -> Output:
        guest = self._look(vmid, now) or _fresh(golden=False)
        if guest["install"]:
            return BUSY, b"", b"an installation is at work\n"
        output = seal(guest, Plan.read(script.decode(errors="replace")))
        self._save(vmid, guest)
        return output

    def _apply_faults(self, vmid: int, installation: Installation) -> None:
        for index, (name, seconds) in enumerate(installation.phases):
            fault = self._lab.faults.take("ssh", f"INSTALL {vmid} {name}", only="INSTALL")
            if fault is None:
                continue
            if fault.kind in ("error", "refuse"):
                installation.failing = name
            elif fault.kind == "hang":
                installation.stuck = name
            elif fault.kind == "slow":
                installation.phases[index] = (name, seconds + fault.seconds)
            else:
                installation.dying = name

    # Its own housekeeping.

    def _look(self, vmid: int, now: float) -> dict[str, Any] | None:
        """The guest by ``now``: an installation that has ended in the meantime is written down first."""
        guest = self._guests.get(vmid)
        if guest and guest["install"]:
            installation = Installation(**guest["install"])
            if not installation.running(now):
                guest["files"][installation.status_file] = _text(installation.lines(now))
                if installation.succeeded(now):
                    _finish(guest, installation.parameters)
                guest["install"] = None
                self._save(vmid, guest)
        return guest

    def _files(self, vmid: int, now: float) -> dict[str, str]:
        guest = self._look(vmid, now)
        if guest is None:
            return {}
        if not guest["install"]:
            return guest["files"]
        installation = Installation(**guest["install"])
        return {**guest["files"], installation.status_file: _text(installation.lines(now))}

    def _resolves(self, vmid: int) -> bool:
        """Whether the container's firewall lets it reach a name server, without which it fetches nothing."""
        container = self._lab.proxmox.cluster.containers[vmid]
        servers = str(container.config.get("nameserver", HOST_NAMESERVER)).split()
        return any(container.firewall_lets_out(server, "udp", 53) for server in servers)

    def _title(self, vmid: int) -> str:
        return str(self._lab.proxmox.cluster.containers[vmid].config.get("hostname", f"CT{vmid}"))

    def _save(self, vmid: int, guest: dict[str, Any]) -> None:
        self._guests[vmid] = guest
        self._lab.store.save("guest", vmid, guest)

    def _forget_snapshot(self, key: str) -> None:
        self._snapshots.pop(key, None)
        self._lab.store.delete("guest-snapshot", key)


def _fresh(golden: bool) -> dict[str, Any]:
    return {"golden": golden, "site": False, "files": {}, "install": None}


def _finish(guest: dict[str, Any], parameters: Mapping[str, str]) -> None:
    """What a script that has run to its end leaves."""
    guest["golden"] = True
    if parameters.get("PART") == "base":
        return
    guest["site"], guest["trouble"] = True, ""
    guest["files"][wordpress.PRIMARY_DOMAIN] = f"{_primary(parameters)}\n"
    guest["files"][wordpress.PLATFORM_DOMAIN] = f"{parameters.get('SITE_HOSTNAME', '')}\n"
    guest["admin"] = parameters.get("ADMIN_EMAIL", "")
    guest.setdefault("tables", content.of_a_new_site(_primary(parameters)))
    guest["xmlrpc"] = parameters.get("XMLRPC", "no")
    sealing.own(guest)


def _primary(parameters: Mapping[str, str]) -> str:
    return parameters.get("PRIMARY_DOMAIN") or parameters.get("SITE_HOSTNAME", "")


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
