"""Whether a zone is really published: what the periodic look finds at the name servers, and who is told."""

import socket
import threading
from datetime import timedelta
from unittest import mock

from django.test import override_settings
from django.utils import timezone
from dnslib import QTYPE, RR, SOA, DNSRecord

from dns import connections, published, watch
from dns.clients import nameservers
from dns.connections import ispconfig
from dns.models import Publication, Zone
from dns.reconcile import compare
from nodepoint.jobs.models import Job
from tests.base import on_one_database
from tests.dns.base import DnsTestCase

NAME = "example.com"
MINUTE = timedelta(minutes=1)


class Secondary:
    """A name server of its own on 127.0.0.2: an outside secondary that serves what it has."""

    def __init__(self, port: int, serial: int | None) -> None:
        self.serial = serial
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.2", port))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            wire, client = self.socket.recvfrom(4096)
            if not wire:
                return
            query = DNSRecord.parse(wire)
            answer = query.reply(aa=1)
            if self.serial is None:
                answer.header.aa, answer.header.rcode = 0, 5
            else:
                data = SOA("ns1.nodepoint.eu", "h.nodepoint.eu", (self.serial, 1, 1, 1, 1))
                answer.add_answer(RR(query.q.qname, QTYPE.SOA, rdata=data, ttl=60))
            self.socket.sendto(answer.pack(), client)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class PublishedCase(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_zone(NAME)
        self.now = timezone.now() - 20 * MINUTE

    def look(self, after: timedelta = timedelta(0)) -> int:
        self.now += after
        return watch.look(self.now)

    def shown(self) -> tuple[bool | None, str | None]:
        zone = self.zone(NAME)
        return zone["published"], zone["problem"]

    def served(self, stopped: bool) -> None:
        """Whether the server part of ISPConfig runs."""
        with self.lab.lock:
            self.lab.dns.names.look_up(NAME, "SOA", recursive=True)  # it has taken what was there
            self.lab.ispconfig.served.stopped = stopped

    def add(self, name: str, **fields) -> None:
        record = {"type": "a", "ip": "192.0.2.7", "ttl": 300, "zone": NAME, "name": name, **fields}
        self.done("add/record", **record)

    def settle(self) -> None:
        Job.objects.update(finished_at=timezone.now() - timedelta(hours=1))

    def findings(self) -> list[tuple[str, bool]]:
        self.settle()
        return [(finding.detail, finding.repairable) for finding in compare().findings]


@on_one_database
class LookTests(PublishedCase):
    def test_it_is_not_known_before_the_first_look_and_right_after_a_change(self) -> None:
        self.assertEqual(self.shown(), (None, None))
        self.assertEqual(self.look(), 1)
        self.assertEqual(self.shown(), (True, None))
        self.add("x")
        self.assertEqual(self.shown(), (None, None))
        self.look(2 * MINUTE)
        self.assertEqual(self.shown(), (True, None))
        self.assertEqual(self.findings(), [])

    def test_the_serial_is_shown(self) -> None:
        self.assertEqual(self.zone(NAME)["serial"], int(self.in_panel(NAME)["serial"]))

    def test_a_change_that_is_not_published_is_told_after_its_minutes(self) -> None:
        self.look()
        self.served(stopped=True)
        self.add("x")
        self.look(2 * MINUTE)
        self.assertEqual(self.shown(), (None, None))
        self.assertEqual(self.findings(), [])
        self.look(4 * MINUTE)
        said, problem = self.shown()
        self.assertIs(said, False)
        self.assertIn("The latest changes are not published: ns1.nodepoint.eu and ns2.nodepoint.eu", problem)
        ((detail, repairable),) = self.findings()
        self.assertRegex(detail, r"not published: serial \d{10} in the panel; .*ns1.nodepoint.eu \d{10}")
        self.assertFalse(repairable)
        self.served(stopped=False)
        self.look(2 * MINUTE)
        self.assertEqual(self.shown(), (True, None))

    def test_a_zone_that_is_changed_all_the_time_is_not_called_stuck(self) -> None:
        self.look()
        for number in range(4):
            self.served(stopped=True)
            self.add(f"x{number}")
            self.look(2 * MINUTE)
            self.assertEqual(self.shown(), (None, None))
            self.served(stopped=False)

    def test_a_record_that_stops_the_zone_is_told_to_staff_in_the_words_of_named_checkzone(self) -> None:
        self.look()
        zone = Zone.objects.get()
        bad = {"type": "CNAME", "name": "www", "data": "x.example.net.", "ttl": 300, "priority": 0}
        ispconfig().create_record(zone.customer.client_id, zone.ispconfig_id, **bad)
        for _ in range(4):
            self.look(2 * MINUTE)
        self.assertIn("CNAME and other data", Publication.objects.get().detail)
        self.assertIn("CNAME and other data", self.findings()[0][0])
        self.assertNotIn("CNAME", self.shown()[1])

    def test_without_the_server_functions_it_is_seen_all_the_same(self) -> None:
        self.lab.ispconfig.sessions.denied |= {"server_get", "monitor_jobqueue_count"}
        self.look()
        self.served(stopped=True)
        self.add("x")
        for _ in range(4):
            self.look(2 * MINUTE)
        self.assertIs(self.shown()[0], False)
        self.assertEqual(Publication.objects.get().detail, "")

    def test_a_zone_that_is_switched_off_says_so(self) -> None:
        ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, False, 2030010101)
        self.assertEqual(self.shown(), (False, published.SWITCHED_OFF))

    def test_old_looks_say_nothing(self) -> None:
        self.look(-timedelta(hours=2))
        self.assertEqual(self.shown(), (None, None))

    def test_name_servers_or_a_panel_that_do_not_answer_change_nothing(self) -> None:
        self.look()
        self.fault("dns", "hang", match=f"{NAME} SOA", count=100, seconds=0.1)
        self.enterContext(mock.patch.object(nameservers, "TRY_SECONDS", 0.2))
        self.assertEqual(self.look(20 * MINUTE), 0)
        self.clear_faults()
        self.fault("ispconfig", "refuse", count=10)
        self.assertEqual(self.look(), 0)
        self.clear_faults()
        self.assertEqual(Publication.objects.get().wrong_since, None)

    def test_only_what_may_have_changed_is_asked(self) -> None:
        self.add_zone("other.example")
        self.assertEqual(self.look(), 2)
        self.assertEqual(self.look(2 * MINUTE), 0)
        self.add("x")
        self.assertEqual(self.look(2 * MINUTE), 1)
        self.assertEqual(self.look(timedelta(minutes=20)), 2)

    def test_the_board_leads_to_the_zone(self) -> None:
        from dns.board import unpublished

        Publication.objects.create(
            zone=Zone.objects.get(),
            serial=5,
            served={"ns1.nodepoint.eu": 4},
            looked_at=timezone.now(),
            wrong_since=timezone.now() - 5 * MINUTE,
        )
        (group,) = unpublished()
        (trouble,) = group.troubles
        self.assertEqual((group.total, trouble.title), (1, "example.com is not published"))
        self.assertIn(f"/dns/zone/{Zone.objects.get().pk}/", trouble.url)


@on_one_database
class SecondaryTests(PublishedCase):
    def setUp(self) -> None:
        super().setUp()
        self.serial = int(self.in_panel(NAME)["serial"])
        self.lab.dns.set("ns2.nodepoint.eu", "A", ["127.0.0.2"])
        self.secondary = Secondary(self.lab.dns.port, self.serial)
        self.addCleanup(self.secondary.stop)

    def stuck(self) -> tuple[bool | None, str | None]:
        for _ in range(4):
            self.look(2 * MINUTE)
        return self.shown()

    def test_both_have_it(self) -> None:
        self.assertEqual(self.stuck(), (True, None))

    def test_one_that_lags_is_named(self) -> None:
        self.secondary.serial -= 1
        said, problem = self.stuck()
        self.assertIs(said, False)
        self.assertIn("ns2.nodepoint.eu still answers as before", problem)

    def test_one_that_does_not_serve_the_zone_is_named(self) -> None:
        self.secondary.serial = None
        self.assertEqual(
            self.stuck(), (False, "ns2.nodepoint.eu does not serve this zone. Our staff can see this.")
        )

    def test_a_signed_zone_is_served_one_above_its_own(self) -> None:
        with self.lab.lock:
            row = self.lab.ispconfig.panel.zones.row(Zone.objects.get().ispconfig_id)
            row.update(dnssec_wanted="Y", dnssec_initialized="Y")
        with override_settings(NAMESERVERS=["ns2.nodepoint.eu"]):
            connections.nameservers.cache_clear()
            self.secondary.serial += 1
            self.assertEqual(self.stuck(), (True, None))
            self.secondary.serial -= 1
            self.look(20 * MINUTE)
            self.assertIs(self.stuck()[0], False)
        connections.nameservers.cache_clear()
