"""The sites that several tests look at, made when the first of them asks."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import requests
from django.test import override_settings

from sites import install
from tests.containers import base
from tests.containers.base import SETTINGS, Container, Watch

PLAIN, GOLDEN, TEMPLATE, SPARE = 903, 904, 905, 906


@dataclass
class Observed:
    """A site, and what was seen while it was made."""

    container: Container
    arguments: set[str]
    pages: list[tuple[int, str, str]]


@cache
def plain() -> Observed:
    """A site in a container from the plain template; every package is installed on the way."""
    base.node()
    template = base.plain_template()
    with override_settings(**SETTINGS), visited(PLAIN) as pages:
        watch = Watch()
        container = base.made(PLAIN, template)
        return Observed(container, watch.end(), pages)


@contextlib.contextmanager
def visited(vmid: int) -> Iterator[list[tuple[int, str, str]]]:
    """Visits the front page and the installer over and over; (status, redirect, title) of what answers."""
    container, over, pages = Container(vmid, base.order(vmid)), threading.Event(), []

    def visits() -> None:
        while not over.wait(0.05):
            for path in ("/", "/wp-admin/install.php", "/wp-admin/setup-config.php"):
                with contextlib.suppress(requests.RequestException):  # nothing answers yet
                    answer = container.visit(path)
                    pages.append((answer.status_code, answer.headers.get("Location", ""), base.title(answer)))

    thread = threading.Thread(target=visits)
    thread.start()
    try:
        yield pages
    finally:
        over.set()
        thread.join()


@dataclass
class Base:
    """The container of the template-to-be. `half_done`: the packages that a kill left so on the way."""

    container: Container
    half_done: str
    lines: list[str]


@cache
def common() -> Base:
    """The part that all sites have in common. Its first run is killed while it installs packages."""
    with override_settings(**SETTINGS):
        container = Container(TEMPLATE, base.order(TEMPLATE))
        container.create(base.plain_template())
        script = install.base_script(2048)
        container.start_install(script)
        unpacked = "grep -q 'status unpacked mariadb-server:' /var/log/dpkg.log"
        kill = f"until {unpacked}; do sleep 0.1; done; pkill -9 'apt-get|dpkg|bash'"
        container.run("sh", "-c", kill, timeout=base.LONGEST)
        half_done = container.run("dpkg", "--audit").stdout
        return Base(container, half_done, container.install(script))


@cache
def golden_template() -> Path:
    """The base of all sites, sealed and packed, as `manage.py build_template` has it made on a node."""
    container, archive = common().container, base.node().folder / "golden.tar.zst"
    if common().lines[-1] != "done 0":
        raise AssertionError(common().lines)
    with override_settings(**SETTINGS):
        sealed = container.run("bash", "-s", "seal", stdin=install.seal_script("test-build"))
        if sealed.exit_code:
            raise AssertionError(sealed)
    container.pct("stop")
    container.pct("archive", str(archive))
    container.destroy()
    return archive


@cache
def golden() -> Container:
    """A site in a container from the golden template, timed as the plain one."""
    template = golden_template()
    with override_settings(**SETTINGS):
        return base.made(GOLDEN, template)
