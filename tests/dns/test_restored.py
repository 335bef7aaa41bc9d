"""Zones after the database came back from a dump: whose they are ISPConfig knows."""

from io import StringIO
from unittest import mock

from django.core.management import call_command
from django.db import transaction

from dns.models import Customer, Zone
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from tests.base import on_one_database
from tests.dns.base import DnsTestCase


@on_one_database
class RestoredZoneTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_zone("old.example", user=1)
        self.saved = transaction.savepoint()

    def come_back(self) -> None:
        transaction.savepoint_rollback(self.saved)

    def nobody_works(self):
        """Jobs are submitted, and nobody carries them out."""
        return mock.patch.object(queue, "wait_for", lambda job_id, *_: Job.objects.get(pk=job_id))

    def restored(self, *words: str) -> str:
        out = StringIO()
        call_command("restored", *words, stdout=out)
        return out.getvalue()

    def test_zones_added_and_deleted_after_the_dump(self) -> None:
        shown = self.add_zone("new.example", user=2)
        self.add_zone("second.example", user=1)
        self.done("delete/zone", user=1, domain="old.example")
        self.come_back()
        before = self.panel()
        said = self.restored()
        self.assertEqual(self.panel(), before, "nothing is written")
        self.assertRegex(said, r"adopted +ispconfig +zone new.example +Of the customer 2")
        self.assertRegex(said, r"missing +ispconfig +zone old.example")
        self.assertEqual(Customer.objects.get(user_id="2").zones.get().ispconfig_id, int(shown["id"]))
        self.delegate("new.example")
        self.refused(409, "taken", "add/zone", user=3, domain="new.example")
        self.assertEqual(self.zone("new.example", user=2), shown)

    def test_a_zone_that_was_being_made_is_made_and_a_change_of_a_record_is_not_repeated(self) -> None:
        self.delegate("made.example")
        with self.nobody_works():
            self.call("add/zone", user=1, domain="made.example", accept="application/json")
            zone = self.zone_row("old.example")
            body = {
                "type": "a",
                "name": "x.old.example",
                "ttl": 300,
                "ip": "192.0.2.1",
                "zone": "old.example",
            }
            self.call("add/record", user=1, **body)
        self.saved = transaction.savepoint()
        self.run_jobs()
        self.come_back()
        before = self.panel()
        said = self.restored()
        self.assertIn("Not carried out again", said)
        self.assertEqual(self.zone_row("made.example").state, Zone.State.ACTIVE)
        self.restored("--release")
        self.run_jobs()
        self.assertEqual(self.panel(), before)
        self.assertFalse(Job.objects.filter(subject=zone.key, state__in=Job.ALIVE).exists())

    def zone_row(self, name: str) -> Zone:
        return Zone.objects.get(name_key=name)

    def test_a_deletion_that_was_done_does_not_meet_the_zone_that_was_added_again(self) -> None:
        with self.nobody_works():
            self.call("delete/zone", user=1, domain="old.example")
        self.saved = transaction.savepoint()
        self.run_jobs()
        again = self.add_zone("old.example", user=1)
        self.come_back()
        self.restored()
        self.restored("--release")
        self.run_jobs()
        self.assertEqual(self.zone("old.example", user=1), again)
