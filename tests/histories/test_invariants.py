"""The invariants can fail: each finds the fault in a world that was broken in just that way."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.core import mail
from django.test import TestCase

from nodepoint.jobs.models import Job, Lease
from nodepoint.notices.models import Notice
from sites import marks
from sites.archives.rows import Archive
from sites.connections import cloudflare, npm
from sites.models import Backup, Site
from tests.base import on_one_database
from tests.histories import invariants as rules
from tests.histories import people
from tests.histories.history import Stage
from tests.histories.people import Broken
from tests.histories.truth import Truth
from tests.histories.world import World


def _dead(world: World) -> Site:
    return Site.objects.get(service_id="svc-2")


def _site(number: int) -> Site:
    return Site.objects.get(live_key=people.SERVICES[number])


def _job_goes_on(world: World) -> None:
    Job.objects.filter(kind="sites.suspend").update(state=Job.State.RUNNING)


def _slot_is_kept(world: World) -> None:
    until = world.clock.now() + timedelta(hours=1)
    Lease.objects.create(name="npm", slot=9, holder="step:1", until=until)


def _wish_is_lost(world: World) -> None:
    Site.objects.filter(service_id="svc-1").update(suspended_at=None)


def _container_is_left(world: World) -> None:
    values = {"vmid": 950, "ostemplate": world.lab.settings["PROXMOX_TEMPLATE"], "hostname": "left"}
    more = {"rootfs": "global-lvm:8", "description": marks.of(_dead(world))}
    with world.lab.lock:
        world.cluster.lifecycle.create("node1", "root@pam", world.clock.time.timestamp(), values | more)
    world.clock.move(120)


def _address_is_used_twice(world: World) -> None:
    with world.lab.lock:
        net0 = str(world.container(_site(0).vmid).config["net0"])
        world.container(_site(1).vmid).config["net0"] = net0


def _address_is_kept(world: World) -> None:
    Site.objects.filter(service_id="svc-2").update(private_ip="192.168.1.250")


def _resource_is_left(world: World) -> None:
    with world.lab.lock:
        world.cluster.ha.add({"sid": "ct:950", "state": "stopped"}, world.clock.time.timestamp())


def _record_is_left(world: World) -> None:
    cloudflare().create_record("A", "left.nodepoint.eu", "203.0.113.10", comment=marks.of(_site(0)))


def _host_is_left(world: World) -> None:
    npm().create_proxy_host(["left.nodepoint.eu"], _site(0).private_ip)


def _certificate_is_left(world: World) -> None:
    npm().create_certificate(["www.delta.org"], "staff@nodepoint.eu")


def _zone_is_left(world: World) -> None:
    people.add_zone(world, "left.net")


def _archive_is_left(world: World) -> None:
    Archive.objects.filter(service_id="svc-0").update(state=Archive.State.DELETED)


def _quota_is_wrong(world: World) -> None:
    Backup.objects.filter(site__service_id="svc-0").update(state=Backup.State.DELETED)


def _suspended_runs(world: World) -> None:
    Site.objects.filter(service_id="svc-1").update(suspended_at=world.clock.now())
    container = world.container(_site(1).vmid)
    with world.lab.lock:
        world.cluster.power.fork_start(container, "root@pam", world.clock.time.timestamp())
    world.clock.move(60)


def _mark_of_the_dead(world: World) -> None:
    cloudflare().create_record("TXT", "left.nodepoint.eu", "old", comment=marks.of(_dead(world)))


def _foreign_is_changed(world: World) -> None:
    with world.lab.lock:
        world.container(people.FOREIGN_VMIDS[0]).config["memory"] = 4096


def _nobody_is_told(world: World) -> None:
    Notice.objects.filter(kind="notices.site_live").delete()


def _failure_is_mute(world: World) -> None:
    Job.objects.filter(kind="sites.backup").update(state=Job.State.FAILED, error="<b>192.168.1.100</b>")


def _mail_of_another(world: World) -> None:
    mail.outbox.append(mail.EmailMessage("Hello", f"See {people.EMAILS[1]}", to=[people.EMAILS[0]]))


def _plan_is_not_kept(world: World) -> None:
    with world.lab.lock:
        world.container(_site(0).vmid).config["memory"] = 512


BROKEN: dict[rules.Invariant, Callable[[World], None]] = {
    rules.every_request_is_final: _job_goes_on,
    rules.no_slot_is_held: _slot_is_kept,
    rules.last_word_of_billing_holds: _wish_is_lost,
    rules.every_container_has_an_owner: _container_is_left,
    rules.no_address_is_used_twice: _address_is_used_twice,
    rules.nothing_is_reserved_for_the_dead: _address_is_kept,
    rules.every_ha_resource_has_an_owner: _resource_is_left,
    rules.every_record_has_an_owner: _record_is_left,
    rules.every_proxy_host_has_an_owner: _host_is_left,
    rules.every_certificate_has_an_owner: _certificate_is_left,
    rules.every_zone_has_an_owner: _zone_is_left,
    rules.every_archive_has_an_owner: _archive_is_left,
    rules.quotas_equal_rows: _quota_is_wrong,
    rules.suspended_means_off: _suspended_runs,
    rules.deleted_means_nothing_left: _mark_of_the_dead,
    rules.foreign_things_are_untouched: _foreign_is_changed,
    rules.everybody_is_told_once: _nobody_is_told,
    rules.every_failure_says_why: _failure_is_mute,
    rules.nobody_reads_of_others: _mail_of_another,
    rules.every_site_is_whole: _plan_is_not_kept,
}


@on_one_database
class BrokenWorldsTests(TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        logging.disable(logging.CRITICAL)
        cls.addClassCleanup(logging.disable, logging.NOTSET)

    def setUp(self) -> None:
        self.stage = Stage(speed=0.0, archives="nas")
        self.addCleanup(self.stage.end)

    def play(self, *acts: tuple[str, dict]) -> None:
        for name, arguments in acts:
            self.stage.play(name, arguments)

    def test_each_has_a_world_that_it_finds_broken(self) -> None:
        """One world, broken in one way more each time: what is said then that was not said before."""
        plan = {"plan": "basic", "twice": False}
        self.play(
            *(("order", {"who": number, **plan}) for number in (0, 1, 2)),
            ("zone", {"who": 0, "zone": "alpha.com", "delete": False}),
            ("work", {"seconds": 900}),
            ("simply", {"who": 0, "path": "mkbak"}),
            ("work", {"seconds": 120}),
            ("simply", {"who": 0, "path": "mkarchive"}),
            ("work", {"seconds": 120}),
            ("suspend", {"who": 1, "back": False}),
            ("delete", {"who": 2, "keep_days": 3}),
        )
        self.stage.judge()
        self.assertEqual(set(BROKEN), set(rules.AFTER_REPAIR))
        for invariant, break_it in BROKEN.items():
            with self.subTest(invariant.__name__):
                before = set(invariant(Truth(self.stage.world)))
                break_it(self.stage.world)
                after = set(invariant(Truth(self.stage.world)))
                self.assertTrue(after - before)

    def test_an_answer_that_tells_of_another_is_found_at_once(self) -> None:
        self.play(("order", {"who": 0, "plan": "basic", "twice": True}), ("work", {"seconds": 900}))
        with self.assertRaises(Broken):
            people.refuse_others("svc-1", "/status", f'{{"email": "{people.EMAILS[0]}"}}')
