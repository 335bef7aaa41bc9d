"""Acts of billing and of customers, by the API."""

from dns.models import Customer
from nodepoint.jobs.models import Job
from sites.archives.rows import Archive
from sites.models import Backup, Site
from support.models import SupportKey
from tests.histories.acts import CUSTOMER, ON, WHICH, act, any_service, one_of, service, user
from tests.histories.people import ARCHIVE, DOMAINS, EMAILS, PROXY, ZONES
from tests.histories.world import Broken, Promise, World

PLANS = ("basic", "standard", "premium")


@act(3, who=CUSTOMER, plan=PLANS, twice=ON)
def order(world: World, who: int, plan: str, twice: bool) -> None:
    """`twice`: billing has not heard the answer and asks again."""
    name = any_service(who)
    names = {"service_id": name, "email": EMAILS[who], "user_id": user(who)}
    answers = [
        world.post(name, "/create-site", **names, plan=plan, public_ip=PROXY) for _ in range(1 + twice)
    ]
    if answers[0].status_code == 200:
        world.promises[name] = Promise()
        if twice and (answers[1].status_code, answers[1].json()["code"]) != (409, "exists"):
            raise Broken(f"{name} was ordered twice: {answers[1].content.decode()}")


@act(2, who=CUSTOMER, keep_days=(None, 0, 3))
def delete(world: World, who: int, keep_days: int | None) -> None:
    name = service(who)
    kept = {} if keep_days is None else {"keep_days": keep_days}
    if world.post(name, "/delete-site", service_id=name, **kept).status_code == 200:
        world.promises[name] = Promise(deleted=True)


@act(3, who=CUSTOMER, back=ON)
def suspend(world: World, who: int, back: bool) -> None:
    """Or take the suspension `back`."""
    name, path = service(who), "/unsuspend" if back else "/suspend"
    if world.post(name, path, service_id=name).status_code == 200:
        world.promises[name].suspended = not back


@act(2, who=CUSTOMER, plan=PLANS)
def upgrade(world: World, who: int, plan: str) -> None:
    name = service(who)
    world.post(name, "/wp/upgrade", service_id=name, plan=plan)


def ask(world: World, who: int, path: str, **body: object):
    """A customer's call about his site."""
    name = service(who)
    return world.post(name, f"/action/{path}", service_id=name, **body)


@act(4, who=CUSTOMER, path=("start", "stop", "restart", "mkbak", "mkarchive", "login"))
def simply(world: World, who: int, path: str) -> None:
    answer = ask(world, who, path)
    if path == "login" and answer.status_code == 200:
        site = Site.objects.get(live_key=service(who))
        names = {site.hostname, *site.custom_domains.values_list("domain", flat=True)}
        if answer.json()["url"].split("/")[2] not in names:
            raise Broken(f"{service(who)} was led to {answer.json()['url']}")


@act(2, who=CUSTOMER, enabled=(None, False, True))
def toggle(world: World, who: int, enabled: bool | None) -> None:
    ask(world, who, "toggle", **({} if enabled is None else {"enabled": enabled}))


@act(who=CUSTOMER, enabled=ON)
def safe_mode(world: World, who: int, enabled: bool) -> None:
    ask(world, who, "safemode", enabled=enabled)


@act(who=CUSTOMER, xmlrpc=ON, upload_mb=(None, 64, 200))
def options(world: World, who: int, xmlrpc: bool, upload_mb: int | None) -> None:
    ask(world, who, "options", options={"xmlrpc": xmlrpc, "upload_mb": upload_mb})


@act(who=CUSTOMER, which=WHICH)
def delete_backup(world: World, who: int, which: int) -> None:
    ask(world, who, "delbak", bak=_backup(who, which) or "BAK01012026-9")


@act(who=CUSTOMER, which=WHICH)
def delete_archive(world: World, who: int, which: int) -> None:
    rows = Archive.objects.filter(site__live_key=service(who), state=Archive.State.READY)
    if name := one_of(list(rows.order_by("pk").values_list("name", flat=True)), which):
        ask(world, who, "delarchive", archive=name)


@act(2, who=CUSTOMER, which=WHICH, discard=ON)
def roll_back(world: World, who: int, which: int, discard: bool) -> None:
    """To one of the backups, or to the first day where there is none."""
    if name := _backup(who, which):
        ask(world, who, "rollback", bak=name, discard_backups=discard)
    else:
        ask(world, who, "reset", discard_backups=discard)


def _backup(who: int, which: int) -> str | None:
    rows = Backup.objects.filter(site__live_key=service(who), state=Backup.State.READY)
    return one_of(list(rows.order_by("pk").values_list("name", flat=True)), which)


@act(3, who=CUSTOMER, domain=DOMAINS, proven=ON)
def set_domain(world: World, who: int, domain: str, proven: bool) -> None:
    """`proven`: where a record is asked for that shows whose it is, its holder sets it and asks again."""
    answer = ask(world, who, "setdomain", domain=domain)
    asked = answer.json().get("verification")
    if asked and proven:
        world.lab.dns.set(asked["name"], "TXT", [asked["value"]])
        ask(world, who, "setdomain", domain=domain)


@act(2, who=CUSTOMER, which=WHICH)
def delete_domain(world: World, who: int, which: int) -> None:
    if name := _domain(who, which):
        ask(world, who, "deldomain", domain=name)


@act(who=CUSTOMER, which=WHICH)
def choose_primary(world: World, who: int, which: int) -> None:
    site = Site.objects.filter(live_key=service(who)).first()
    if site and (name := _domain(who, which) or site.hostname):
        ask(world, who, "primary", domain=name)


def _domain(who: int, which: int) -> str | None:
    site = Site.objects.filter(live_key=service(who)).first()
    return one_of([row.domain for row in site.domains()] if site else [], which)


@act(who=CUSTOMER, dry_run=ON)
def replace_addresses(world: World, who: int, dry_run: bool) -> None:
    site = Site.objects.filter(live_key=service(who)).first()
    if site and site.hostname:
        names = {"from": "old.example", "to": site.primary_domain}
        ask(world, who, "replace", **names, dry_run=dry_run)


@act(who=CUSTOMER)
def import_content(world: World, who: int) -> None:
    ask(world, who, "import", url=ARCHIVE)


@act(who=CUSTOMER)
def look(world: World, who: int) -> None:
    """Whatever a customer can read of his."""
    name = any_service(who)
    for path in ("/status", "/action/getbak", "/action/getdomain", "/action/archives"):
        world.get(name, f"{path}?service_id={name}")
    zones = world.post(user(who), "/customdomain/getdata", user_id=user(who)).json()
    his = set(Customer.objects.filter(user_id=user(who)).values_list("zones__name", flat=True))
    for item in zones.get("zones", ()):
        if item["zone"]["name"] not in his:
            raise Broken(f"{user(who)} was shown {item['zone']['name']}")


@act(who=CUSTOMER, path=("create", "suspend", "unsuspend", "terminate", "status"))
def support(world: World, who: int, path: str) -> None:
    name = any_service(who)
    names = {"service_id": name, "email": EMAILS[who], "firstname": "Jo", "lastname": "Doe"}
    if path == "status":
        world.get(name, f"/support/status?service_id={name}")
    else:
        world.post(name, f"/support/{path}", **(names if path == "create" else {"service_id": name}))
    key = SupportKey.objects.filter(service_id=name).first()
    if key:
        said = world.post(name, "/support/verify", support_key=key.support_key).json()
        if said["valid"] != (key.status == "ACTIVE"):
            raise Broken(f"{key.support_key} is {key.status}, and valid: {said['valid']}")


# Zones


def _call(world: World, who: int, path: str, **body: object):
    return world.post(user(who), f"/customdomain/{path}", user_id=user(who), **body)


@act(2, who=CUSTOMER, zone=ZONES, delete=(False, False, True))
def zone(world: World, who: int, zone: str, delete: bool) -> None:
    """Add one, or delete it."""
    _call(world, who, "delete/zone" if delete else "add/zone", domain=zone)


RECORDS = (
    {"type": "a", "name": "www2", "content": "192.0.2.1"},
    {"type": "a", "name": "@", "content": "PROXYSRV"},
    {"type": "mx", "name": "@", "content": "mail.example.com.", "priority": 10},
    {"type": "txt", "name": "@", "content": "v=spf1 -all"},
    {"type": "cname", "name": "blog", "content": "example.net."},
)


@act(2, who=CUSTOMER, which=WHICH, record=range(len(RECORDS)))
def add_record(world: World, who: int, which: int, record: int) -> None:
    if held := _held(world, who, which):
        _call(world, who, "add/record", zone_id=held["id"], ttl=300, **RECORDS[record])


@act(who=CUSTOMER, which=WHICH, number=WHICH, address=("192.0.2.2", "192.0.2.3"))
def change_record(world: World, who: int, which: int, number: int, address: str) -> None:
    held = _held(world, who, which)
    records = [one for one in held["records"].values() if one["type"] == "A"] if held else []
    if record := one_of(records, number):
        values = {"zone_id": held["id"], "rc_id": record["id"], "type": "a", "name": record["name"]}
        _call(world, who, "update/record", **values, ttl=600, content=address)


@act(who=CUSTOMER, which=WHICH, number=range(6))
def delete_record(world: World, who: int, which: int, number: int) -> None:
    held = _held(world, who, which)
    if held and (record := one_of(list(held["records"]), number)):
        _call(world, who, "delete/record", zone_id=held["id"], rc_id=record)


def _held(world: World, who: int, which: int) -> dict | None:
    """One of his zones as getdata shows it."""
    said = _call(world, who, "getdata").json()
    return one_of([item["zone"] for item in said.get("zones", ())], which)


@act(who=CUSTOMER)
def read_job(world: World, who: int) -> None:
    """The last job of his site."""
    site = Site.objects.filter(service_id=service(who)).order_by("-pk").first()
    if site and (job := Job.objects.filter(subject=site.key).order_by("-created_at").first()):
        answer = world.get(service(who), f"/jobs/{job.pk}")
        if answer.status_code != 200:
            raise Broken(f"job {job.pk} cannot be read: {answer.content.decode()}")
