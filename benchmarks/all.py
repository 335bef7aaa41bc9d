"""Every benchmark that docs/performance.md has a table of, and the tables themselves.

    script/benchmarks [--short] [--slack 0.33] [PART...]

Each part measures ratios within one run, prints them beside their goals, and puts its tables between the
comments of the page that carry their names. `--short` writes nothing: a few orders and small databases, in a
minute, for continuous integration. Exit code 1: a figure is worse than its goal by more than `--slack`.

`script/benchmarks` lends a MariaDB for it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import api, hosts, idle, orders, seconds  # noqa: E402
from benchmarks.tables import Goal, judged, markdown, write  # noqa: E402

Tables = dict[str, list[list[str]]]
PROCESSOR_MS = 100.0  # of one more order: what bounds 500 of them at once
STATEMENTS, ASKED = 220, 40  # of one more order


@contextmanager
def on_sqlite() -> Iterator[None]:
    """Programs that are started in the block have a SQLite of their own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/db.sqlite3"
        with mock.patch.dict(os.environ, {"NODEPOINT_DATA": folder, "DATABASE_URL": url}):
            yield


def an_order(short: bool) -> tuple[Tables, list[Goal]]:
    """What one more order costs the product, and how often it calls each system."""
    command = [sys.executable, "benchmarks/engine.py", "--json", "--orders", "10" if short else "40"]
    with on_sqlite():
        said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = json.loads(said.splitlines()[-1])
    rows = [
        ["of one more order", "figure"],
        ["processor time of the product", f"{found['ms']:.0f} ms"],
        ["calls of steps", f"{found['calls']:.0f}"],
        ["statements of the database", str(sum(found["statements"].values()))],
        *([f"calls to {system}", str(count)] for system, count in sorted(found["asked"].items())),
    ]
    statements, asked = sum(found["statements"].values()), sum(found["asked"].values())
    goals = [
        Goal("statements of the database for one more order", statements, most=STATEMENTS),
        Goal("calls to other systems for one more order", asked, most=ASKED),
    ]
    if not short:  # no ratio: who runs the short form may have a slower machine
        goals.append(Goal("ms of the processor for one more order", found["ms"], most=PROCESSOR_MS))
    return {"an order": rows}, goals


def calls(short: bool) -> tuple[Tables, list[Goal]]:
    """The API over a bare view, on both databases."""
    sizes, rounds = ([100, 2_000], 200) if short else ([100, 10_000, 100_000], 1_000)
    with on_sqlite():
        rows, goals = api.run(sizes, rounds)
    tables = {"API on SQLite": rows}
    if short:  # of so few calls p99 is chance
        return tables, [one for one in goals if one.least]
    tables["API on MariaDB"], others = api.run(sizes, rounds)
    goals += [Goal(f"MariaDB: {one.name}", one.reached, one.least, one.most) for one in others]
    return tables, goals


def at_rest(short: bool) -> tuple[Tables, list[Goal]]:
    """Queries of a host at rest, and the memory of its processes."""
    rows, goals = idle.run(6 if short else 24, 0 if short else 200)
    if short:  # a minute is too short for what comes each minute or two
        goals = goals[:1]
    return {"memory": rows}, goals


def bursts(short: bool) -> tuple[Tables, list[Goal]]:
    """Orders over their critical path: alone, and many at once."""
    with mock.patch.dict(os.environ):
        os.environ.pop("DATABASE_URL", None)  # the demo has its own
        return orders.run([1, 60, 200, 500], slots=3)


def two_hosts(short: bool) -> tuple[Tables, list[Goal]]:
    """Two worker hosts over one."""
    rows, goals = hosts.run(40, 3)
    return {"hosts": rows}, goals


def a_cold_order(short: bool) -> tuple[Tables, list[Goal]]:
    """Where each of its seconds goes."""
    with mock.patch.dict(os.environ):
        os.environ.pop("DATABASE_URL", None)  # the demo has its own
        rows, goals = seconds.run(1.0, 3)
    return {"a cold order": rows}, goals


PARTS: dict[str, Callable[[bool], tuple[Tables, list[Goal]]]] = {
    "order": an_order,
    "api": calls,
    "rest": at_rest,
    "hosts": two_hosts,
    "cold": a_cold_order,
    "bursts": bursts,
}
LONG = {"hosts", "cold", "bursts"}  # parts that no minute is enough for


def main() -> int:
    """Measure the parts that were named, else all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--slack", type=float, default=1 / 3)
    options = parser.parse_args()
    missed = 0
    for name in options.parts or [name for name in PARTS if not (options.short and name in LONG)]:
        tables, goals = PARTS[name](options.short)
        for place, rows in tables.items():
            print(f"\n{markdown(rows)}")
            if not options.short:
                write(place, markdown(rows))
        missed += judged(goals, options.slack)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
