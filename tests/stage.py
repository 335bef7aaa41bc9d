"""The site that many tests begin with is made once a minute and copied: its rows, and what the lab holds.

It is copied only where the order would go the same way: where settings, rows and the whole state of the lab
are those before the order that was carried out. Otherwise it is carried out again.
"""

import copy
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from sites.connections import npm

FRESH = 60.0  # seconds: as old as a site may be that no test shall tell from a new one
OTHERS = ("auth_", "django_content_type", "django_session", "django_admin_log", "axes_", "otp_", "api_token")
ROOTS = ("proxmox.cluster", "npm.state", "cloudflare.state", "dns.names", "ispconfig.panel", "guest", "world")
ABOVE = ("_lab", "lab", "_store", "store")  # what leads out of them
VARIES = re.compile(r"[0-9a-f]{8,}|\d[\d.:T+-]*")

Rows = dict[str, list[tuple]]
Parts = dict[tuple[str, str], Any]


@dataclass(frozen=True)
class _Stage:
    """A live site: what the order changed in the lab and in tables, what was called and mailed, and how far
    it moved the clock."""

    made: float
    services: dict[str, Any]
    parts: Parts
    rows: Rows
    calls: list[tuple[str, str]]
    requests: dict[str, int]
    letters: list[Any]
    passed: Any


_stages: dict[tuple, _Stage] = {}


class Scene:
    """What a test has before an order with these `changes`. `test` has a lab, `calls` and a clock."""

    def __init__(self, test: Any, changes: dict[str, Any]) -> None:
        self._test, self._lab = test, test.lab
        self._called, self._mailed = len(test.calls), len(mail.outbox)
        with self._lab.lock:
            self._services = dict(_services(self._lab))
            self._told = {place: repr(part) for place, part in _parts(self._services)}
        self._rows = _rows()
        looks = {place: VARIES.sub("#", told) for place, told in self._told.items()}
        self._key = repr(sorted(changes.items())), _settings(self._lab), repr(looks), repr(self._rows)

    def copied(self) -> bool:
        """Whether the site is there, copied from one that was made not long ago."""
        stage = _stages.get(self._key)
        if not connection.in_atomic_block or stage is None or time.monotonic() > stage.made + FRESH:
            return False
        self._put_into_the_lab(stage)
        _replace(stage.rows)
        if any(system == "npm" for system, _ in stage.calls):
            npm().whoami()  # its client has logged in by now
        self._test.calls[self._called :] = stage.calls
        self._lab.requests.update(stage.requests)
        mail.outbox.extend(copy.deepcopy(stage.letters))
        self._test.clock.time = timezone.now() + stage.passed
        return True

    def keep(self, ordered: Any) -> None:
        """The site is live that was `ordered` at that time: let it be copied."""
        with self._lab.lock:
            changed = {p: part for p, part in _parts(self._services) if repr(part) != self._told.get(p)}
            parts = copy.deepcopy(changed, {id(service): service for service in self._services.values()})
        rows = {table: found for table, found in _rows().items() if found != self._rows[table]}
        _stages[self._key] = _Stage(
            time.monotonic(),
            self._services,
            parts,
            rows,
            self._test.calls[self._called :],
            dict(self._lab.requests),
            mail.outbox[self._mailed :],
            self._test.clock.time - ordered,
        )

    def _put_into_the_lab(self, stage: _Stage) -> None:
        ours = {id(theirs): self._services[path] for path, theirs in stage.services.items()}
        with self._lab.lock:
            for (path, name), part in copy.deepcopy(stage.parts, ours).items():
                there = getattr(self._services[path], name)
                if isinstance(part, dict | set):
                    there.clear()
                    there.update(part)
                elif isinstance(part, list | deque):
                    there.clear()
                    there.extend(part)
                else:
                    setattr(self._services[path], name, part)


def _services(lab: Any) -> Iterator[tuple[str, Any]]:
    """The objects of the lab that hold its state, by where they are."""
    seen: set[int] = set()
    left: list[tuple[str, Any]] = []
    for root in ROOTS:
        system, _, name = root.partition(".")
        left.append((root, getattr(getattr(lab, system), name) if name else getattr(lab, system)))
    while left:
        path, thing = left.pop()
        if id(thing) in seen or not type(thing).__module__.startswith("lab."):
            continue
        seen.add(id(thing))
        yield path, thing
        left += [(f"{path}.{name}", part) for name, part in vars(thing).items() if name not in ABOVE]


def _parts(services: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    """What may change in them: collections and numbers. Texts that stand alone are secrets and addresses, of
    which each lab has its own."""
    for path, thing in services.items():
        for name, part in vars(thing).items():
            if part is None or isinstance(part, dict | list | set | deque | int | float | count):
                yield (path, name), part


def _rows() -> Rows:
    """All rows, as the database's driver gives them; none of the staff, their sessions and tokens."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    with connection.cursor() as cursor:
        found = {}
        for table in tables:
            if not table.startswith(OTHERS):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
                found[table] = cursor.fetchall()
    return {table: list(rows) for table, rows in found.items()}


def _replace(tables: Rows) -> None:
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table, rows in tables.items():
            name = connection.ops.quote_name(table)
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
            if rows:
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {name} VALUES ({places})", rows)  # noqa: S608


def _settings(lab: Any) -> str:
    """All settings but those that lead to the lab."""
    names = sorted(name for name in dir(settings) if name.isupper())
    own = {name for name, value in lab.settings.items() if str(getattr(settings, name, "")) == str(value)}
    listed = {name for name, value in lab.settings.items() if getattr(settings, name, "") == value.split(",")}
    return repr([(name, getattr(settings, name)) for name in names if name not in own | listed])
