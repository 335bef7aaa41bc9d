"""How often one step asks Proxmox VE: no more than once a second, however it is refused, unless it only looks
whether its work has ended."""

from datetime import datetime
from itertools import pairwise
from typing import Any
from unittest import mock

from nodepoint.jobs import engine
from nodepoint.jobs.models import JobStep
from tests.base import on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase

# act: what goes before it, the path, and the body
ACTS: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
    "stop": ((), "/action/stop", {}),
    "start": (("/action/stop",), "/action/start", {}),
    "restart": ((), "/action/restart", {}),
    "suspend": ((), "/suspend", {}),
    "unsuspend": (("/suspend",), "/unsuspend", {}),
    "backup": ((), "/action/mkbak", {}),
    "reset": ((), "/action/reset", {}),
    "upgrade": ((), "/wp/upgrade", {"plan": "premium"}),
    "delete": ((), "/delete-site", {}),
}
REFUSALS = ("refuse", "error", "drop_before")
MINUTES = 2


@on_one_database
class PaceTests(ActsMixin, SiteTestCase):
    """`asked`: the moments of the test's clock in which each step, or its undo, which begins at once, asked
    Proxmox VE for something, and whether that went wrong."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: dict[tuple[int, str], list[tuple[datetime, bool]]] = {}
        execute = engine.execute

        def noted(held: Any, clock: Any) -> Any:
            before, begun = self.count("proxmox"), clock.now()
            key = (held.step.pk, f"{held.step.name} {held.step.state == JobStep.State.UNDOING}")
            done = execute(held, clock)
            if self.count("proxmox") > before:
                refused = JobStep.objects.filter(pk=held.step.pk).exclude(error="").exists()
                self.asked.setdefault(key, []).append((begun, refused))
            return done

        self.enterContext(mock.patch.object(engine, "execute", noted))

    def assert_paced(self, kind: str) -> None:
        """Between two calls of a step that asked there was a second where the first of them was refused."""
        self.assertTrue(self.asked, f"{kind}: nothing was asked")
        for (_, name), moments in self.asked.items():
            gaps = [((later - sooner).total_seconds(), no) for (sooner, no), (later, _) in pairwise(moments)]
            paced = [gap for gap, refused in gaps if refused]
            self.assertGreaterEqual(min(paced, default=1.0), 1.0, f"{kind}: {name} {gaps}")
            self.assertLessEqual(sum(gap < 1.0 for gap, _ in gaps), 2, f"{kind}: {name} {gaps}")

    def test_an_order(self) -> None:
        for number, kind in enumerate(("error", "drop_before")):
            with self.subTest(kind):
                self.asked.clear()
                self.create(service_id=f"S{number}", email=f"s{number}@example.com")
                self.fault("proxmox", kind, count=10_000)
                self.run_for(60 * MINUTES)
                self.clear_faults()
                self.run_jobs()
                self.assert_paced(kind)

    def test_every_act_on_a_site(self) -> None:
        self.live_site()
        for act, (before, path, body) in ACTS.items():
            for path_before in before:
                self.act(path_before)
            kind = REFUSALS[list(ACTS).index(act) % len(REFUSALS)] if act != "restart" else "error"
            with self.subTest(act, kind=kind):
                self.asked.clear()
                self.assertEqual(self.ask(path, **body).status_code, 200)
                self.fault("proxmox", kind, count=10_000)
                self.run_for(60 * MINUTES)
                self.clear_faults()
                self.run_jobs()
                self.assert_paced(f"{act} {kind}")
            for back in {"suspend": "/unsuspend", "stop": "/action/start"}.get(act, "").split():
                self.act(back)
