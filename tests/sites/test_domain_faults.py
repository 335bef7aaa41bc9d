"""Faults at NPM while a custom domain is added, encrypted and removed, and while traffic is switched."""

from collections.abc import Callable

from django.test import override_settings

from nodepoint.jobs.models import Job
from sites.connections import npm
from sites.flows import ADD_DOMAIN, CERTIFICATE, REMOVE_DOMAIN, TOGGLE
from sites.models import CustomDomain
from tests.base import on_one_database
from tests.sites import test_crashes
from tests.sites.domains import SHOP, DomainTestCase
from tests.sites.faults import CERTIFICATES, HOSTS, PASSING, Act

# step: what it looks at and what it does; empty with a reason where it calls nobody.
ADD: dict[str, tuple[Act, ...] | str] = {
    "accepted": "rows of our own",
    "proven": "rows of our own; where a TXT record is needed, test_names_of_others.py has its faults",
    "proxy_host": (Act("npm", f"GET {HOSTS}"), Act("npm", f"POST {HOSTS}")),
    "certificate_wished": "rows of our own",
}
ORDER: dict[str, tuple[Act, ...] | str] = {
    "wished": "rows of our own",
    "certificate": (Act("npm", f"GET {CERTIFICATES}"), Act("npm", f"POST {CERTIFICATES}")),
    "encryption": (Act("npm", f"PUT {HOSTS}"),),
    "primary_wished": "rows of our own",
}
REMOVE: dict[str, tuple[Act, ...] | str] = {
    "accepted": "rows of our own",
    "order_stopped": "rows of our own",
    "handed_over": "it has its own (test_primary_domain.py)",
    "proxy_host_gone": (Act("npm", f"GET {HOSTS}"), Act("npm", f"DELETE {HOSTS}")),
    "certificate_gone": (Act("npm", f"GET {CERTIFICATES}"), Act("npm", f"DELETE {CERTIFICATES}")),
    "forgotten": "rows of our own",
}
SWITCH: dict[str, tuple[Act, ...] | str] = {
    "traffic": (Act("npm", f"GET {HOSTS}"), Act("npm", "/disable"), Act("npm", f"GET {HOSTS}/")),
}


def acts(table: dict[str, tuple[Act, ...] | str]) -> list[Act]:
    return [act for found in table.values() if not isinstance(found, str) for act in found]


@on_one_database
class DomainFaultTests(DomainTestCase):
    def assert_active(self) -> None:
        (details,) = self.domains()["details"]
        expected = {"domain": SHOP, "status": "active", "certificate": "active", "error": None}
        expected |= {"primary": True, "problem": None}
        self.assertEqual(details, expected, self.tale(self.site))
        self.assertEqual([self.host_of()["certificate_id"]], self.certificates_of())
        self.assertTrue(self.served() and self.host_of()["ssl_forced"])

    def assert_gone(self) -> None:
        self.assertEqual((self.hosts_of(), self.certificates_of()), ([], []), self.tale(self.site))
        self.assertFalse(CustomDomain.objects.exists(), self.tale(self.site))

    def test_every_step_has_its_row(self):
        for table, flow in (
            (ADD, ADD_DOMAIN),
            (ORDER, CERTIFICATE),
            (REMOVE, REMOVE_DOMAIN),
            (SWITCH, TOGGLE),
        ):
            self.assertEqual(set(table), set(flow.by_name))

    def test_faults_that_pass_in_each_call(self):
        for kind in PASSING:
            with self.subTest(kind=kind):
                for act in (*acts(ADD), *acts(ORDER)):
                    self.fault(act.system, kind, act.match, seconds=0.02)
                self.accept()
                self.run_jobs()
                self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                self.assert_active()
                for act in acts(REMOVE):
                    self.fault(act.system, kind, act.match, seconds=0.02)
                self.del_domain()
                self.run_jobs()
                self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                self.assert_gone()

    def test_a_lasting_fault_of_each_call_fails_an_addition_which_can_be_asked_for_anew_or_removed(self):
        for kind, act in zip(("refuse", "drop_before"), acts(ADD), strict=True):
            with self.subTest(kind=kind, call=act.match):
                self.fault(act.system, kind, act.match, 10_000)
                self.accept()
                self.run_jobs()
                job = self.latest("sites.add_domain")
                self.assertEqual(job.state, "rolled_back")
                (details,) = self.domains()["details"]
                self.assertEqual((details["status"], details["certificate"]), ("failed", "none"))
                self.assertEqual(details["error"], job.error)
                self.assert_readable(job.error)
                self.assertEqual(self.domains()["count"], 2, "it counts until it is removed")
                self.clear_faults()
                self.accept()
                self.run_jobs()
                self.assert_active()
                self.del_domain()
                self.run_jobs()
                self.assert_gone()

    def test_a_lasting_fault_of_each_call_fails_a_removal_which_can_be_asked_for_anew(self):
        for act in acts(REMOVE):
            with self.subTest(call=act.match):
                self.add()
                kind = "refuse" if act.match.startswith("GET") else "drop_before"
                self.fault(act.system, kind, act.match, 10_000)
                self.del_domain()
                self.run_jobs()
                job = self.latest("sites.remove_domain")
                self.assertEqual(job.state, "rolled_back", self.tale(self.site))
                (details,) = self.domains()["details"]
                self.assertEqual((details["status"], details["error"]), ("failed", job.error))
                self.assert_readable(job.error)
                self.clear_faults()
                self.del_domain()
                self.run_jobs()
                self.assert_gone()

    def test_a_lasting_fault_of_each_call_only_delays_the_certificate(self):
        for kind in ("refuse", "drop_before"):
            for act in acts(ORDER):
                self.lab.npm.state.certificates._authority._issued.clear()  # five a week for one name
                with self.subTest(kind=kind, call=act.match):
                    self.accept()
                    while self.latest("sites.add_domain").alive:
                        self.run_calls(1)
                    self.fault(act.system, kind, act.match, 100_000)
                    self.run_for(600)
                    (details,) = self.domains()["details"]
                    self.assertEqual(details["status"], "active")
                    self.assertNotEqual(details["certificate"], "active")
                    # After an order that went well nginx learns of the host with the next write only.
                    self.assertEqual(self.served(), not act.match.startswith("PUT"))
                    self.clear_faults()
                    self.run_jobs()
                    self.assert_active()
                    self.del_domain()
                    self.run_jobs()

    def test_faults_that_pass_while_traffic_is_switched(self):
        self.add()
        for kind in PASSING:
            for act in acts(SWITCH):
                with self.subTest(kind=kind, call=act.match):
                    self.fault(act.system, kind, act.match, seconds=0.02)
                    self.toggle(enabled=False)
                    self.run_jobs()
                    self.assertEqual(self.latest("sites.toggle").state, "succeeded")
                    self.assertFalse(self.served() or self.served(self.site.hostname))
                    self.toggle(enabled=True)
                    self.run_jobs()
                    self.clear_faults()
                    self.assertTrue(self.served() and self.served(self.site.hostname))

    def test_nginx_that_does_not_take_the_host_is_no_success(self):
        real = self.lab.npm.state._configure

        def refuse(id: int) -> None:
            real(id)
            row = self.lab.npm.state._rows[id]
            self.lab.npm.state._save(
                row | {"meta": row["meta"] | {"nginx_online": False, "nginx_err": "emerg"}}
            )

        self.lab.npm.state._configure = refuse
        self.accept()
        self.run_jobs()
        job = self.latest("sites.add_domain")
        self.assertEqual(job.state, "rolled_back")
        self.assertIn("emerg", job.detail)
        self.lab.npm.state._configure = real
        self.accept()
        self.run_jobs()
        self.assert_active()

    def test_a_foreign_host_for_the_name_fails_it_and_stays(self):
        theirs = npm().create_proxy_host([SHOP], "192.168.1.77", meta={"made_by": "hand"})
        self.accept()
        self.run_jobs()
        job = self.latest("sites.add_domain")
        self.assertEqual((job.state, self.host_of()["id"]), ("rolled_back", theirs.id))
        self.assertIn(str(theirs.id), job.detail)

    def latest(self, kind: str):
        return Job.objects.filter(kind=kind).order_by("-created_at", "-pk").first()


@override_settings(NPM_CERTIFICATE="letsencrypt")
@on_one_database
class DomainCrashTests(DomainTestCase):
    """Killed at every border of every call of its jobs, a domain is made once and removed wholly."""

    BORDERS = test_crashes.CrashTests.BORDERS

    def survive(self, border: str, until: Callable[[], bool]) -> set[str]:
        killed: set[str] = set()
        with test_crashes.CrashTests._killing(self, border, killed):
            for _ in range(100):
                try:
                    self.run_jobs()
                except test_crashes.Killed:
                    continue
                self.assertTrue(until())
                return killed
        raise AssertionError("killed without end")

    def test_adding_and_removing(self):
        for border in self.BORDERS:
            with self.subTest(border):
                self.calls.clear()
                domain = self.accept()
                killed = self.survive(border, lambda: True)
                self.assertLessEqual(
                    {"proxy_host", "certificate_wished", "certificate", "encryption"}, killed
                )
                domain.refresh_from_db()
                self.assertEqual((domain.status, domain.certificate), ("active", "active"))
                self.assertEqual(self.count("npm", f"POST {HOSTS}"), 1, self.calls)
                self.assertEqual((self.orders(), len(self.certificates_of())), (1, 1))
                self.del_domain()
                killed = self.survive(border, lambda: not CustomDomain.objects.exists())
                self.assertEqual(killed, {step.name for step in REMOVE_DOMAIN.steps if step.run})
                self.assertEqual((self.hosts_of(), self.certificates_of()), ([], []))
