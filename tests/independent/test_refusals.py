"""No retry calls Proxmox more than once a second for one step, whatever the refusal."""

from itertools import pairwise

from tests.independent.base import IndependentCase

REFUSALS = (
    (500, "CT is locked (backup)"),
    (500, "can't lock file '/run/lock/lxc/pve-config-900.lock' - got timeout"),
    (500, "CT 900 already exists on node 'node2'"),
    (500, "something that nobody has ever read"),
    (595, "No route to host"),
)


class Pauses(IndependentCase):
    """The refused call, for a while."""

    def assert_slow(self, pattern: str) -> None:
        times = [request.at for request in self.api.asked(pattern)]
        self.assertTrue(times, "it was never called")
        gaps = [later - sooner for sooner, later in pairwise(times)]
        self.assertFalse([gap for gap in gaps if gap < 0.99], (pattern, times))
        self.api.requests.clear()
        self.api.traps.clear()


class RefusedCreation(Pauses):
    """POST of the container."""

    def test_it_is_tried_once_a_second_at_most(self):
        for number, (status, text) in enumerate(REFUSALS):
            with self.subTest(text):
                self.api.refuse(r"POST /nodes/\w+/lxc$", text, status, count=10_000)
                self.order(service_id=f"R{number}", email=f"r{number}@example.com")
                self.run_for(6)
                self.assert_slow(r"POST /nodes/\w+/lxc$")
                self.run_jobs()


class RefusedActs(Pauses):
    """Of a live site."""

    plan = "basic"

    def test_they_are_tried_once_a_second_at_most(self):
        for (status, text), (path, call) in zip(
            REFUSALS,
            (
                ("/action/mkbak", r"POST .*/snapshot$"),
                ("/action/stop", r"POST .*/status/shutdown$"),
                ("/action/start", r"POST .*/status/start$"),
                ("/wp/upgrade/", r"PUT .*/(resize|config)$"),
                ("/action/restart", r"POST .*/status/reboot$"),
            ),
            strict=True,
        ):
            with self.subTest(path, text=text):
                self.api.refuse(call, text, status, count=10_000)
                self.post(path, {"service_id": "1001", "plan": "standard"}, Prefer="respond-async")
                self.run_for(6)
                self.assert_slow(call)
                self.run_jobs()
