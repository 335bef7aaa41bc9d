"""What one more order costs the product in processor time: the request, engine, steps and clients.

    .venv/bin/python benchmarks/engine.py [--orders 30] [--profile 40] [--json]

The lab is another process, so its own work is not counted; it needs no time for anything, and the jobs are
called in this process by a clock that is moved, as in tests. Printed are milliseconds of this process and
statements of the database for an order, with those that a step's call makes, and with `--profile` what took
the time. The database is that of DATABASE_URL with `test_` before its name, as tests have it.
"""

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nodepoint.settings")

ADDRESS = "203.0.113.10"
WARM = 5  # orders before: imports, connections, and durations that are learnt


@contextmanager
def a_lab(speed: float = 0.0):
    """A lab in a process of its own; yields the settings that lead to it. `speed`: 1 is life-like, 0 takes no
    time."""
    with tempfile.TemporaryDirectory() as name:
        told = Path(name) / "lab.json"
        process = subprocess.Popen(
            [sys.executable, "-m", "lab", "--data", name, "--speed", str(speed)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            while not told.exists():
                time.sleep(0.05)
            yield json.loads(told.read_text())["settings"]
        finally:
            process.terminate()
            process.wait(30)


class Orders:
    """Orders one site after the other, and carries each out."""

    def __init__(self) -> None:
        from django.test import Client

        from nodepoint.api.models import Token

        self.client, self.number = Client(), 0
        _, secret = Token.issue("benchmark", ["sites"], rate_per_minute=0)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def one(self) -> int:
        """A site from its order to its snapshot; returns how many calls of steps that took."""
        from nodepoint.jobs.testing import MovedClock, run_until_idle

        self.number += 1
        name = f"b{self.number}"
        body = {
            "service_id": name,
            "email": f"{name}@example.com",
            "plan": "basic",
            "public_ip": ADDRESS,
        }
        answer = self.client.post("/create-site", body, content_type="application/json", headers=self.headers)
        if answer.status_code != 200:
            raise SystemExit(answer.content.decode())
        return run_until_idle(MovedClock())


@contextmanager
def counted_calls():
    """Counts the calls to other systems in the block, by system."""
    from nodepoint.clients.line import Line
    from sites.clients.console import Console

    asked: Counter[str] = Counter()
    request, run = Line.request, Console.run

    def http(line, *arguments, **options):
        asked[line._system] += 1
        return request(line, *arguments, **options)

    def ssh(console, *arguments, **options):
        asked["ssh"] += 1
        return run(console, *arguments, **options)

    with mock.patch.object(Line, "request", http), mock.patch.object(Console, "run", ssh):
        yield asked


def measure(count: int, lines: int) -> dict[str, Any]:
    """Order, and tell what an order took: `ms`, `calls` of steps, `statements` and remote `asked` by kind."""
    from django.db import connection

    orders, statements = Orders(), Counter()

    def note(execute, sql, params, many, context):
        statements[sql.split(maxsplit=1)[0]] += 1
        return execute(sql, params, many, context)

    for _ in range(WARM):
        orders.one()
    profile = cProfile.Profile(time.process_time)
    if lines:
        profile.enable()
    begun = time.process_time()
    calls = [orders.one() for _ in range(count)]
    took = (time.process_time() - begun) / count
    profile.disable()
    with connection.execute_wrapper(note), counted_calls() as asked:
        orders.one()
    if lines:
        pstats.Stats(profile).sort_stats("tottime").print_stats(lines)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(2 * lines)
    counts = {"statements": dict(statements), "asked": dict(asked)}
    return {"database": connection.vendor, "ms": took * 1000, "calls": sum(calls) / count, **counts}


def main() -> None:
    """Measure with a database of its own and a fresh lab."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=30)
    parser.add_argument("--profile", type=int, default=0, metavar="LINES")
    parser.add_argument("--json", action="store_true", help="print the figures for a program")
    options = parser.parse_args()
    import django

    django.setup()
    import logging

    from django.test import override_settings
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    from tests.base import typed

    logging.disable(logging.CRITICAL)
    setup_test_environment()
    with ExitStack() as end:
        settings = end.enter_context(a_lab())
        end.enter_context(override_settings(**typed(settings)))
        made = setup_databases(verbosity=0, interactive=False)
        end.callback(teardown_databases, made, verbosity=0)
        found = measure(options.orders, options.profile)
    if options.json:
        print(json.dumps(found))
    else:
        total = sum(found["statements"].values())
        print(
            f"{found['database']}: {found['ms']:.0f} ms of the processor an order, {found['calls']:.1f} "
            f"calls of steps, {total} statements {found['statements']}, to other systems {found['asked']}"
        )


if __name__ == "__main__":
    main()
