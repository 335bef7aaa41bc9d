"""What staff do where the usual way is barred: each is written down with its reason, and refused where it
would leave something behind unseen."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites import live
from sites.errors import OrdersHeld, StillThere, WrongState
from sites.models import Platform, Site
from sites.services.legality import ENDED, STANDING, Facts
from sites.services.orders import create_site
from sites.services.plans import upgrade_site
from sites.services.standing import failed_last, own_status

UNLINK = "sites.unlink"
OVERRULED = ("backup_quota", "domain_quota", "high_availability")
HELD = ("vmid", "private_ip", "subdomain")


def overrule(site: Site, *, actor: str, **values: Any) -> Job | None:
    """Let a site have other quotas, or high availability, than its plan says; None for a value: as the plan.

    High availability that changes so is carried out by a job, which is returned. WrongState when there is no
    site any more.
    """

    def work() -> Job | None:
        queue.lock(site.key)
        now = Site.objects.select_related("plan").get(pk=site.pk)
        if not Facts(now).standing:
            raise WrongState(own_status(now))
        before = {name: getattr(now, name) for name in OVERRULED}
        managed = now.wants_high_availability
        for name in OVERRULED:
            setattr(now, name, values[name])
        now.save(update_fields=OVERRULED)
        after = {name: values[name] for name in OVERRULED}
        trail.record("sites.overrule", site.key, label=site.service_id, before=before, after=after)
        if now.state != Site.State.LIVE or now.wants_high_availability == managed:
            return None
        return upgrade_site(site.service_id, now.plan.name, actor=actor)[1]

    return queue.whole(work)


def force_state(site: Site, state: str, *, actor: str) -> Site:
    """Make a site's row say another state, against what our jobs found. Nothing is looked at or removed.

    A site that is made `failed` or `deleted` so leaves its service free for a new order, and keeps address,
    VMID and subdomain, since something may stand there: `release` gives them back. JobRefused while a job
    works on it; WrongState; StillThere when its container is in the cluster.
    """
    reading = live.reading()
    with transaction.atomic():
        now = _at_rest(site)
        if now.state not in STANDING or state == now.state or state == Site.State.PROVISIONING:
            raise WrongState(own_status(now))
        before = {"state": now.state}
        now.state = Site.State(state)
        fields = ["state"]
        if state == Site.State.LIVE:
            now.live_at = now.live_at or timezone.now()
            fields += ["live_at"]
        else:
            _refuse_container(Facts(now, reading))
            now.live_key, now.power, now.ended_at = None, "", timezone.now()
            fields += ["live_key", "power", "ended_at"]
        now.save(update_fields=fields)
        trail.record(
            "sites.force_state", site.key, label=site.service_id, before=before, after={"state": state}
        )
    return now


def _at_rest(site: Site) -> Site:
    """The site as it is, while nothing works on it and nothing else begins to; JobRefused."""
    if running := Job.objects.filter(active_key=site.key).first():
        raise JobRefused(running)
    return Site.objects.select_for_update().select_related("plan").get(pk=site.pk)


def _refuse_container(facts: Facts) -> None:
    """StillThere where the last reading shows something on the site's VMID."""
    vmid, guests = facts.site.vmid, facts.reading.guests
    if not facts.reading.stale and vmid in guests:
        raise StillThere(f"Container {vmid} stands on {guests[vmid].node}. Have the site deleted instead.")


def release(site: Site, *, actor: str) -> Site:
    """Give back what an ended site still holds: address, VMID, subdomain, custom domains. WrongState when it
    has not ended or holds nothing; StillThere unless a fresh reading shows that its VMID is free."""
    reading = live.reading()
    free = site.vmid is None or live.vmid_free(site.vmid)
    with transaction.atomic():
        now = _at_rest(site)
        facts = Facts(now, reading)
        if now.state not in ENDED or not facts.holds_something:
            raise WrongState(own_status(now))
        _require_gone(facts)
        if not free:  # a list may hide it
            raise StillThere(f"Proxmox VE does not say that VMID {site.vmid} is free.")
        before = {name: getattr(now, name) for name in HELD}
        before["domains"] = [domain.domain for domain in facts.domains]
        for domain in facts.domains:
            domain.release()
        now.vmid = now.private_ip = now.subdomain = now.proxy_host_id = now.certificate_id = None
        now.node = now.dns_record_id = ""
        now.save(update_fields=[*HELD, "proxy_host_id", "certificate_id", "node", "dns_record_id"])
        trail.record("sites.release", site.key, label=site.service_id, before=before)
    return now


def _require_gone(facts: Facts) -> None:
    if facts.seen_gone:
        return
    vmid = facts.site.vmid
    if facts.reading.stale:
        raise StillThere(f"Proxmox VE does not answer: nobody can see whether container {vmid} is gone.")
    raise StillThere(f"Container {vmid} stands in the cluster, or has until just now.")


def unlink_site(site: Site, *, actor: str) -> Job:
    """Have everything of a site removed whose container is gone. The job looks for itself, and ends without a
    change where the container is there after all. JobRefused, WrongState, StillThere."""

    reading = live.reading()

    def work() -> Job:
        data = {"service_id": site.service_id}
        change = {"before": {"state": site.state}, "after": {"state": "deleting"}}
        job = queue.submit(UNLINK, site.key, data=data, actor=actor, queue=False, **change)
        now = Site.objects.select_related("plan").get(pk=site.pk)
        facts = Facts(now, reading)
        if not facts.standing:
            raise WrongState(own_status(now))
        _require_gone(facts)
        return job

    return queue.whole(work)


def order_again(site: Site, *, actor: str) -> tuple[Site, Job]:
    """Order once more what was undone, as it was ordered, with what staff had overruled. The billing portal
    never repeats an order. WrongState unless it failed and is the service's latest; and what `create_site`
    raises."""
    now = Site.objects.select_related("plan").get(pk=site.pk)
    if not failed_last(now):
        raise WrongState(own_status(now))
    order = {"email": now.email, "plan": now.plan.name, "public_ip": now.public_ip}
    overruled = {name: getattr(now, name) for name in OVERRULED}
    return create_site(service_id=now.service_id, **order, overruled=overruled, actor=actor)


def close_order(site: Site, *, actor: str) -> Site:
    """Have an order that was undone count as done with: it needs nobody any more. WrongState unless it
    failed."""
    with transaction.atomic():
        if not Site.objects.filter(pk=site.pk, state=Site.State.FAILED).update(state=Site.State.DELETED):
            site.refresh_from_db()
            raise WrongState(own_status(site))
        change = {"before": {"state": Site.State.FAILED}, "after": {"state": Site.State.DELETED}}
        trail.record("sites.close", site.key, label=site.service_id, **change)
    return site


def pause_orders(*, actor: str, reason: str) -> Platform:
    """Refuse new orders from now on, for the whole platform. Any number of times."""
    return _set_pause("sites.pause_orders", timezone.now(), actor, reason)


def resume_orders(*, actor: str) -> Platform:
    """Take new orders again. Any number of times. OrdersHeld while a restored database waits for staff:
    `restoration.release` takes them again."""
    if Restoration.is_open():
        raise OrdersHeld()
    return _set_pause("sites.resume_orders", None, "", "")


def _set_pause(act: str, at: Any, actor: str, reason: str) -> Platform:
    with transaction.atomic():
        before = Platform.current().orders_paused_at
        if bool(before) != bool(at):
            columns = {"orders_paused_at": at, "orders_paused_by": actor, "orders_paused_reason": reason}
            Platform.objects.update_or_create(pk=1, defaults=columns)
            change = {"before": {"paused": bool(before)}, "after": {"paused": bool(at)}}
            trail.record(act, "sites.platform:1", label="platform", reason=reason, **change)
        return Platform.current()
