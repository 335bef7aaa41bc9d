"""ISPConfig's client against the simulated panel."""

import threading
import unittest

import lab
from dns.clients.ispconfig import Ispconfig, first_serial, next_serial
from lab.ispconfig.sessions import MOST_FAILURES
from nodepoint.clients.errors import BadAnswer, Conflict, NotFound, Refused

FIELDS = {"type": "A", "name": "www.example.com.", "data": "192.0.2.1", "ttl": 60, "priority": 0}


class IspconfigCase(unittest.TestCase):
    """A lab for each test."""

    def setUp(self) -> None:
        self.lab = lab.start()
        self.addCleanup(self.lab.stop)
        self.client = self.of()

    def of(self, **changes: str) -> Ispconfig:
        s = self.lab.settings | changes
        return Ispconfig(
            s["ISPCONFIG_URL"],
            s["ISPCONFIG_USER"],
            s["ISPCONFIG_PASSWORD"],
            int(s["ISPCONFIG_SERVER_ID"]),
            s["ISPCONFIG_VERIFY_TLS"],
            timeout=5,
        )

    def owner(self, number: str = "P1") -> int:
        username = f"np_{number}".replace(":", "_")
        return self.client.create_client(number, username, "Customer", "a@example.com")

    def zone(self, client_id: int, origin: str = "example.com.") -> int:
        return self.client.create_zone(
            client_id, origin, "ns1.nodepoint.eu.", "hostmaster.nodepoint.eu.", first_serial()
        )


class ClientTests(IspconfigCase):
    def test_a_client_is_found_by_its_number(self) -> None:
        self.assertEqual(self.client.find_clients("P1"), [])
        id = self.owner()
        self.owner("P11")
        marked = self.owner("nodepoint:eu1:P1")
        self.assertEqual([client.id for client in self.client.find_clients("P1")], [id, marked])
        self.assertGreater(self.client.client_group(id), 1)
        with self.assertRaises(NotFound):
            self.client.client_group(99)

    def test_a_second_one_of_the_number_is_a_conflict(self) -> None:
        self.owner()
        with self.assertRaises(Conflict):
            self.owner()


class ZoneTests(IspconfigCase):
    def test_the_life_of_a_zone(self) -> None:
        owner = self.owner()
        id = self.zone(owner)
        zone = self.client.find_zone("example.com.")
        self.assertEqual((zone.id, zone.active, zone.serial), (id, False, first_serial()))
        self.assertEqual(zone.group_id, self.client.client_group(owner))
        self.client.set_zone_active(id, True, next_serial(zone.serial))
        self.assertEqual(self.client.zones_of(zone.group_id)[0].serial, first_serial() + 1)
        self.assertEqual(self.client.find_zone("example.co."), None)
        with self.assertRaises(Conflict):
            self.zone(self.owner("P2"))
        with self.assertRaises(NotFound):
            self.zone(99, "example.org.")
        self.client.delete_zone(id)
        self.client.delete_zone(id)
        self.assertIsNone(self.client.find_zone("example.com."))

    def test_records(self) -> None:
        owner = self.owner()
        zone = self.zone(owner)
        id = self.client.create_record(owner, zone, **FIELDS)
        self.client.update_record(owner, zone, id, **{**FIELDS, "ttl": 90})
        (record,) = self.client.zone_records(zone)
        self.assertEqual((record.id, record.zone_id, record.data, record.ttl), (id, zone, "192.0.2.1", 90))
        self.assertEqual(self.client.records_of(record.group_id), [record])
        self.assertEqual(
            self.client.find_zone("example.com.").group_id, record.group_id, "the zone changed hands"
        )
        self.client.delete_record(id, "A")
        self.assertEqual(self.client.zone_records(zone), [])
        with self.assertRaises(BadAnswer):
            self.client.delete_record(id, "A")


class ThrottleTests(IspconfigCase):
    def test_a_crowd_with_a_dead_session_is_not_locked_out(self) -> None:
        self.client.verify()
        errors: list[Exception] = []

        def crowd() -> None:
            try:
                for _ in range(4):
                    self.client.verify()
            except Exception as error:  # noqa: BLE001 - shown by the assertion
                errors.append(error)

        for _ in range(5):
            self.lab.ispconfig.sessions.expire()
            threads = [threading.Thread(target=crowd) for _ in range(24)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(errors, [])
        self.assertLess(self.lab.ispconfig.sessions.failures, MOST_FAILURES)

    def test_wrong_credentials_do_not_lock_others_out(self) -> None:
        wrong = self.of(ISPCONFIG_PASSWORD="not-this-one")
        for _ in range(MOST_FAILURES * 2):
            with self.assertRaises(Refused):
                wrong.verify()
        self.client.verify()

    def test_missing_permissions_are_refused(self) -> None:
        self.lab.ispconfig.sessions.denied.add("dns_zone_get")
        with self.assertRaises(Refused):
            self.client.verify()
