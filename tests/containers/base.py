"""What the tests with real containers share: one node, the templates, and sites that are made once."""

import atexit
import os
import re
import tempfile
import threading
import time
import unittest
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests
from django.test import SimpleTestCase, override_settings
from dnslib.server import DNSLogger, DNSServer

from sites import install
from sites.clients.console import Output
from sites.models import Plan, Site
from tests.containers import materials
from tests.containers.mirror import Mirror, Nowhere
from tests.containers.node import GATEWAY, NAME, Node, impossible

WANTED = "NODEPOINT_CONTAINERS"  # set by script/containers: `all` or `short`
TEMPLATE = "NODEPOINT_TEMPLATE"  # set by script/containers --template: a file, or empty
MIRROR = (GATEWAY, 3142)
WORDPRESS = "/var/www/wordpress"
LONGEST = 600.0  # seconds for an installation
VISITOR = "198.51.100.7"
# Until PHP looks at a changed file again: opcache.revalidate_freq is 2, counted in whole seconds from its
# last look, and more than two have to be gone (php-src, ext/opcache/ZendAccelerator.c,
# validate_timestamp_and_record).
NOTICED = "sleep 3.1"
RELAY_PORT = 2525
SMTP_USER, SMTP_PASSWORD = 'site "one"', "p@ss %20\\x41:'w\"rd"
SMTP_URL = f"smtp://site%20%22one%22:p%40ss%20%2520%5Cx41%3A%27w%22rd@{GATEWAY}:{RELAY_PORT}"
SETTINGS = {
    "PROXY_LAN_IPS": [GATEWAY],
    "SITE_NETWORK": "10.77.0.0/24",
    "SITE_GATEWAY": GATEWAY,
    "BASE_DOMAIN": "nodepoint.eu",
    "WORDPRESS_URL": f"http://{GATEWAY}:{MIRROR[1]}/wordpress.tar.gz",
    "SITE_SMTP_URL": SMTP_URL,
}


def required(short: bool = False) -> None:
    """A module's `setUpModule`: skips it unless it is wanted. `short`: it belongs to the short form too."""
    wanted = os.environ.get(WANTED)
    if not wanted:
        raise unittest.SkipTest("real containers: run script/containers")
    if wanted == "short" and not short:
        raise unittest.SkipTest("not part of the short form")
    if why := impossible():
        raise unittest.SkipTest(f"real containers are not possible here: {why}")


long_form = unittest.skipIf(os.environ.get(WANTED) == "short", "not part of the short form")


@cache
def node() -> Node:
    """The one node of this process, with all that its containers reach."""
    folder = tempfile.TemporaryDirectory(prefix="nodepoint-node-")
    atexit.register(folder.cleanup)
    made = Node(Path(folder.name))
    atexit.register(made.close)
    resolver = made.on_network(DNSServer, Nowhere(), address=GATEWAY, logger=DNSLogger("-request,-reply"))
    resolver.start_thread()
    atexit.register(resolver.stop)
    return made


@cache
def mirror() -> Mirror:
    """Where the containers' packages and WordPress come from."""
    made = mirror_for(node())
    atexit.register(made.close)
    return made


def mirror_for(host: Node) -> Mirror:
    """A mirror on the containers' network of a node, started."""
    folders = [cache_folder() / name for name in ("packages", "files")]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    made = host.on_network(Mirror, MIRROR, *folders)
    made.start()
    return made


@cache
def cache_folder() -> Path:
    """Where packages and templates are kept: `NODEPOINT_CACHE`, or for this run only."""
    given = os.environ.get("NODEPOINT_CACHE")
    if given:
        Path(given).mkdir(parents=True, exist_ok=True)
        return Path(given)
    folder = tempfile.TemporaryDirectory(prefix="nodepoint-cache-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def plain_template() -> Path:
    """Debian 13 as Proxmox VE offers it, more or less, or the template that was given."""
    template, _ = materials.make(cache_folder(), mirror().url)
    return Path(os.environ.get(TEMPLATE) or template)


def order(vmid: int, memory_mb: int = 2048, name: str = "") -> Site:
    """An order that is in no database."""
    plan = Plan(name="basic", memory_mb=memory_mb, disk_gb=20, cores=2, backups=2, domains=3)
    name = name or f"site{vmid}"
    return Site(
        service_id=str(vmid),
        email=f"o'neil+{vmid}@example.com",
        plan=plan,
        vmid=vmid,
        node=NAME,
        subdomain=name,
        public_ip="203.0.113.10",
    )


@dataclass
class Container:
    """A real container. `seconds`: from its creation to the end of the installation that made its site."""

    vmid: int
    site: Site
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)

    def create(self, template: Path) -> None:
        self.pct("create", str(template), "--hostname", self.site.subdomain)
        self.pct("start")
        if str(template) == os.environ.get(TEMPLATE):  # it knows nothing of our way out
            self.run(
                "tee", "/etc/apt/apt.conf.d/zz-mirror", stdin=f'Acquire::http::Proxy "{mirror().url}";\n'
            )

    def pct(self, act: str, *arguments: str) -> str:
        """An act of the stand-in, on the node itself."""
        return node().run("pct", act, str(self.vmid), *arguments).stdout

    def destroy(self) -> None:
        self.pct("destroy")

    def run(self, *argv: str, stdin: str = "", timeout: float = 60.0) -> Output:
        """By the product's console, over SSH."""
        return console(timeout).run(NAME, self.vmid, argv, stdin)

    def shell(self, script: str) -> str:
        """What a script prints that must not fail."""
        output = self.run("bash", "-euo", "pipefail", "-s", stdin=script)
        if output.exit_code:
            raise AssertionError(f"{script}: {output}")
        return output.stdout

    def script(self, primary_domain: str = "") -> str:
        """The product's install script; without a primary domain for the platform's name."""
        return install.script(self.site, primary_domain or self.site.hostname)

    def start_install(self, script: str | None = None) -> Output:
        return self.run("bash", "-s", "install", stdin=script or self.script())

    def status(self) -> list[str]:
        """The lines of the status file so far."""
        return self.run("cat", install.STATUS_FILE).stdout.splitlines()

    def wait(self) -> list[str]:
        """The lines of the status file when the end marker is there."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            lines = self.status()
            if lines and lines[-1].startswith("done "):
                return lines
            time.sleep(0.2)
        raise AssertionError(f"no end: {lines}")

    def install(self, script: str | None = None) -> list[str]:
        """Start the script, wait for its end; the lines of the status file."""
        started = self.start_install(script)
        if started.stdout != "started\n":
            raise AssertionError(f"not started: {started}")
        return self.wait()

    def write(self, path: str, text: str) -> None:
        """A file of the site's own, whose folder is made if it is not there."""
        made = 'install -d -o www-data -g www-data "$(dirname "$1")"; cat >"$1"; chown www-data: "$1"'
        self.run("sh", "-ec", made, "-", path, stdin=text)

    def php(self, code: str) -> str:
        """What WordPress on the command line prints as the site's user; PHP's complaints are part of it."""
        loads = "chdir($argv[1]); require 'wp-load.php'; require_once 'wp-admin/includes/admin.php';"
        command = ("setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups", "php")
        options = ("-d", "display_errors=1", "-d", "error_reporting=-1", "--", WORDPRESS)
        output = self.run(*command, *options, stdin=f"<?php {loads} {code}")
        return output.stdout + output.stderr

    def run_cron(self) -> None:
        """The line of the system's cron, as its user."""
        line = self.shell("cat /etc/cron.d/wordpress").split("www-data ", 1)[1].strip()
        self.shell(f"setpriv --reuid www-data --regid www-data --clear-groups sh -c '{line}'")

    def access(self, *act: str) -> Output:
        """An act of `access.sh`."""
        return self.run("bash", "-s", *act, stdin=install.access_script(self.site))

    def entered(self) -> requests.Session:
        """A browser that a login link has let in."""
        made = self.access("login")
        address, _, token = made.stdout.strip().removeprefix("link ").partition("#")
        if not token:
            raise AssertionError(made)
        browser, name = requests.Session(), address.split("/")[2]
        path = address.partition(name)[2]
        self.visit(path, host=name, session=browser, method="POST", data={"nodepoint_token": token})
        return browser

    def visit(
        self,
        path: str = "/",
        host: str = "",
        client: str = VISITOR,
        session: requests.Session | None = None,
        cached: bool = False,
        **more: Any,
    ) -> requests.Response:
        """As a visitor whom the proxy lets through; redirects are not followed. `cached`: a page that was
        made for others will do."""
        headers = {
            "Host": host or self.site.hostname,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": client,
        }
        if not cached:
            headers["X-NodePoint-Look"] = "1"
        headers |= more.pop("headers", {})
        if session:  # its cookies are for https; the proxy is left out
            headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
        url = f"http://10.77.0.{self.vmid - 800}{path}"
        method = str(more.pop("method", "GET"))
        answer = node().on_network(
            requests.request, method, url, headers=headers, allow_redirects=False, **{"timeout": 30, **more}
        )
        if session:
            session.cookies.update(answer.cookies)
        return answer


@cache
def console(timeout: float):
    """The product's console for the node; `timeout` in seconds."""
    return node().console(timeout)


def title(answer: requests.Response) -> str:
    """A page's title; empty without one."""
    found = re.search(r"<title>([^<]*)", answer.text)
    return found[1].strip() if found else ""


def made(vmid: int, template: Path, memory_mb: int = 2048) -> Container:
    """A new container with an installed site, timed from its creation to the end marker."""
    container = Container(vmid, order(vmid, memory_mb))
    begun = time.monotonic()
    container.create(template)
    container.lines = container.install()
    container.seconds = time.monotonic() - begun
    if container.lines[-1] != "done 0":
        log = container.run("tail", "-n", "20", "/run/nodepoint/install.log")
        raise AssertionError(f"{container.lines}\n{log.stdout}")
    return container


class Watch(threading.Thread):
    """Notes the arguments of all processes of the machine, containers' too, until `end`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except (FileNotFoundError, ProcessLookupError):
                    continue  # it has ended meanwhile

    def end(self) -> set[str]:
        self._over.set()
        self.join()
        return self.seen


@override_settings(**SETTINGS)
class ContainerTestCase(SimpleTestCase):
    """Settings as the containers need them."""
