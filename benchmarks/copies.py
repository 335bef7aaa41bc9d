"""A hundred thousand sites in seconds: a part of them as `rows.Filler` writes it, and copies of that which
the database makes itself."""

from django.db import connection, models

from benchmarks.rows import Filler
from nodepoint.jobs.models import Job, JobStep
from sites.models import Backup, CustomDomain, Site, SiteUsage

BLOCK = 2000  # sites; the filler's few special ones come again after as many


def fill(sites: int) -> None:
    """So many sites with their domains, backups, usage and jobs: up to BLOCK, or a multiple of it. ValueError
    for other numbers."""
    if sites > BLOCK and sites % BLOCK:
        raise ValueError(f"{sites} is no multiple of {BLOCK}")
    Filler(min(sites, BLOCK)).fill_sites()
    first, jobs = Site.objects.order_by("pk").values_list("pk", flat=True)[0], Job.objects.count()
    there, wanted = 1, max(1, sites // BLOCK)
    while there < wanted:
        _copy(first, jobs, there, min(there, wanted - there))
        there *= 2


def _copy(first: int, jobs: int, there: int, blocks: int) -> None:
    """Copy the first `blocks` of the blocks that are there behind them. `first`: key of the first site."""
    ahead, until = there * BLOCK, first + blocks * BLOCK
    number = f"(id - {first} + {ahead})"
    address = _text("10.", f"({number} >> 16)", ".", f"(({number} >> 8) & 255)", ".", f"({number} & 255)")
    name = _text("W", _padded(number, 6))
    site = {"id": f"id + {ahead}", "service_id": name, "live_key": _if("live_key", name)}
    site |= {"vmid": f"vmid + {ahead}", "private_ip": _if("private_ip", address)}
    site |= {"subdomain": _if("subdomain", _text("customer", number))}
    _double(Site, site, f"id < {until}")
    of_site = {"site_id": f"site_id + {ahead}"}
    shop = _text("shop", f"(site_id - {first} + {ahead})", ".example.org")
    _double(CustomDomain, of_site | {"domain": shop}, f"site_id < {until}")
    _double(Backup, of_site, f"site_id < {until}")
    _double(SiteUsage, of_site, f"site_id < {until}")
    later, last = there * jobs, f"'{blocks * jobs:032d}'"
    subject = _text("sites.site:", f"(SUBSTR(subject, 12) + {ahead})")
    job = {"id": _padded(f"(id + {later})", 32), "subject": subject, "active_key": _if("active_key", subject)}
    _double(Job, job, f"id < {last}")
    _double(JobStep, {"job_id": _padded(f"(job_id + {later})", 32)}, f"job_id < {last}")


def _double(model: type[models.Model], changed: dict[str, str], which: str) -> None:
    """Copy rows; `changed`: SQL for columns that are others in the copy. Keys that the database gives are
    new."""
    columns = [field.column for field in model._meta.local_concrete_fields]
    columns = [one for one in columns if one != "id" or one in changed]
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    values = ", ".join(changed.get(one, quote(one)) for one in columns)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {which}")  # noqa: S608


def _text(*parts: str) -> str:
    """SQL for a text; parts in brackets or of functions are SQL themselves, others are text."""
    sql = [one if one.startswith("(") or "(" in one else f"'{one}'" for one in parts]
    return f"CONCAT({', '.join(sql)})" if connection.vendor == "mysql" else f"({' || '.join(sql)})"


def _padded(number: str, width: int) -> str:
    """SQL for a number with leading zeros."""
    return (
        f"LPAD(CAST({number} AS CHAR), {width}, '0')"
        if connection.vendor == "mysql"
        else f"printf('%0{width}d', {number})"
    )


def _if(column: str, sql: str) -> str:
    """SQL that is NULL where the column is."""
    return f"CASE WHEN {column} IS NULL THEN NULL ELSE {sql} END"
