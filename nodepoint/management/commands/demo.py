"""`manage.py demo`: NodePoint with simulated infrastructure, from nothing to a live site.

This process only supervises. Settings are read at import, so all that needs the demo's settings (and not
those of a `.env` that may stand here) runs in children, with an environment made here.
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from nodepoint import env
from nodepoint.api.models import SCOPES, Token
from nodepoint.management.commands.serve import manage, web
from nodepoint.management.local import (
    NotToBeHad,
    claim,
    given_environment,
    last_line,
    listen,
    read_json,
    write_private,
)
from nodepoint.management.portal import NoAnswer, Portal, PortalError
from nodepoint.management.screen import Screen
from nodepoint.supervisor import CallFailed, Child, Stopped, Supervisor

ADMIN = "demo"
GRACE = 8  # seconds; all that a demo loses by SIGKILL is the end of a call, which the next run repeats
START_SECONDS = 60  # in which lab and web server have to answer
FILL_SECONDS = 300  # in which a container is made ready
READY = 'nodepoint_pool{state="ready"}'
DEATHS = 3  # of a child before it ever answered, after which another try is in vain
ENDED = {"succeeded", "failed", "rolled_back", "cancelled"}


class DemoFailed(Exception):
    """The demo cannot go on; the text is one sentence that says why."""


class Demo:
    """One demo on one data folder: `start`, then `order`."""

    def __init__(self, supervisor: Supervisor, screen: Screen, data: Path, port: int, speed: str) -> None:
        self.supervisor = supervisor
        self.screen = screen
        self.data = data
        self.listener = listen("127.0.0.1", port)
        self.speed = speed
        self.url = f"http://127.0.0.1:{port}"
        self.file = data / "demo.json"
        self.before = read_json(self.file)
        self.settings = own_settings(data)
        self.lab_url = ""
        self.trouble = ""

    @property
    def env(self) -> dict[str, str]:
        """The children's environment: the user's own settings before ours."""
        # A `.env` may name files for settings (NAME_FILE), and those would win.
        no_files = {f"{name}_FILE": "" for name in self.settings}
        return no_files | self.settings | given_environment() | {"NODEPOINT_DATA": str(self.data)}

    def start(self) -> None:
        """Start everything, and describe it in demo.json as soon as the web server answers."""
        self.file.unlink(missing_ok=True)  # it is there when the server answers, and not before
        log = self.data / "log"
        lab = [sys.executable, "-m", "lab", "--data", str(self.data / "lab"), "--speed", self.speed]
        self.supervisor.start(Child("lab", lab, log=log / "lab.log", ends_last=True))
        keys = self.prepare()
        self.take_settings(self.wait("lab", self.look_for_lab))
        for child in web(self.listener, GRACE):
            self.supervisor.start(replace(child, env=self.env, log=log / "web.log"))
        self.supervisor.start(Child("worker", manage("worker"), self.env, log / "worker.log"))
        self.portal = Portal(self.url, keys["token"])
        self.wait("web", self.portal.is_up)
        places = {"url": self.url, "admin_url": f"{self.url}/admin/", "lab_url": self.lab_url}
        write_private(self.file, json.dumps(places | keys, indent=2) + "\n")

    def prepare(self) -> dict[str, str]:
        """Bring the database up to date; credentials that work, those of an earlier run if they still do."""
        password = self.before.get("admin_password") or secrets.token_urlsafe(12)
        known = {"DEMO_PASSWORD": password, "DEMO_TOKEN": self.before.get("token", "")}
        token = self.supervisor.call(manage("demo", "--prepare"), self.env | known).strip()
        return {"token": token, "admin_user": ADMIN, "admin_password": password}

    def take_settings(self, lab: dict[str, Any]) -> None:
        """Add the settings that point at the lab, and keep all of them for manage.py by hand on this data."""
        self.lab_url = lab["lab_url"]
        self.settings |= lab["settings"]
        lines = [f"{name}='{self.env[name]}'\n" for name in sorted(self.settings)]
        write_private(self.data / "demo.env", "".join(lines))

    def look_for_lab(self) -> dict[str, Any] | None:
        """The lab's own description; None when there is none yet, or one of an earlier lab."""
        lab = read_json(self.data / "lab" / "lab.json")
        return lab if lab and lab["pid"] == self.supervisor.pid("lab") else None

    def await_ready_container(self) -> bool:
        """Wait until the next order would find a ready container; whether there is one in time."""
        deadline = time.monotonic() + FILL_SECONDS
        while not self.ask(lambda: (self.portal.metric(READY) or 0.0, "asked"))[0]:
            if time.monotonic() > deadline:
                return False
            self.supervisor.tick(0.5)
        return True

    def order(self) -> dict[str, Any] | None:
        """Order a site as a billing portal does and show its job; its status when it is live, else None."""
        service = f"demo-{time.strftime('%Y%m%d-%H%M%S')}"
        order = {
            "service_id": service,
            "email": "demo@example.com",
            "plan": "basic",
            "public_ip": "203.0.113.10",
        }
        answer = self.ask(lambda: self.portal.post("/create-site", service, **order))
        path = f"/jobs/{answer['job']['id']}"
        while True:
            job = self.ask(lambda: self.portal.get(path))["job"]
            self.screen.bar(job)
            site = self.ask(lambda: self.portal.get("/status", service_id=service))
            if site["status"] == "running":
                self.screen.bar(job | {"percent": 100, "step": "The site is live", "eta_seconds": None})
                return site
            if job["state"] in ENDED:
                self.screen.say(f"The order did not succeed: {job['error'] or job['state']}")
                return None
            self.supervisor.tick(0.2)

    def ask(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer of our API; asked again while there is none, as when the web server is restarted."""

        def attempt() -> dict[str, Any] | None:
            try:
                return call()
            except NoAnswer as error:
                self.trouble = str(error)
                return None

        return self.wait("web", attempt)

    def wait(self, name: str, look: Callable[[], Any]) -> Any:
        """What `look` finds, asked again until it is something; if it never is, `name` is to blame."""
        deadline = time.monotonic() + START_SECONDS
        self.trouble = "it did not answer"
        log = self.data / "log" / f"{name}.log"
        process = "web-1" if name == "web" else name
        while not (found := look()):
            if time.monotonic() > deadline:
                raise DemoFailed(f"{name}: {self.trouble} for {START_SECONDS} s; see {log}")
            in_vain = self.supervisor.deaths(process) >= DEATHS or self.supervisor.misconfigured(process)
            if not self.file.exists() and in_vain:
                raise DemoFailed(f"{name} does not start; see {log}, which ends: {last_line(log)}")
            self.supervisor.tick()
        return found


def lab_speed() -> str:
    """LAB_SPEED, the factor on the lab's durations."""
    speed = env.text("LAB_SPEED", "0.2")
    try:
        factor = float(speed)
    except ValueError:
        factor = -1.0
    if not 0 <= factor < float("inf"):
        raise DemoFailed(f"LAB_SPEED must be a number from 0 on, not {speed!r}.")
    return speed


def own_settings(data: Path) -> dict[str, str]:
    """What the demo needs beside the lab's settings, and what a `.env` of production must not change."""
    return {
        "DATABASE_URL": f"sqlite:///{quote(str(data))}/nodepoint.sqlite3",
        "QUEUE_BROKER": "orm",
        "EMAIL_URL": f"filemail:///{quote(str(data))}/mail",
        "STAFF_EMAIL": "staff@example.com",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "BEHIND_TLS": "false",
        "STAFF_TWO_FACTOR": "optional",
        "DEBUG": "false",
        "PROXY_IP": "203.0.113.10",
        "PROXMOX_CREATES": "64",
        "POOL_SIZE": "1",
        "PROXMOX_POOL": "",
        "SITE_SMTP_URL": "",
    }


class Command(BaseCommand):
    """The command line of the demo."""

    help = "Run NodePoint with simulated infrastructure and order a site; stays up until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--exit", action="store_true", help="stop after the site is live (exit code 0, else 1)"
        )
        parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)

    def handle(self, **options: bool) -> None:
        if options["prepare"]:
            self.stdout.write(prepare(os.environ["DEMO_PASSWORD"], os.environ["DEMO_TOKEN"]))
            return
        screen = Screen(sys.stdout)
        try:
            live = self.run(screen, options["exit"])
        except (DemoFailed, NotToBeHad, CallFailed, PortalError) as error:
            sys.exit(f"demo: {error}")
        except Stopped:
            live = not options["exit"]
        if not live:
            sys.exit(1)

    def run(self, screen: Screen, leave: bool) -> bool:
        """Start everything and order a site; whether it is live. Unless `leave`: stay until a signal."""
        data = settings.NODEPOINT_DATA
        port = settings.NODEPOINT_PORT
        speed = lab_speed()
        lock = claim(data)
        with Supervisor(report=screen.say, grace=GRACE, cwd=settings.BASE_DIR) as supervisor:
            demo = Demo(supervisor, screen, data, port, speed)
            screen.say(f"Starting simulated infrastructure (speed {speed}), web server and workers")
            demo.start()
            screen.say(f"NodePoint answers at {demo.url}; ordering a site")
            began = time.monotonic()
            try:
                site = demo.order()
            except (DemoFailed, PortalError) as error:
                screen.say(f"The order did not succeed: {error}")
                site = None
            if site:
                seconds = time.monotonic() - began
                screen.say(summary(demo, site, seconds))
            if not leave:
                screen.say("Ctrl-C ends it.")
                if site and "POOL_SIZE" not in given_environment():  # who sets it looks for himself
                    compare(demo, screen, seconds)
                supervisor.run()
        os.close(lock)
        return bool(site)


def compare(demo: Demo, screen: Screen, seconds: float) -> None:
    """Order once more when a container waits for it, beside the first order's seconds."""
    screen.say("A container is being made ready for the next order (docs/pool.md).")
    try:
        if not demo.await_ready_container():
            screen.say("None is ready yet: the next order goes the ordinary way.")
            return
        began = time.monotonic()
        if site := demo.order():
            pooled = time.monotonic() - began
            screen.say(
                f"{site['url']} is live, {pooled:.1f} s after the order: the first took {seconds:.1f} s."
            )
    except (DemoFailed, PortalError) as error:
        screen.say(f"The second order did not succeed: {error}")


def summary(demo: Demo, site: dict[str, Any], seconds: float) -> str:
    """What there is to look at."""
    return f"""
{site["url"]} is live, {seconds:.1f} s after the order (container {site["vmid"]}, {site["private_ip"]})
  admin     {demo.url}/admin/   user {ADMIN}, password in {demo.file}
  site      curl -k --connect-to ::{demo.settings["PROXY_CHECK_ADDRESS"]} {site["url"]}
  API       {demo.url}/docs   token in {demo.file}
  mail      {demo.data}/mail   what customers and staff would have got
  logs      {demo.data}/log
"""


def prepare(password: str, token: str) -> str:
    """Make tables, the staff user with this password, and a token with every scope; returns the token.

    The given one, if it can be used; runs in a child with the demo's settings.
    """
    call_command("migrate", interactive=False, verbosity=0)
    user, _ = get_user_model().objects.get_or_create(
        username=ADMIN, defaults={"email": "staff@example.com", "is_staff": True, "is_superuser": True}
    )
    if not user.check_password(password):  # setting the same one again would end the staff's sessions
        user.set_password(password)
        user.save()
    known = Token.of(token)
    if known and set(known.scopes) == set(SCOPES):
        return token
    return Token.issue(f"demo {time.strftime('%Y-%m-%d %H:%M:%S')}", SCOPES, rate_per_minute=0)[1]
