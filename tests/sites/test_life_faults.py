"""Faults in the calls behind suspension, power and plans: before the effect, after it, and lasting ones."""

from unittest import mock

from nodepoint.jobs import engine
from nodepoint.jobs.models import Job
from sites import flows
from tests.base import on_one_database
from tests.sites.acts import RUNNING, STOPPED, SUSPENDED, ActsMixin
from tests.sites.base import SiteTestCase
from tests.sites.faults import CT, HA, HA_STATE, HOSTS, PASSING, Act, acts, without_followers

CONFIG = Act("proxmox", f"GET {CT}/900/config")
WRITTEN = Act("proxmox", f"PUT {CT}/900/config")
STATUS = Act("proxmox", f"GET {CT}/900/status/current")
HA_READ, HA_WRITTEN = Act("proxmox", f"GET {HA}", plan="premium"), Act("proxmox", f"PUT {HA}", plan="premium")
STARTED = (Act("proxmox", "/status/start"), Act("proxmox", ":vzstart:"))
ENDED = (Act("proxmox", "/status/shutdown"), Act("proxmox", ":vzshutdown:"))
LOOK = (STATUS, HA_READ, HA_STATE, HA_WRITTEN)
TUNED = (Act("ssh", "bash -s install"), Act("ssh", "install.status"))
ONLY_WITH_A_NEW_PLAN = "tested with sites.upgrade"

# flow: step: the calls that matter to it
FLOWS: dict[str, dict[str, tuple[Act, ...] | str]] = {
    "sites.suspend": {
        "traffic": (Act("npm", f"GET {HOSTS}"), Act("npm", "/disable")),
        "autostart": (CONFIG, WRITTEN),
        "power": (*LOOK, *ENDED),
    },
    "sites.unsuspend": {
        "traffic": (Act("npm", f"GET {HOSTS}"), Act("npm", "/enable")),
        "autostart": (CONFIG, WRITTEN),
        "power": (*LOOK, *STARTED),
        "tuned": ONLY_WITH_A_NEW_PLAN,
    },
    "sites.stop": {"power": (CONFIG, *LOOK, *ENDED)},
    "sites.start": {"power": (CONFIG, *LOOK, *STARTED), "tuned": ONLY_WITH_A_NEW_PLAN},
    "sites.restart": {
        "rebooted": (CONFIG, Act("proxmox", "/status/reboot"), Act("proxmox", ":vzreboot:")),
        "power": (STATUS, HA_READ),
        "tuned": ONLY_WITH_A_NEW_PLAN,
    },
    "sites.upgrade": {
        "sized": (CONFIG, Act("proxmox", "/resize"), Act("proxmox", ":resize:"), WRITTEN),
        "high_availability": (Act("proxmox", f"GET {HA}"), Act("proxmox", f"POST {HA}")),
        "recorded": "rows of our own",
        "tuned": (STATUS, *TUNED),
    },
}
# flow: the call, what it begins from, and what it leads to
CALLS = {
    "sites.suspend": ("/suspend", {}, SUSPENDED),
    "sites.unsuspend": ("/unsuspend", {}, RUNNING),
    "sites.stop": ("/action/stop", {}, STOPPED),
    "sites.start": ("/action/start", {}, RUNNING),
    "sites.restart": ("/action/restart", {}, RUNNING),
    "sites.upgrade": ("/wp/upgrade", {"plan": "premium"}, {**RUNNING, "ha": "started"}),
}
BEFORE = {"sites.unsuspend": "/suspend", "sites.start": "/action/stop"}
HA_STATES = {"running": "started", "stopped": "stopped"}


class Killed(BaseException):
    """As if the worker had been killed: nothing catches it, nothing is tidied up."""


@on_one_database
class LifeFaultTests(ActsMixin, SiteTestCase):
    number = 0

    def prepared(self, kind: str, plan: str):
        """A site of its own in the state from which the act leads somewhere."""
        self.number += 1
        site = self.live_site(service_id=f"S{self.number}", email=f"s{self.number}@example.com", plan=plan)
        if kind in BEFORE:
            self.act(BEFORE[kind], site.service_id)
        return site

    def expected(self, kind: str, plan: str) -> dict:
        after = CALLS[kind][2]
        return {**after, "ha": HA_STATES[after["container"]]} if plan == "premium" else after

    def plans(self, kind: str) -> tuple[str, ...]:
        return ("basic",) if kind == "sites.upgrade" else ("basic", "premium")

    def faulty(self, kind: str, plan: str, site) -> list[Act]:
        """The calls to fail, at this site's VMID; under HA nobody starts or ends the container directly."""
        own = []
        for _, act in acts(FLOWS[kind]):
            if act.plan == "basic" and plan == "premium" and act in (*STARTED, *ENDED):
                continue
            if act.plan == "premium" and plan == "basic":
                continue
            if act == HA_WRITTEN and kind == "sites.restart":
                continue
            own.append(Act(act.system, act.match.replace("/900/", f"/{site.vmid}/")))
        return own

    def test_every_step_has_its_row(self):
        for flow in (flows.SUSPEND, flows.UNSUSPEND, flows.START, flows.STOP, flows.RESTART, flows.UPGRADE):
            self.assertEqual(set(FLOWS[flow.name]), set(flow.by_name), flow.name)

    def test_faults_that_pass_in_every_call(self):
        for kind, (path, body, _) in CALLS.items():
            for plan in self.plans(kind):
                for fault in PASSING:
                    with self.subTest(kind=kind, plan=plan, fault=fault):
                        site = self.prepared(kind, plan)
                        for act in without_followers(self.faulty(kind, plan, site), fault):
                            self.fault(act.system, fault, act.match, seconds=0.02)
                        answer = self.act(path, site.service_id, **body)
                        self.assertEqual(answer.status_code, 200, self.tale(site))
                        self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                        self.assertEqual(self.places(site), self.expected(kind, plan), self.tale(site))
                        self.clear_faults()

    def test_a_lasting_refusal_of_each_call_is_waited_out_by_a_suspension_and_its_end(self):
        for kind in ("sites.suspend", "sites.unsuspend"):
            for plan in self.plans(kind):
                site = self.prepared(kind, plan)
                self.ask(CALLS[kind][0], site.service_id)
                for held_up in self.refuse_one_after_the_other(self._in_turn(kind, plan, site)):
                    with self.subTest(kind=kind, plan=plan, call=held_up.match):
                        job = self.job(site, kind)
                        self.assertEqual(job.state, Job.State.WAITING, self.tale(site))
                        self.assert_readable(job.steps.filter(state="waiting").first().error)
                self.assertEqual(self.places(site), self.expected(kind, plan), self.tale(site))

    def of_the_container(self, site) -> list[Act]:
        """The calls of a change of plan that come one after the other, up to the noting of the plan."""
        return [act for act in self.faulty("sites.upgrade", "basic", site) if act.system == "proxmox"][:-1]

    def test_a_change_of_plan_waits_while_each_call_is_without_an_answer(self):
        site = self.prepared("sites.upgrade", "basic")
        self.ask("/wp/upgrade", site.service_id, plan="premium")
        for held_up in self.refuse_one_after_the_other(self.of_the_container(site), "drop_before"):
            with self.subTest(call=held_up.match):
                job = self.job(site, "sites.upgrade")
                self.assertEqual(job.state, Job.State.WAITING, self.tale(site))
                self.assert_readable(job.steps.filter(state="waiting").first().error)
                site.refresh_from_db()
                self.assertEqual(site.plan.name, "basic", "the row follows the container")
        self.assertEqual(self.places(site), {**RUNNING, "ha": "started"}, self.tale(site))
        site.refresh_from_db()
        self.assertEqual((site.plan.name, site.tuned_for_mb), ("premium", 8192))

    def test_a_change_of_plan_is_taken_back_where_a_call_is_refused(self):
        site = self.prepared("sites.upgrade", "basic")
        for act in self.of_the_container(site):
            with self.subTest(call=act.match):
                self.fault(act.system, "refuse", act.match, count=10_000)
                self.ask("/wp/upgrade", site.service_id, plan="premium")
                self.run_for(300)
                self.clear_faults()
                self.run_jobs()
                job = Job.objects.filter(subject=site.key, kind="sites.upgrade").latest("created_at")
                self.assertEqual(job.state, Job.State.ROLLED_BACK, self.tale(site))
                self.assert_readable(job.error)
                site.refresh_from_db()
                self.assertEqual((site.plan.name, self.container(site.vmid)["memory"]), ("basic", 2048))
                self.assertEqual(self.places(site), RUNNING, self.tale(site))

    def test_an_inside_that_cannot_be_reached_does_not_hold_up_a_change_of_plan(self):
        for act in FLOWS["sites.upgrade"]["tuned"]:
            site = self.prepared("sites.upgrade", "basic")
            with self.subTest(call=act.match):
                self.ask("/wp/upgrade", site.service_id, plan="standard")
                match = act.match.replace("/900/", f"/{site.vmid}/")
                self.fault(act.system, "refuse", match, 10_000)
                self.run_jobs()
                job = self.job(site, "sites.upgrade")
                self.assertEqual(job.state, Job.State.SUCCEEDED, self.tale(site))
                self.assert_readable(job.warning)
                self.clear_faults()
                self.act("/action/restart", site.service_id)
                site.refresh_from_db()
                self.assertEqual((site.plan.name, site.tuned_for_mb), ("standard", 4096), self.tale(site))

    def _in_turn(self, kind: str, plan: str, site) -> list[Act]:
        """Calls that come one after the other: NPM is asked beside Proxmox VE."""
        return [act for act in self.faulty(kind, plan, site) if act.system == "proxmox"]

    def test_a_lasting_refusal_of_each_call_ends_an_action_in_an_error_that_can_be_repeated(self):
        for kind in ("sites.start", "sites.stop", "sites.restart"):
            path, body, _ = CALLS[kind]
            site = self.prepared(kind, "basic")
            for act in self.faulty(kind, "basic", site):
                with self.subTest(kind=kind, call=act.match):
                    self.fault(act.system, "refuse", act.match, count=10_000)
                    self.assert_readable(
                        self.assert_refused(self.act(path, site.service_id), 500, "infrastructure")["error"]
                    )
                    self.clear_faults()
                    if kind != "sites.restart":
                        self.act(
                            {"sites.start": "/action/stop", "sites.stop": "/action/start"}[kind],
                            site.service_id,
                        )
            self.act(path, site.service_id, **body)
            self.assertEqual(self.places(site), self.expected(kind, "basic"), self.tale(site))

    def crash_at_every_call(self) -> None:
        """Run all jobs; each call is killed the first time, after its effect and before it is recorded."""
        real, seen = engine._call, set()

        def kill_once(step, *args):
            outcome = real(step, *args)
            if (key := (step.pk, step.calls, step.state)) not in seen:
                seen.add(key)
                raise Killed
            return outcome

        with mock.patch.object(engine, "_call", kill_once):
            for _ in range(100):
                try:
                    self.run_jobs()
                except Killed:
                    continue
                self.assertTrue(seen)
                return
        self.fail("killed without end")

    def test_a_crash_at_every_moment(self):
        for kind, (path, body, _) in CALLS.items():
            plan = self.plans(kind)[-1]
            site = self.prepared(kind, plan)
            with self.subTest(kind=kind, plan=plan):
                self.ask(path, site.service_id, **body)
                self.crash_at_every_call()
                self.assertEqual(self.job(site, kind).state, "succeeded", self.tale(site))
                self.assertEqual(self.places(site), self.expected(kind, plan), self.tale(site))
