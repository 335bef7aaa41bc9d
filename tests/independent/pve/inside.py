"""What a container holds, as far as the scripts of `sites/install` and a visitor can tell.

No shell runs. The argument after `bash -s` says which script it is; the parameters are the assignments at its
head. Exit codes and words are those that the scripts' own heads name.
"""

import copy
import re
import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

STATUS = "/run/nodepoint/install.status"
# Seconds, far fewer than in life: each look of a job at what goes on costs the tests real time.
BASE = {"packages": 4, "wordpress": 1, "system": 1}
SITE = {"database": 1, "configuration": 0, "installation": 1, "web": 0, "verification": 0}

Answer = tuple[int, str, str]  # exit code, stdout, stderr


@dataclass
class Inside:
    """The file system of a container, in short. `phases`: what the running script has still to do, each with
    the time when it is done; `fail`: the phase that will not work."""

    base: bool = False
    site: dict[str, str] | None = None
    facts: str = ""
    status: list[str] = field(default_factory=list)
    phases: list[tuple[float, str, int, dict[str, str]]] = field(default_factory=list)
    held: bool = False
    links: list[str] = field(default_factory=list)
    fail: str = ""

    def copy(self) -> "Inside":
        """For a snapshot."""
        return copy.deepcopy(self)

    def stop(self) -> None:
        """What runs dies with the container, and leaves no end marker."""
        self.phases.clear()
        self.held = False

    def run(self, argv: Sequence[str], stdin: str, now: float) -> Answer:
        """A command in the running container."""
        self._go_on(now)
        match argv:
            case ["true"]:
                return 0, "", ""
            case ["cat", path] if path == STATUS:
                return (0, "".join(f"{line}\n" for line in self.status), "") if self.status else _absent(path)
            case ["curl", *options] if options[-1:] == ["http://127.0.0.1/"]:
                headers = dict(o.split(": ", 1) for o in options if ": " in o)
                return 0, self.page(headers.get("Host", "")), ""
            case ["bash", "-s", act] if act in SCRIPTS:
                if not stdin.rstrip().endswith('{ main "$@" </dev/null; }'):
                    return 2, "", "bash: line 1: syntax error: unexpected end of file"
                return SCRIPTS[act](self, _parameters(stdin), now)
        return 127, "", f"bash: line 1: {argv[0]}: command not found"

    def page(self, host: str) -> str:
        """What the web server answers, as `curl -i` prints it."""
        if self.site is None:
            title = "<title>Welcome to nginx!</title>" if self.base else ""
            return f"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<html>{title}</html>"
        primary = self.site["PRIMARY_DOMAIN"]
        if host != primary:
            return f"HTTP/1.1 301 Moved Permanently\r\nLocation: https://{primary}/\r\n\r\n"
        body = f"<html><head><title>{primary}</title><link href='/wp-includes/style.css'></head></html>"
        return (
            f'HTTP/1.1 200 OK\r\nLink: <https://{primary}/wp-json/>; rel="https://api.w.org/"\r\n\r\n{body}'
        )

    def _go_on(self, now: float) -> None:
        while self.phases and self.phases[0][0] <= now:
            _, name, seconds, values = self.phases.pop(0)
            if name == self.fail:
                self.status += [f"failed {name} 70 it was told to", "done 70"]
                self.phases.clear()
                return
            self.status.append(f"phase {name} {seconds}")
            self.base |= name == "system"
            if name == "verification":
                self.site = values
            if not self.phases:
                self.status.append("done 0")

    def install(self, values: dict[str, str], now: float) -> Answer:
        """wordpress.sh"""
        if self.phases:
            return 75, "busy\n", ""
        self.status = []
        steps = {**BASE, **(SITE if values.get("PART") == "all" else {})}
        for name, seconds in steps.items():
            seconds = 0 if self.base and name in BASE else seconds
            now += seconds
            self.phases.append((now, name, seconds, values))
        return 0, "started\n", ""

    def seal(self, values: dict[str, str], now: float) -> Answer:
        """seal.sh"""
        if self.phases or not self.base or self.site:
            return (75 if self.phases else 73 if self.site else 66), "", "not in this state"
        self.facts = (
            f"build {values['BUILD_ID']}\ndate 2026-11-30\nwordpress 7.1.4\ndistribution ubuntu-24.04\n"
        )
        self.status = []
        return 0, f"{self.facts}sealed\n", ""

    def hold(self, values: dict[str, str], now: float) -> Answer:
        """database.sh hold"""
        if self.site is None:
            return 70, "", "MariaDB is not there"
        self.held = True
        return 0, "held\n", ""

    def release(self, values: dict[str, str], now: float) -> Answer:
        """database.sh release"""
        self.held = False
        return 0, "", ""

    def login(self, values: dict[str, str], now: float) -> Answer:
        """access.sh login"""
        return self._link("wp-admin/admin-post.php?action=nodepoint_login#" + secrets.token_hex(32))

    def password(self, values: dict[str, str], now: float) -> Answer:
        """access.sh password"""
        return self._link(f"wp-login.php?action=rp&key={secrets.token_hex(10)}&login=admin")

    def _link(self, path: str) -> Answer:
        if self.site is None:
            return 70, "", "WordPress is not there"
        self.links.append(f"https://{self.site['PRIMARY_DOMAIN']}/{path}")
        return 0, f"link {self.links[-1]}\n", ""


SCRIPTS: dict[str, Callable[[Inside, dict[str, str], float], Answer]] = {
    name: getattr(Inside, name) for name in ("install", "seal", "hold", "release", "login", "password")
}


def _parameters(script: str) -> dict[str, str]:
    """The quoted assignments of those that matter here."""
    found = re.findall(r"^(PRIMARY_DOMAIN|PART|BUILD_ID|MEMORY)=(.*)$", script, re.MULTILINE)
    return {name: "".join(shlex.split(value)) for name, value in found}


def _absent(path: str) -> Answer:
    return 1, "", f"cat: {path}: No such file or directory"
