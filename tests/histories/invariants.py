"""What has to be true of every world once it is calm: functions of a look at it, each of which yields
complaints in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core import mail

from dns.models import Zone
from nodepoint.jobs.models import Job, JobStep, Lease
from nodepoint.jobs.steering import CANCELLED
from nodepoint.notices.models import Notice
from sites import marks
from sites.archives.rows import Archive
from sites.models import Backup, Site, Spare, Template
from tests.histories import people
from tests.histories.truth import ENDED, Truth

Complaints = Iterator[str]
Invariant = Callable[[Truth], Complaints]


# Ends


def every_request_is_final(truth: Truth) -> Complaints:
    """No job is at work, no step is called, no site or zone is half way."""
    for job in Job.objects.filter(state__in=Job.ALIVE):
        steps = ", ".join(f"{s.name} {s.state} {s.detail or s.error}" for s in job.steps.exclude(due_at=None))
        yield f"job {job.kind} of {job.about} is still {job.state}: {steps}"
    for step in JobStep.objects.exclude(due_at=None).exclude(job__state__in=Job.ALIVE):
        yield f"step {step.name} of the ended {step.job.kind} is still due"
    for site in truth.standing:
        if site.state != Site.State.LIVE or site.deletion_requested_at:
            yield f"{site} is still {site.state}, its deletion asked for at {site.deletion_requested_at}"
    for row in Zone.objects.filter(state=Zone.State.CREATING):
        yield f"zone {row} is still being made"
    for row in Zone.objects.exclude(deletion_requested_at=None).exclude(state__in=("deleted", "failed")):
        yield f"zone {row} is still being deleted"


def no_slot_is_held(truth: Truth) -> Complaints:
    """Limits are free: what holds a slot for ever stops others for ever."""
    now = truth.world.clock.now()
    for lease in Lease.objects.filter(until__gt=now, holder__startswith="step:"):
        yield f"slot {lease} is held by {lease.holder} until {lease.until}"


def last_word_of_billing_holds(truth: Truth) -> Complaints:
    """What was accepted last for a service is how it is: suspended, back, or deleted."""
    for name, promise in truth.world.promises.items():
        latest = next((site for site in reversed(truth.sites) if site.service_id == name), None)
        if latest is None:
            yield f"{name} was accepted and is nowhere"
        elif promise.deleted and latest.state not in ENDED:
            yield f"{name} was to be deleted and is {latest.state}"
        elif promise.deleted is False and latest.state == Site.State.DELETED:
            yield f"{name} was deleted, and nobody had asked for that"
        elif latest.state not in ENDED and promise.suspended not in (None, latest.suspended):
            yield f"{name} suspended: {latest.suspended}, although billing was told {promise.suspended}"


# Owners


def every_container_has_an_owner(truth: Truth) -> Complaints:
    """One for each site that stands and each spare, with its mark, and no other."""
    holders = {row.vmid: row for row in (*truth.standing, *truth.spares) if row.vmid}
    for container in truth.containers:
        holder = holders.get(container["vmid"])
        mark = marks.carried(container["description"])
        if holder is None:
            yield f"container {container['vmid']} ({container['name']}, {mark}) is nobody's"
        elif not marks.is_of(mark, holder):
            yield f"container {container['vmid']} of {holder} carries {mark!r}"
        if container["lock"]:
            yield f"container {container['vmid']} is still locked ({container['lock']})"
    seen = {container["vmid"] for container in truth.containers}
    yield from (f"{row} has lost its container {vmid}" for vmid, row in holders.items() if vmid not in seen)


def no_address_is_used_twice(truth: Truth) -> Complaints:
    """Neither by two containers nor by two rows; containers have the address that their row says."""
    rows = [*truth.standing, *truth.spares]
    for field in ("vmid", "private_ip", "subdomain"):
        held = Counter(getattr(row, field, None) for row in rows)
        yield from (f"{field} {value} is held by {n} rows" for value, n in held.items() if value and n > 1)
    with truth.world.lab.lock:
        every = [one for one in truth.world.cluster.containers.values() if one.address]
    used = Counter(one.address.partition("/")[0] for one in every)
    yield from (f"address {address} is used by {n} containers" for address, n in used.items() if n > 1)
    for row in rows:
        container = next((one for one in truth.containers if one["vmid"] == row.vmid), None)
        if container and container["ip"].partition("/")[0] != row.private_ip:
            yield f"container {row.vmid} has {container['ip']}, and its row {row.private_ip}"


def nothing_is_reserved_for_the_dead(truth: Truth) -> Complaints:
    """Ended sites, spares and templates hold neither VMID nor address nor name."""
    for site in truth.sites:
        if site.state in ENDED and any((site.vmid, site.private_ip, site.subdomain, site.live_key)):
            held = (site.vmid, site.private_ip, site.subdomain, site.live_key)
            yield f"{site} is {site.state} and holds {held}"
    for row in (*Spare.objects.exclude(state__in=Spare.STANDING), *Template.objects.exclude(vmid=None)):
        if row.vmid or row.private_ip:
            yield f"{row} is {row.state} and holds {row.vmid}, {row.private_ip}"
    for row in truth.domains:
        if row.site.state in ENDED:
            yield f"domain {row} is that of {row.site}, which is {row.site.state}"


def every_ha_resource_has_an_owner(truth: Truth) -> Complaints:
    """Only containers of sites that stand are managed; none of others."""
    for vmid, resource in truth.ha.items():
        site = truth.site_of(vmid)
        if site is None or not truth.container_of(site):
            yield f"HA resource {resource['sid']} ({resource.get('comment')}) is nobody's"


def every_record_has_an_owner(truth: Truth) -> Complaints:
    """One for each site that stands; none with our mark beside."""
    owners = {site.hostname: site for site in truth.standing if site.hostname}
    for record in truth.records:
        site = owners.get(record["name"].lower())
        mark = marks.carried_by_comment(record.get("comment") or "")
        if site is None or not marks.is_of(mark, site):
            yield f"record {record['name']} {record['content']} ({record.get('comment')}) is nobody's"
    twice = Counter(record["name"].lower() for record in truth.records)
    yield from (f"there are {n} records {name}" for name, n in twice.items() if n > 1)


def every_proxy_host_has_an_owner(truth: Truth) -> Complaints:
    """One for each name of a site that stands, to its own address; none beside; nothing that nginx serves
    without a row."""
    places = {name: site for site in truth.standing for name in truth.names_of(site)}
    for host in truth.hosts:
        for name in host["domain_names"]:
            site = places.get(name)
            if site is None:
                yield f"proxy host {host['id']} for {name} to {host['forward_host']} is nobody's"
            elif host["forward_host"] != site.private_ip:
                yield f"proxy host {host['id']} for {name} of {site} leads to {host['forward_host']}"
    twice = Counter(name for host in truth.hosts for name in host["domain_names"])
    yield from (f"there are {n} proxy hosts for {name}" for name, n in twice.items() if n > 1)
    files = {f"proxy_host/{host['id']}.conf" for host in truth.hosts}
    for file, config in truth.running.items():
        if file.startswith("proxy_host/") and file not in files and not people.is_host(config):
            yield f"nginx serves {config['server_names']} by {file}, of which NPM has no row"


def every_certificate_has_an_owner(truth: Truth) -> Complaints:
    """Each is that of a name of a site that stands, and none is there twice."""
    names = {name for site in truth.standing for name in truth.names_of(site)}
    for row in truth.certificates:
        if not set(row["domain_names"]) <= names:
            yield f"certificate {row['id']} for {row['domain_names']} is nobody's"
    twice = Counter(name for row in truth.certificates for name in row["domain_names"])
    yield from (f"there are {n} certificates for {name}" for name, n in twice.items() if n > 1)


def every_zone_has_an_owner(truth: Truth) -> Complaints:
    """One for each row that stands; no record in it twice, its name servers in it."""
    rows = {row.origin: row for row in Zone.objects.exclude(name_key=None).select_related("customer")}
    for zone in truth.zones:
        if zone["origin"] not in rows:
            yield f"zone {zone['origin']} is nobody's"
        elif (known := rows[zone["origin"]].ispconfig_id) != int(zone["id"]):
            yield f"zone {zone['origin']} has id {zone['id']}, and its row {known}"
        said = Counter((one["type"], one["name"], one["data"]) for one in zone["records"])
        yield from (f"{zone['origin']} holds {n} times {one}" for one, n in said.items() if n > 1)
        servers = {one["data"].rstrip(".") for one in zone["records"] if one["type"] == "NS"}
        if not servers >= set(people.OURS) and zone["active"] == "Y":
            yield f"zone {zone['origin']} is served by {servers}"
    found = Counter(zone["origin"] for zone in truth.zones)
    yield from (f"there are {n} zones {name}" for name, n in found.items() if n > 1)
    yield from (f"zone {row} is gone from the panel" for origin, row in rows.items() if origin not in found)


def every_archive_has_an_owner(truth: Truth) -> Complaints:
    """One volume for each row of one that is there; none beside."""
    rows = dict(Archive.objects.filter(state=Archive.State.READY).values_list("volid", "name"))
    volumes = {entry["volid"]: entry.get("notes", "") for entry in truth.archives}
    yield from (f"archive {volid} ({volumes[volid]}) is nobody's" for volid in volumes if volid not in rows)
    yield from (f"archive {rows[volid]} has lost its {volid}" for volid in rows if volid not in volumes)


# Quotas, suspensions, ends of sites


def quotas_equal_rows(truth: Truth) -> Complaints:
    """What a customer is told he uses is what stands: backups are snapshots, domains are rows."""
    for site in truth.standing:
        container, name = truth.container_of(site), site.service_id
        listed = truth.world.get(name, f"/action/getbak?service_id={name}").json()
        customers = [one["name"] for one in listed["backups"] if one["kind"] == "customer"]
        if listed["used"] != len(customers):
            yield f"{name} has used {listed['used']} backups and lists {customers}"
        rows = set(site.backups.filter(state=Backup.State.READY).values_list("name", flat=True))
        snapshots = set(container["snapshots"]) - {"initial", "by-hand"} if container else set()
        if container and rows != snapshots:
            yield f"{name} has the snapshots {sorted(snapshots)}, and rows of {sorted(rows)}"
        used = truth.world.get(name, f"/action/getdomain?service_id={name}").json()["quota"]["used"]
        count = sum(row.site_id == site.pk for row in truth.domains)
        if used != count:
            yield f"{name} has used {used} domains and has {count}"


def suspended_means_off(truth: Truth) -> Complaints:
    """Not running, not to be started by HA or with its node, not served under any name."""
    for site in truth.standing:
        if not site.suspended:
            continue
        container = truth.container_of(site)
        if container and container["status"] != "stopped":
            yield f"{site} is suspended and its container runs"
        if container and container["onboot"]:
            yield f"{site} is suspended and starts with its node"
        if truth.ha.get(site.vmid, {}).get("state") == "started":
            yield f"{site} is suspended and HA wants it started"
        ours = (config for config in truth.running.values() if not people.is_host(config))
        served = {name for config in ours for name in config["server_names"]}
        for name in truth.names_of(site):
            if name in served:
                yield f"{site} is suspended and {name} is served"


def deleted_means_nothing_left(truth: Truth) -> Complaints:
    """Nowhere does a mark stand of a site that has ended."""
    for site in truth.sites:
        if site.state not in ENDED:
            continue
        forms = marks.forms(site)
        texts = [
            *((f"container {one['vmid']}", marks.carried(one["description"])) for one in truth.containers),
            *((f"record {one['name']}", one.get("comment") or "") for one in truth.records),
            *((f"proxy host {one['domain_names']}", str(one["meta"])) for one in truth.hosts),
            *((f"HA resource {sid}", str(one.get("comment"))) for sid, one in truth.ha.items()),
        ]
        for thing, text in texts:
            if any(form in text.replace("'", " ").split() for form in forms):
                yield f"{site} is {site.state}, and {thing} is left of it"


def foreign_things_are_untouched(truth: Truth) -> Complaints:
    """All that is others' is as it was at first, and nothing was asked to be done with it."""
    now = people.foreign_things(truth.world)
    for kind, before in truth.world.foreign.items():
        if now[kind] != before:
            yield f"the {kind} of others were {before} and are {now[kind]}"


# Telling


def everybody_is_told_once(truth: Truth) -> Complaints:
    """No notice waits, none was sent twice, and each end that is to be told of was."""
    for notice in Notice.objects.all():
        job = Job.objects.filter(subject=notice.key).order_by("-created_at").first()
        if job is None:
            yield f"notice {notice.kind} about {notice.about} has no job"
    told = Counter((row.kind, row.about, row.cause, row.says) for row in Notice.objects.all())
    yield from (f"{n} notices {what}" for what, n in told.items() if n > 1 and what[0] != "notices.staff")
    sent = Counter(message.extra_headers.get("Message-ID") for message in mail.outbox)
    yield from (f"{n} times the message {id}" for id, n in sent.items() if id and n > 1)
    for job in Job.objects.filter(kind__startswith="sites.").exclude(state__in=Job.ALIVE):
        tells = job.flow.tells if job.state == Job.State.SUCCEEDED else job.flow.tells_failure
        ended_badly = job.state in (Job.State.FAILED, Job.State.ROLLED_BACK)
        notices = Notice.objects.filter(cause=job.pk)
        due = tells and (job.state == Job.State.SUCCEEDED or ended_badly)
        if due and not notices.filter(kind=tells).exists():
            yield f"nobody was told of {job.kind} {job.state} of {job.about} ({tells})"
        known = job.callers_fault or job.error == CANCELLED or (job.flow.known and job.flow.known(job))
        if ended_badly and not known and not notices.exists():
            yield f"staff were not told of {job.kind} {job.state} of {job.about}"


def every_failure_says_why(truth: Truth) -> Complaints:
    """A job that ended badly has a sentence for the customer, without a tag and without our addresses."""
    badly = Job.objects.filter(state__in=(Job.State.FAILED, Job.State.ROLLED_BACK))
    for job in badly:
        if not job.error or "<" in job.error or ">" in job.error or "192.168." in job.error:
            yield f"{job.kind} of {job.about} failed with {job.error!r}"


def nobody_reads_of_others(truth: Truth) -> Complaints:
    """What each customer is shown, and sent, tells of him alone; the answers on the way were looked at."""
    for who in people.SERVICES:
        if who in truth.world.promises:
            truth.world.get(who, f"/status?service_id={who}")
            truth.world.get(who, f"/action/getdomain?service_id={who}")
    for message in mail.outbox:
        whose = [n for n, email in enumerate(people.EMAILS) if email.lower() in " ".join(message.to).lower()]
        for number in whose:
            for word in people.others_words(people.SERVICES[number]):
                if word in f"{message.subject} {message.body}".lower():
                    yield f"{message.to} was written of {word}: {message.subject}"


# After staff have had everything repaired


def every_site_is_whole(truth: Truth) -> Complaints:
    """Container, record, proxy host and HA of each site are there and as its row says."""
    for site in truth.standing:
        if container := truth.container_of(site):  # else every_container_has_an_owner says it
            yield from _container_is_whole(truth, site, container)
            yield from _name_is_served(truth, site)


def _container_is_whole(truth: Truth, site: Site, container: dict[str, Any]) -> Complaints:
    if container["status"] != site.power_wished:
        yield f"{site} is {container['status']} instead of {site.power_wished}"
    size = (container["memory"], container["cores"])
    if size != (site.plan.memory_mb, site.plan.cores):
        yield f"{site} has {size} instead of plan {site.plan}"
    if container["disk"] < site.plan.disk_gb:
        yield f"{site} has a disk of {container['disk']} GB on plan {site.plan}"
    if (site.vmid in truth.ha) != site.wants_high_availability:
        yield f"{site} is managed by HA: {site.vmid in truth.ha}"
    if not container["firewall"]["options"].get("enable"):
        yield f"{site} has no firewall"


def _name_is_served(truth: Truth, site: Site) -> Complaints:
    leads = [row["content"] for row in truth.records if row["name"].lower() == site.hostname]
    if leads != [site.public_ip]:
        yield f"record {site.hostname} leads to {leads}"
    on = site.proxy_enabled and not site.suspended
    enabled = any(host["enabled"] for host in truth.hosts if site.hostname in host["domain_names"])
    if on != enabled:
        yield f"{site.hostname} is served: {enabled} instead of {on}"


ALWAYS: tuple[Invariant, ...] = (
    every_request_is_final,
    no_slot_is_held,
    last_word_of_billing_holds,
    every_container_has_an_owner,
    no_address_is_used_twice,
    nothing_is_reserved_for_the_dead,
    every_ha_resource_has_an_owner,
    every_record_has_an_owner,
    every_proxy_host_has_an_owner,
    every_certificate_has_an_owner,
    every_zone_has_an_owner,
    every_archive_has_an_owner,
    quotas_equal_rows,
    suspended_means_off,
    deleted_means_nothing_left,
    foreign_things_are_untouched,
    everybody_is_told_once,
    every_failure_says_why,
    nobody_reads_of_others,
)
AFTER_REPAIR: tuple[Invariant, ...] = (*ALWAYS, every_site_is_whole)


def broken(truth: Truth, invariants: Iterable[Invariant]) -> list[str]:
    """All complaints, each with the invariant that makes it."""
    return [f"{one.__name__}: {said}" for one in invariants for said in one(truth)]
