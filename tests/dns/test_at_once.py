"""Several requests and several workers at the same moment."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from django.db import close_old_connections, connection
from django.test import Client

from dns import connections, lookup, marks, services, views
from dns.connections import ispconfig
from dns.models import Customer, Zone
from nodepoint.jobs import engine
from nodepoint.jobs.models import Job, JobStep
from tests.base import LabTransactionTestCase
from tests.dns.base import OURS, DnsTestCase


class AtOnceTests(LabTransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        connections.forget()

    def together(self, work: list[Any]) -> None:
        """Call all of these at once, each in a thread with a database connection of its own."""
        gate, errors = threading.Barrier(len(work)), []

        def run(act: Any) -> None:
            try:
                gate.wait(10)
                act()
            except Exception as error:  # noqa: BLE001 - shown by the assertion
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(act,)) for act in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])

    def order(self, path: str, answers: list[Any], **body: Any) -> Any:
        """A call, answered at once; its status goes to `answers`."""

        def act() -> None:
            headers = self.headers(Accept="application/json", Prefer="respond-async")
            answer = Client().post(
                f"/customdomain/{path}", body, content_type="application/json", headers=headers
            )
            answers.append(answer.status_code)

        return act

    def work_off(self, workers: int = 4) -> None:
        """Call all steps from several threads, as runners do."""

        def work() -> None:
            clock, until = engine.WallClock(), time.monotonic() + 20
            while time.monotonic() < until and Job.objects.filter(state__in=Job.ALIVE).exists():
                for claim in engine.claim_due(clock.now(), 1):
                    engine.execute(claim, clock)
                close_old_connections()
                time.sleep(0.01)

        self.together([work] * workers)
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())

    def test_of_a_domain_and_its_subdomain_one_customer_gets_his(self) -> None:
        answers: list[int] = []
        for name in ("example.com", "sub.example.com"):
            self.lab.dns.set(name, "NS", OURS)
        self.together(
            [
                self.order("add/zone", answers, user_id=1, domain="example.com"),
                self.order("add/zone", answers, user_id=2, domain="sub.example.com"),
                self.order("add/zone", answers, user_id=3, domain="example.com"),
            ]
        )
        self.assertEqual(sorted(answers), [200, 409, 409])
        self.work_off()
        self.assertEqual(len(self.state()["ispconfig"]["zones"]), 1)

    def test_a_customer_s_zones_at_once_have_one_client(self) -> None:
        answers: list[int] = []
        names = [f"z{number}.com" for number in range(4)]
        for name in names:
            self.lab.dns.set(name, "NS", OURS)
        self.together([self.order("add/zone", answers, user_id=1, domain=name) for name in names])
        self.assertEqual(answers, [200] * 4)
        self.work_off()
        panel = self.state()["ispconfig"]
        self.assertEqual(len(panel["clients"]), 1)
        self.assertEqual([zone["active"] for zone in panel["zones"]], ["Y"] * 4)
        self.assertEqual(Customer.objects.count(), 1)
        self.assertEqual(set(Zone.objects.values_list("state", flat=True)), {Zone.State.ACTIVE})

    def test_the_same_record_at_once_is_there_once(self) -> None:
        self.lab.dns.set("example.com", "NS", OURS)
        self.order("add/zone", [], user_id=1, domain="example.com")()
        self.work_off()
        answers: list[int] = []
        record = {"zone": "example.com", "type": "a", "name": "x", "ttl": 60, "ip": "192.0.2.1"}
        cname = {"zone": "example.com", "type": "cname", "name": "x", "ttl": 60, "target": "y.example.net"}
        self.together(
            [
                *[self.order("add/record", answers, user_id=1, **record) for _ in range(3)],
                self.order("add/record", answers, user_id=1, **cname),
            ]
        )
        self.work_off()
        (zone,) = self.state()["ispconfig"]["zones"]
        self.assertEqual(len([r for r in zone["records"] if r["name"] == "x.example.com."]), 1)
        jobs = Job.objects.filter(kind="dns.add_record").values_list("state", flat=True)
        self.assertEqual(sorted(jobs).count(Job.State.SUCCEEDED), 1)


class WaitingTests(DnsTestCase):
    def test_work_that_takes_longer_goes_on_and_is_answered_as_running(self) -> None:
        id = self.add_zone("example.com")["id"]
        record = {"zone_id": id, "type": "a", "name": "x", "ttl": 60, "ip": "192.0.2.1"}
        with (
            mock.patch.object(services.queue, "wait_for", self.real_wait),
            mock.patch.object(views, "ANSWER_WITHIN", 0.5),
        ):
            begun = time.monotonic()
            answer = self.call("add/record", **record)
        self.assertLess(time.monotonic() - begun, 1.5)
        body = answer.json()
        self.assertEqual((answer.status_code, body["state"], body["record"]["id"]), (200, "running", None))
        self.assertEqual(JobStep.objects.get(job=body["job"]["id"]).state, JobStep.State.RUNNING)
        self.run_jobs()
        self.assertTrue(
            any(r["name"] == "x.example.com." for r in self.zone("example.com")["records"].values())
        )


class ReadersTests(LabTransactionTestCase):
    """Customers look at their zones while many write and ISPConfig is slow."""

    THREADS = 8  # of a web process

    def setUp(self) -> None:
        super().setUp()
        connections.forget()
        customer = Customer.objects.create(user_id="1")
        client = ispconfig().create_client(marks.number("1"), marks.username("1"), "Ada", "ada@example.com")
        group = ispconfig().client_group(client)
        Customer.objects.filter(pk=customer.pk).update(client_id=client, group_id=group)
        self.zone_id = ispconfig().create_zone(client, "example.com.", "ns1.nodepoint.eu.", "h.x.eu.", 1)
        server = {"type": "NS", "name": "", "data": "ns1.nodepoint.eu.", "ttl": 60, "priority": 0}
        ispconfig().create_record(client, self.zone_id, **server)
        row = {"name": "example.com", "name_key": "example.com", "state": Zone.State.ACTIVE}
        Zone.objects.create(customer=customer, ispconfig_id=self.zone_id, **row)

    def ask(self, path: str, **body: Any) -> Any:
        try:
            values = {"user_id": 1, **body}
            headers = self.headers(Accept="application/json")
            return Client().post(
                f"/customdomain/{path}", values, content_type="application/json", headers=headers
            )
        finally:
            connection.close()

    def test_getdata_does_not_stand_behind_24_writers(self) -> None:
        """What writers look at is so slow that, one after the other, they would hold every thread and every
        call that may be under way for longer than `getdata` has."""
        self.enterContext(mock.patch.object(lookup, "LOOK_SECONDS", 9.0))
        self.lab.faults.add("ispconfig", "slow", count=1000, match="dns_rr_get_all_by_zone", seconds=7)
        record = {"zone_id": self.zone_id, "type": "a", "ttl": 60, "ip": "192.0.2.1"}
        with ThreadPoolExecutor(self.THREADS) as web:
            writers = [
                web.submit(self.ask, "add/record", name=f"x{number}", **record) for number in range(24)
            ]
            answer = web.submit(self.ask, "getdata").result()
            first = [writer.done() for writer in writers[: self.THREADS]]
            while not all(writer.done() for writer in writers):
                Job.objects.update(state=Job.State.SUCCEEDED)
                time.sleep(0.1)
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual([item["zone"]["name"] for item in answer.json()["zones"]], ["example.com"])
        self.assertFalse(all(first), "it stood in line behind those that look")
        self.assertEqual({writer.result().status_code for writer in writers}, {200})
        self.assertEqual(Job.objects.filter(kind="dns.add_record").count(), 24, "none is lost")
