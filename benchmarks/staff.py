"""How long the pages of staff take with few rows and with many, and how many queries each makes.

    DATABASE_URL=mysql://… python benchmarks/staff.py [--sites 100 100000]

Fills two databases of its own (which are dropped afterwards), asks for every page as staff do, in the one and
in the other in turn, and prints the server's time at p95: the processor time of the page and the time it
waits for the database, but not for a processor that others use. A list that shows more rows among many is
asked for once more with a page of as many rows as it has among few ("as many"): the ratio is of that.

Exit code 1 when a page takes longer than 500 ms, takes more than twice as long with as many rows, or makes
more queries, and does so again when it is measured once more. All pages are judged.
"""

import argparse
import gc
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nodepoint.settings")

import django  # noqa: E402

django.setup()

from django.apps import apps  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

import lab  # noqa: E402
from benchmarks.cost import Cost, Desk, compare, desks  # noqa: E402
from benchmarks.rows import Filler  # noqa: E402
from nodepoint.jobs import lists as job_lists  # noqa: E402
from nodepoint.jobs.models import Job, JobStep  # noqa: E402
from nodepoint.notices.admin import State  # noqa: E402
from sites import connections, live  # noqa: E402
from sites.admin import lists as site_lists  # noqa: E402
from sites.models import Site  # noqa: E402
from tests.base import typed  # noqa: E402

LIMIT_MS, LIMIT_RATIO = 500.0, 2.0
SPARE_QUERIES = 4  # of what the board asks only where there is more than it shows
NETWORK = {
    "SITE_IP_RANGE": "10.0.0.0-10.3.255.255",
    "SITE_NETWORK": "10.0.0.0/8",
    "SITE_GATEWAY": "10.9.0.1",
}
J = Job.State
LISTS = (
    ("sites", "sites/site"),
    ("custom domains", "sites/customdomain"),
    ("jobs", "jobs/job"),
    ("zones", "dns/zone"),
    ("customers", "dns/customer"),
    ("support keys", "support/supportkey"),
    ("history of support keys", "support/historyentry"),
    ("log of acts", "audit/entry"),
    ("differences", "board/finding"),
    ("API calls", "board/callcount"),
    ("deliveries", "notices/notice"),
    ("alerts", "board/alert"),
)


def pages() -> Iterator[tuple[str, str]]:
    """Name and address of every page that is measured, by the rows that are there."""
    site = Site.objects.filter(state=Site.State.LIVE).order_by("pk")[10]
    job = Job.objects.filter(state=J.SUCCEEDED, kind="sites.provision").order_by("created_at")[0]
    yield "board", "/admin/"
    yield "board: jobs in flight", "/admin/board/systemstate/in-flight/"
    yield "board: what needs a human", "/admin/board/systemstate/needs/"
    for name, path in LISTS:
        yield f"list of {name}", f"/admin/{path}/"
        yield f"list of {name}, page 2", f"/admin/{path}/?p=2"
    yield from filtered(site)
    yield from searched(site, job)
    yield from single(site, job)
    yield "addresses", "/admin/sites/site/addresses/"


def filtered(site: Site) -> Iterator[tuple[str, str]]:
    """Lists by each of their questions, and by a choice of their fields."""
    for name, path, parameter, values in (
        ("sites", "sites/site", "attention", site_lists.Attention.questions),
        ("sites", "sites/site", "is", site_lists.Standing.questions),
        ("custom domains", "sites/customdomain", "attention", site_lists.DomainAttention.questions),
        ("jobs", "jobs/job", "attention", job_lists.Attention.questions),
    ):
        for value in values:
            yield f"{name}: {value}", f"/admin/{path}/?{parameter}={value}"
    month = f"created_at__gte={timezone.localdate() - timedelta(days=30)}+00:00:00%2B00:00"
    for name, path, chosen in (
        ("sites: of the last 30 days", "sites/site", month),
        ("sites: a plan and a node", "sites/site", f"plan__id__exact={site.plan_id}&node=node2"),
        ("sites by e-mail", "sites/site", "o=4"),
        ("custom domains: of the last 30 days", "sites/customdomain", month),
        ("jobs: of the last 30 days", "jobs/job", month),
        ("jobs: a kind", "jobs/job", "kind=sites.provision"),
        ("jobs: rolled back", "jobs/job", "state__exact=rolled_back"),
        ("zones: failed", "dns/zone", "state__exact=failed"),
        ("support keys: suspended", "support/supportkey", "status__exact=SUSPENDED"),
        ("history of support keys: rotated", "support/historyentry", "kind__exact=rotated"),
        ("log of acts: of staff", "audit/entry", "kind__exact=staff"),
        ("differences: suspended, but running", "board/finding", "kind__exact=runs"),
        ("API calls: refused", "board/callcount", "status__exact=4"),
        *((f"deliveries: {state}", "notices/notice", f"state={state}") for state in State.questions),
        ("deliveries: a rare kind", "notices/notice", "kind=notices.site_failed"),
        ("alerts: standing", "board/alert", "state=standing"),
    ):
        yield name, f"/admin/{path}/?{chosen}"


def searched(site: Site, job: Job) -> Iterator[tuple[str, str]]:
    """The search of the lists, and the search box."""
    last = Site.objects.filter(state=Site.State.LIVE).order_by("-vmid")[10]  # no user's id is so high
    for what, text in (
        ("service id", site.service_id),
        ("e-mail", site.email),
        ("address", site.private_ip),
        ("VMID", str(site.vmid)),
        ("VMID of no user", str(last.vmid)),
        ("subdomain", site.subdomain),
        ("domain", site.custom_domains.get().domain),
        ("beginning of many", "W0"),
        ("nothing", "no-such-thing"),
    ):
        yield f"search sites: {what}", f"/admin/sites/site/?q={text}"
        yield f"search box: {what}", f"/admin/board/systemstate/search/?s={text}"
    for name, path, text in (
        ("jobs: service id", "jobs/job", site.service_id),
        ("jobs: request", "jobs/job", job.request_id),
        ("custom domains", "sites/customdomain", site.service_id),
        ("zones", "dns/zone", "zone11.com"),
        ("customers", "dns/customer", "person11@"),
        ("support keys", "support/supportkey", site.service_id),
        ("the log of acts", "audit/entry", site.service_id),
        ("deliveries: e-mail", "notices/notice", site.email),
    ):
        yield f"search {name}", f"/admin/{path}/?q={text}"


def single(site: Site, job: Job) -> Iterator[tuple[str, str]]:
    """The page of one row of each kind."""
    failed = Job.objects.filter(state=J.ROLLED_BACK).order_by("created_at")[0]
    yield "site", f"/admin/sites/site/{site.pk}/change/"
    yield "job", f"/admin/jobs/job/{job.pk}/change/"
    yield "failed job", f"/admin/jobs/job/{failed.pk}/change/"
    for name, path in LISTS:
        if path not in ("sites/site", "jobs/job"):
            model = apps.get_model(path.replace("/", "."))
            yield f"one of {name}", f"/admin/{path}/{model.objects.order_by('pk')[10].pk}/change/"


def report(name: str, small: Cost, natural: Cost, equal: Cost) -> bool:
    """Print what a page costs; whether it is over a limit."""
    wrong = complaints(small, natural, equal)
    times = f"{small.ms:6.1f} ms {natural.ms:6.1f} ms  {_both(small.rows, natural.rows):7}"
    judged = f"{equal.ms:6.1f} ms  {equal.ms / small.ms:5.2f}  {_both(small.queries, equal.queries):7}"
    print(f"{name:37} {times} {judged} {', '.join(wrong)}".rstrip(), flush=True)
    return bool(wrong)


def complaints(small: Cost, natural: Cost, equal: Cost) -> list[str]:
    """What is wrong with a page: with its time as it is, or with what it costs with as many rows as among
    few sites."""
    wrong = []
    if natural.ms > LIMIT_MS:
        wrong.append(f"over {LIMIT_MS:.0f} ms")
    if equal.ms > LIMIT_RATIO * small.ms:
        wrong.append("more than doubled")
    if equal.rows != small.rows:
        wrong.append("not as many rows")
    if equal.queries > small.queries + SPARE_QUERIES:
        wrong.append("more queries")
    return wrong


def _both(small: int, large: int) -> str:
    return str(small) if small == large else f"{small}→{large}"


def fill(desk: Desk, count: int) -> dict[str, str]:
    """Write the rows of so many sites; the pages that are measured, by their names."""
    desk.use()
    begun = time.monotonic()
    Filler(count).fill()
    jobs, steps, seconds = Job.objects.count(), JobStep.objects.count(), time.monotonic() - begun
    print(f"{count:,} sites, {jobs:,} jobs, {steps:,} steps: filled in {seconds:.0f} s", flush=True)
    return dict(pages())


def measure(few: Desk, many: Desk, sizes: list[int]) -> int:
    """Fill both, compare every page, and print. How many are over a limit."""
    of_few, of_many = fill(few, sizes[0]), fill(many, sizes[1])
    gc.collect(), gc.freeze()  # as in a web process (nodepoint/web/server.py)
    headings = f"{sizes[0]:>9,} {sizes[1]:>9,}  {'rows':7} {'as many':>9}  ratio  queries"
    print(f"{'page':37} {headings}")
    over, slowest, steepest = 0, (0.0, ""), (0.0, "")
    for name, path in of_many.items():
        small, natural, equal = compare(few, of_few[name], many, path)
        if report(name, small, natural, equal):  # once more: on a busy machine one in some fifty is chance
            small, natural, equal = compare(few, of_few[name], many, path)
            over += report(f"{name}, again", small, natural, equal)
        slowest = max(slowest, (natural.ms, name))
        steepest = max(steepest, (equal.ms / small.ms, name))
    print(f"{len(of_many)} pages, {over} over a limit. The slowest: {slowest[0]:.0f} ms, {slowest[1]}.")
    print(f"The largest ratio: {steepest[0]:.2f}, {steepest[1]}.")
    return over


def main() -> int:
    """Measure both sizes. The systems are the lab's: pages that read them do."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sites", type=int, nargs=2, default=[100, 100_000])
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    simulated = lab.start(speed=0.0)
    try:
        with override_settings(ALLOWED_HOSTS=["*"], **{**typed(simulated.settings), **NETWORK}):
            connections.forget(), live.forget()
            with desks("few", "many") as (few, many):
                return 1 if measure(few, many, options.sites) else 0
    finally:
        simulated.stop()


if __name__ == "__main__":
    sys.exit(main())
