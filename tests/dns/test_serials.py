"""Serials never go backwards, and the zones say who may fetch them."""

import time
from datetime import timedelta
from unittest import mock

from django.test import override_settings
from django.utils import timezone
from dnslib import DNSRecord

from dns import watch
from dns.clients import ispconfig as client
from dns.connections import ispconfig
from dns.models import Publication, Zone
from dns.reconcile import compare
from dns.services import repair_zone
from lab.secondary import ADDRESS, Secondary
from nodepoint.jobs.models import Job
from tests.base import on_one_database
from tests.dns.base import DnsTestCase

NAME = "example.com"
TODAY = int(time.strftime("%Y%m%d")) * 100


class SerialCase(DnsTestCase):
    def serial(self, name: str = NAME) -> int:
        return int(self.in_panel(name)["serial"])

    def add_secondary(self) -> Secondary:
        secondary = Secondary(self.lab)
        self.addCleanup(secondary.stop)
        return secondary

    def at_secondary(self, name: str, type: str) -> list[str]:
        """What it answers, asked over the wire."""
        wire = DNSRecord.question(name, type).send(ADDRESS, self.lab.dns.port, timeout=10)
        return [str(answer.rdata) for answer in DNSRecord.parse(wire).rr]

    def settle(self) -> None:
        Job.objects.update(finished_at=timezone.now() - timedelta(hours=1))

    def findings(self) -> list[str]:
        self.settle()
        return [finding.detail for finding in compare().findings if finding.repairable]

    def repair(self) -> None:
        self.settle()
        repair_zone(Zone.objects.get(name_key=NAME))
        self.run_jobs()


@on_one_database
class SerialTests(SerialCase):
    def test_one_that_is_made_anew_the_same_day_begins_above_the_one_before(self) -> None:
        self.add_zone(NAME)
        for number in range(120):  # more than the day's two digits hold
            ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, bool(number % 2), self.serial() + 1)
        last = self.serial()
        self.done("delete/zone", domain=NAME)
        self.assertGreater(Zone.objects.get().serial, last)
        self.add_zone(NAME, user=77)
        self.assertGreater(self.serial(), last)

    def test_one_that_staff_delete_in_the_panel_is_remembered_by_the_last_look(self) -> None:
        self.add_zone(NAME)
        last = TODAY + 5000
        ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, True, last)
        watch.look()
        ispconfig().delete_zone(Zone.objects.get().ispconfig_id)
        self.done("add/zone", domain=NAME)
        self.assertGreater(self.serial(), last)

    def test_what_the_name_servers_still_serve_counts_also_of_a_zone_that_was_never_ours(self) -> None:
        self.add_zone(NAME)
        last = TODAY + 7000
        ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, True, last)
        with self.lab.lock:
            self.lab.dns.names.look_up(NAME, "SOA", recursive=True)
            self.lab.ispconfig.served.stopped = True
        ispconfig().delete_zone(Zone.objects.get().ispconfig_id)
        Zone.objects.all().delete()
        self.done("add/zone", domain=NAME)
        self.assertGreater(self.serial(), last)

    def test_one_that_only_a_secondary_still_serves_counts_too(self) -> None:
        self.add_secondary()
        self.add_zone(NAME)
        last = TODAY + 7000
        ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, True, last)
        self.at_secondary(NAME, "SOA")
        ispconfig().delete_zone(Zone.objects.get().ispconfig_id)
        Zone.objects.all().delete()
        self.done("add/zone", domain=NAME)
        self.assertGreater(self.serial(), last)

    def test_one_that_is_made_anew_the_same_day_is_served_anew_by_a_secondary(self) -> None:
        secondary = self.add_secondary()
        self.add_zone(NAME)
        self.done("add/record", zone=NAME, type="TXT", name="www", txt="old", ttl=60)
        for _ in range(120):
            ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, True, self.serial() + 1)
        self.assertEqual(self.at_secondary(f"www.{NAME}", "TXT"), ['"old"'])
        self.done("delete/zone", domain=NAME)
        self.assertEqual(self.at_secondary(f"www.{NAME}", "TXT"), ['"old"'])  # it keeps what it has
        self.add_zone(NAME, user=77)
        self.assertEqual(self.at_secondary(f"www.{NAME}", "TXT"), [])
        self.done("add/record", user=77, zone=NAME, type="TXT", name="www", txt="new", ttl=60)
        self.assertEqual(self.at_secondary(f"www.{NAME}", "TXT"), ['"new"'])
        self.assertEqual(secondary.log, [])

    def test_name_servers_that_are_silent_hold_up_nothing(self) -> None:
        self.delegate(NAME)
        self.fault("dns", "hang", match=f"{NAME} SOA", count=100)
        with mock.patch("dns.clients.nameservers.TRY_SECONDS", 0.2):
            self.done("add/zone", domain=NAME)
        self.assertGreaterEqual(self.serial(), TODAY)

    def test_the_clock_moves_a_new_serial_on_within_the_day(self) -> None:
        for hour, minute, wanted in ((0, 0, 0), (0, 15, 1), (12, 0, 48), (23, 59, 95)):
            moment = time.struct_time((2026, 11, 30, hour, minute, 0, 0, 334, 0))
            with mock.patch.object(client.time, "localtime", return_value=moment):
                self.assertEqual(client.first_serial(), 2026113000 + wanted)
                self.assertEqual(client.next_serial(2026113099), 2026113100)

    def test_every_write_of_ours_raises_it(self) -> None:
        zone_id = self.add_zone(NAME)["id"]
        record = {"zone_id": zone_id, "type": "a", "name": "x", "ttl": 300}
        last = self.serial()
        rc_id = self.done("add/record", **record, ip="192.0.2.1")["record"]["id"]
        self.assertGreater(self.serial(), last)
        for path, more in (
            ("update/record", {"rc_id": rc_id, "ip": "192.0.2.2"}),
            ("delete/record", {"rc_id": rc_id}),
        ):
            last = self.serial()
            self.done(path, **record, **more)
            self.assertGreater(self.serial(), last)

    def test_a_secondary_that_holds_a_later_one_is_overtaken_by_a_repair(self) -> None:
        self.add_zone(NAME)
        last, now = TODAY + 9000, timezone.now()
        Publication.objects.create(
            zone=Zone.objects.get(),
            serial=self.serial(),
            served={"ns1.nodepoint.eu": self.serial(), "ns2.nodepoint.eu": last},
            looked_at=now,
            wrong_since=now - timedelta(minutes=9),
        )
        self.assertEqual(len(self.findings()), 1)
        self.repair()
        self.assertEqual(self.serial(), last + 1)


@on_one_database
class TransferTests(SerialCase):
    XFER, NOTIFY = "192.0.2.53,2001:db8::/64", "192.0.2.53"

    def set(self):
        return override_settings(DNS_XFER=self.XFER.split(","), DNS_ALSO_NOTIFY=[self.NOTIFY])

    def transfers(self) -> tuple[str, str]:
        zone = self.in_panel(NAME)
        return zone["xfer"], zone["also_notify"]

    def test_new_zones_have_them(self) -> None:
        with self.set():
            self.add_zone(NAME)
            self.assertEqual(self.transfers(), (self.XFER, self.NOTIFY))
            self.assertEqual(self.findings(), [])

    def test_old_ones_differ_and_are_put_right_with_a_raised_serial(self) -> None:
        self.add_zone(NAME)
        self.assertEqual(self.transfers(), ("", ""))
        with self.set():
            (detail,) = self.findings()
            wanted = f"xfer empty instead of {self.XFER}; also_notify empty instead of {self.NOTIFY}"
            self.assertEqual(detail, wanted)
            before = self.serial()
            self.repair()
            self.assertEqual(self.transfers(), (self.XFER, self.NOTIFY))
            self.assertGreater(self.serial(), before)
            self.assertEqual(self.findings(), [])

    def test_what_staff_set_stays_where_nothing_is_configured(self) -> None:
        self.add_zone(NAME)
        with self.lab.lock:
            self.lab.ispconfig.panel.zones.update(Zone.objects.get().ispconfig_id, {"xfer": "198.51.100.1"})
        self.assertEqual(self.findings(), [])
        self.repair()
        self.assertEqual(self.transfers()[0], "198.51.100.1")
