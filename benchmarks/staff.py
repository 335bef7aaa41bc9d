"""How long the pages of staff take with few rows and with many, and how many queries each makes.

    DATABASE_URL=mysql://… python benchmarks/staff.py [--sites 100 100000] [--repeats 20]

Fills the tables of a database of its own (it is emptied before and after), asks for every page as staff do,
and prints the server's time at p95 for each size, and their ratio: the processor time of the page and the
time it waits for the database, but not for a processor that others use. Exit code 1 when a page takes longer
than 500 ms, its time more than doubles from few to many, or its number of queries is not the same.
"""

import argparse
import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nodepoint.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, get_runner, override_settings, setup_test_environment  # noqa: E402

import lab  # noqa: E402
from benchmarks.rows import Filler  # noqa: E402
from dns.models import Zone  # noqa: E402
from nodepoint.jobs.models import Job, JobStep  # noqa: E402
from sites import connections, live  # noqa: E402
from sites.models import Site  # noqa: E402
from tests.base import typed  # noqa: E402

LIMIT_MS, LIMIT_RATIO = 500.0, 2.0
NOISE_MS = 80.0  # below this a ratio tells of the garbage collector and the neighbours
SPARE_QUERIES = 4  # what is asked only where there is something: the rest of a group, its names
NETWORK = {
    "SITE_IP_RANGE": "10.0.0.0-10.3.255.255",
    "SITE_NETWORK": "10.0.0.0/8",
    "SITE_GATEWAY": "10.9.0.1",
}
J = Job.State


def pages() -> Iterator[tuple[str, str]]:
    """Name and address of every page that is measured, by the rows that are there."""
    site = Site.objects.filter(state=Site.State.LIVE).order_by("pk")[10]
    job = Job.objects.filter(state=J.SUCCEEDED).order_by("pk").first()
    failed = Job.objects.filter(state=J.ROLLED_BACK).order_by("pk").first()
    zone = Zone.objects.order_by("pk").first()
    yield "board", "/admin/"
    yield "board: jobs in flight", "/admin/board/systemstate/in-flight/"
    yield "board: what needs a human", "/admin/board/systemstate/needs/"
    for name, path in (
        ("sites", "sites/site"),
        ("custom domains", "sites/customdomain"),
        ("jobs", "jobs/job"),
        ("zones", "dns/zone"),
        ("customers", "dns/customer"),
        ("support keys", "support/supportkey"),
        ("log of acts", "audit/entry"),
        ("differences", "board/finding"),
        ("API calls", "board/callcount"),
    ):
        yield f"list of {name}", f"/admin/{path}/"
        yield f"list of {name}, page 3", f"/admin/{path}/?p=2"
    for attention in ("failed", "stuck", "busy", "suspended_running", "differs", "over_quota", "slow"):
        yield f"sites: {attention}", f"/admin/sites/site/?attention={attention}"
    for state in ("live", "suspended", "deleted", "provisioning"):
        yield f"sites: {state}", f"/admin/sites/site/?is={state}"
    yield "sites: a plan and a node", f"/admin/sites/site/?plan__id__exact={site.plan_id}&node=node2"
    for attention in ("alive", "stuck", "failed", "failed_lately", "warning", "slow"):
        yield f"jobs: {attention}", f"/admin/jobs/job/?attention={attention}"
    yield "jobs: a kind", "/admin/jobs/job/?kind=sites.provision"
    yield "jobs: rolled back", "/admin/jobs/job/?state__exact=rolled_back"
    for what, text in (
        ("service id", site.service_id),
        ("e-mail", site.email),
        ("address", site.private_ip),
        ("VMID", str(site.vmid)),
        ("subdomain", site.subdomain),
        ("domain", site.custom_domains.get().domain),
        ("beginning of many", "W0"),
        ("nothing", "no-such-thing"),
    ):
        yield f"search sites: {what}", f"/admin/sites/site/?q={text}"
        yield f"search box: {what}", f"/admin/board/systemstate/search/?s={text}"
    yield "search jobs: service id", f"/admin/jobs/job/?q={site.service_id}"
    yield "search jobs: request", f"/admin/jobs/job/?q={job.request_id}"
    yield "site", f"/admin/sites/site/{site.pk}/change/"
    yield "job", f"/admin/jobs/job/{job.pk}/change/"
    yield "failed job", f"/admin/jobs/job/{failed.pk}/change/"
    yield "addresses", "/admin/sites/site/addresses/"
    yield "zone", f"/admin/dns/zone/{zone.pk}/change/"


@dataclass(frozen=True)
class Cost:
    """Of a page: milliseconds at p95, queries, and how many rows of a list it shows."""

    ms: float
    queries: int
    rows: int


def measure(repeats: int) -> dict[str, Cost]:
    """What each page costs."""
    client = Client()
    user, _ = get_user_model().objects.get_or_create(
        username="benchmark", defaults={"is_staff": True, "is_superuser": True}
    )
    client.force_login(user)
    return {name: _measure(client, path, repeats) for name, path in pages()}


def _measure(client: Client, path: str, repeats: int) -> Cost:
    for _ in range(2):  # what is read once in a process is not the page's
        answer = client.get(path)
        if answer.status_code not in (200, 302):
            raise SystemExit(f"{path}: {answer.status_code} {answer.content[:300]}")
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    queries = len(captured)  # before another request forgets them
    listed = (answer.context or {}).get("cl")
    times = sorted(_server_ms(client, path) for _ in range(repeats))
    p95 = times[max(0, -(-len(times) * 95 // 100) - 1)]
    return Cost(p95, queries, len(listed.result_list) if listed else 0)


def _server_ms(client: Client, path: str) -> float:
    waited = 0.0

    def wait(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal waited
        begun, own = time.perf_counter(), time.process_time()
        try:
            return execute(*arguments)
        finally:
            waited += time.perf_counter() - begun - (time.process_time() - own)

    begun = time.process_time()
    with connection.execute_wrapper(wait):
        client.get(path)
    return (time.process_time() - begun + waited) * 1000


def report(few: dict[str, Cost], many: dict[str, Cost], sizes: list[int]) -> int:
    """Print both beside one another; how many pages are over a limit."""
    print(f"{'page':38} {sizes[0]:>10,} {sizes[1]:>10,}  ratio  queries  rows")
    over = 0
    for name, large in many.items():
        small = few[name]
        wrong = complaints(small, large)
        over += bool(wrong)
        counts = f"{_both(small.queries, large.queries):8} {_both(small.rows, large.rows):9}"
        times = f"{small.ms:7.1f} ms {large.ms:7.1f} ms  {large.ms / small.ms:5.2f}"
        print(f"{name:38} {times}  {counts}{', '.join(wrong)}".rstrip())
    worst = max(cost.ms for cost in many.values())
    pairs = [(name, few[name], large) for name, large in many.items() if _compared(few[name], large)]
    ratio, name = max(((large.ms / small.ms, name) for name, small, large in pairs), default=(0.0, "none"))
    print(f"{len(many)} pages, {over} over a limit; the slowest takes {worst:.0f} ms at p95.")
    print(f"{len(pairs)} show as many rows and take over {NOISE_MS:.0f} ms: at most {ratio:.2f}, {name}.")
    return over


def complaints(small: Cost, large: Cost) -> list[str]:
    """What is wrong with a page. Its times are compared only where it shows as many rows; its queries where
    both show some, or none."""
    wrong = []
    if large.ms > LIMIT_MS:
        wrong.append(f"over {LIMIT_MS:.0f} ms")
    if _compared(small, large) and large.ms > LIMIT_RATIO * small.ms:
        wrong.append("more than doubled")
    if bool(small.rows) == bool(large.rows) and large.queries > small.queries + SPARE_QUERIES:
        wrong.append("more queries")
    return wrong


def _compared(small: Cost, large: Cost) -> bool:
    """Whether its times tell anything: it shows as many rows, and takes longer than noise does."""
    return small.rows == large.rows and large.ms > NOISE_MS


def _both(small: int, large: int) -> str:
    return str(small) if small == large else f"{small}→{large}"


def measure_at(count: int, repeats: int) -> dict[str, Cost]:
    """Milliseconds and queries of each page with so many sites, in a database of its own. The systems are the
    lab's: pages that read them do."""
    simulated = lab.start(speed=0.0)
    runner = get_runner(settings)(verbosity=0, interactive=False)
    with override_settings(ALLOWED_HOSTS=["*"], **{**typed(simulated.settings), **NETWORK}):
        connections.forget(), live.forget()
        databases = runner.setup_databases()
        try:
            begun = time.monotonic()
            Filler(count).fill()
            gc.collect(), gc.freeze()  # as in a web process (nodepoint/api/server.py)
            jobs, steps, seconds = Job.objects.count(), JobStep.objects.count(), time.monotonic() - begun
            print(f"{count:,} sites, {jobs:,} jobs, {steps:,} steps: filled in {seconds:.0f} s", flush=True)
            return measure(repeats)
        finally:
            runner.teardown_databases(databases)
            simulated.stop()


def main() -> int:
    """Measure both sizes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sites", type=int, nargs=2, default=[100, 100_000])
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    setup_test_environment(debug=False)
    few, many = (measure_at(count, options.repeats) for count in options.sites)
    return 1 if report(few, many, options.sites) else 0


if __name__ == "__main__":
    sys.exit(main())
