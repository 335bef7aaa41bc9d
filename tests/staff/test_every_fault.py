"""Any trouble that the faults of the lab can cause is found on the board, understood on the page behind its
link, and put right with at most three clicks from there.

The short form runs always; all of it with NODEPOINT_EVERY_FAULT=1.
"""

import os
import re
from unittest import mock, skipUnless

from django.db import connection
from django.test import override_settings
from django.utils import timezone

from dns import connections as dns_connections
from lab.faults import SYSTEMS as FAULTY
from nodepoint.api.errors import ApiError
from nodepoint.board import troubles
from nodepoint.clients import http
from nodepoint.clients.errors import SYSTEMS, ClientError
from nodepoint.jobs import limits, queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from nodepoint.notices.models import PREFIX
from sites import connections
from sites.clients.npm import calls
from tests.base import LabTestCase, on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.domains import DomainMixin
from tests.staff.deeds import DEEDS
from tests.staff.every_fault import (
    AWAY,
    CONTENT,
    ENDLESS,
    FOLLOWED_BY,
    INSTALL,
    JOBS,
    UPDATE,
    Case,
    cases,
    rows,
    short,
)
from tests.staff.operator import Node, Operator
from tests.staff.passing_time import PassingTimeMixin

MOST_CLICKS = 3
WELL = "All is well. Nothing needs you."
# What an operator presses, in this order, where it is offered.
BUTTONS = (
    "Ask for it again",
    "Retry all that failed",
    "Retry now",
    "Verify and repair",
    "Put right",
    "playlist_add Fill",
)
HANGS = ("Restart", *BUTTONS)  # what hangs inside a container ends with a restart
ROUNDS = 6  # of 700 seconds each: longer than any deadline of a step that waits without an error
NAMED = {"dns": "The DNS resolver|The name servers"}  # a domain's own servers, where they do not answer it
EVERYTHING = bool(os.environ.get("NODEPOINT_EVERY_FAULT"))


def named(case: Case) -> str:
    """How pages and refusals name what is at fault."""
    if case.call in (INSTALL, UPDATE, CONTENT):
        return "WordPress|Installing|addresses in the content"
    return NAMED.get(case.call.system, SYSTEMS[case.call.system])


class EveryFaultCase(ActsMixin, DomainMixin, PassingTimeMixin, LabTestCase):
    """The engine: one case from a healthy platform back to a healthy platform."""

    plan = "basic"

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(http, "RETRY_PAUSE", 0.0))  # of real time
        self.operator = Operator()
        limits.take(queue.WORKER, 1, "worker", timezone.now(), 3600)

    def carry_out(self, case: Case) -> None:
        """Cause the trouble; find it, understand it, put it right."""
        deed, self.plan = DEEDS[case.deed], case.call.plan
        certificate = "letsencrypt" if case.call.letsencrypt else self.lab.settings["NPM_CERTIFICATE"]
        self.enterContext(override_settings(NPM_CERTIFICATE=certificate))
        deed.before(self)
        self.pass_time(600)
        deed.begun(self)
        self.forget_logins()
        before = set(Job.objects.exclude(state__in=Job.ALIVE).values_list("pk", flat=True))
        self.cause(case)
        refusal = self.do(deed)
        jobs = Job.objects.exclude(pk__in=before).exclude(kind__startswith=PREFIX)
        if case.refused:
            self.assertFalse(jobs.exists(), "a job was begun")
            self.assert_says_why(refusal, case)
            return
        self.assertEqual(refusal, "")
        self.wait_for_trouble(jobs)
        if case.kind != AWAY:
            self.assertTrue(any(one["count"] < ENDLESS for one in self.lab.faults.view()), "it met nothing")
        if not (case.harmless and self.succeeded(jobs)):
            self.understand(self.find(jobs, deed.place), case)
        self.mend(case)
        dns_connections.forget()  # a login that ISPConfig refused is not repeated for a while of real time
        self.put_right(jobs, HANGS if case.hangs_inside else BUTTONS)
        deed.stands(self)

    def cause(self, case: Case) -> None:
        if case.kind == AWAY:
            self.control("node", node=case.call.match, up=False)
        else:
            self.fault(case.call.system, case.kind, case.call.match, ENDLESS, seconds=0.02)

    def mend(self, case: Case) -> None:
        if case.kind == AWAY:
            self.control("node", node=case.call.match, up=True)
        self.clear_faults()

    def forget_logins(self) -> None:
        """So that logging in is among the calls."""
        connections.npm.cache_clear()
        dns_connections.forget()
        calls._logins.clear()

    def do(self, deed) -> str:
        """Ask for it; the sentence with which it was refused."""
        try:
            answer = deed.do(self)
        except (ApiError, JobRefused, ClientError) as error:
            return str(error)
        if getattr(answer, "status_code", 200) == 200:
            return ""
        return answer.json()["error"]

    def assert_says_why(self, sentence: str, case: Case) -> None:
        self.assertRegex(sentence, named(case))
        self.assertTrue(sentence.endswith("."), sentence)

    def wait_for_trouble(self, jobs) -> None:
        """Until a job has ended badly, or is held up for longer than ten minutes."""
        for _ in range(ROUNDS):
            self.pass_time(700)
            if (
                troubles.unsettled()
                or not jobs.filter(state__in=Job.ALIVE).exclude(troubles.stuck()).exists()
            ):
                return
        self.fail(f"neither did it end nor does the board call it stuck:\n{self.story(jobs)}")

    def succeeded(self, jobs) -> bool:
        """All of it, and without a warning."""
        return not jobs.exclude(state=Job.State.SUCCEEDED).exists() and not any(job.warning for job in jobs)

    def assert_no_call_is_left_out(self, name: str) -> None:
        """Where nothing fails, an act makes no call that has no row."""
        deed, known = DEEDS[name], (*rows(name), *(rows(FOLLOWED_BY[name]) if name in FOLLOWED_BY else ()))
        deed.before(self)
        self.pass_time(600)
        deed.begun(self)
        self.forget_logins()
        self.calls.clear()
        self.assertEqual(self.do(deed), "")
        self.pass_time(700)
        made = {(system, call) for system, call in self.calls if system in FAULTY}
        left = {one for one in made if not any(a.system == one[0] and a.match in one[1] for a in known)}
        self.assertEqual(left, set())

    # Found

    def board(self) -> Node:
        """What the board says needs a human, after the periodic looks."""
        self.look_at_everything()
        self.operator.open("/admin/")
        return self.operator.page.by_id("np-needs")

    def find(self, jobs, place: str) -> Node:
        """The board's link to a job of these, or to the place where their troubles stand."""
        needs = self.board()
        self.assertNotIn(WELL, needs.text, self.story(jobs))
        pages = {f"/admin/jobs/job/{job.pk}/change/" for job in jobs} | ({place} if place else set())
        links = [link for link in needs.all("a") if link.attributes.get("href") in pages]
        self.assertTrue(links, f"no link to any of its jobs: {needs.text}\n{self.story(jobs)}")
        return links[0]

    # Understood

    def understand(self, link: Node, case: Case) -> None:
        """Its page names the system, and shows of a step what customers read and what the system said."""
        self.operator.follow(link)
        text = self.operator.main.text
        self.assertRegex(text, named(case))
        if "/jobs/job/" not in link.attributes["href"]:
            return  # a list, which shows the reasons alone
        job = Job.objects.get(pk=link.attributes["href"].split("/")[-3])
        said = [(row.error, row.detail) for row in job.steps.exclude(error="")]
        said += [(job.error, job.detail)] if job.error else []
        shown = [error for error, detail in said if error in text and " ".join(detail.split()) in text]
        self.assertTrue(shown, f"{text}\n{said}")

    # Put right

    def put_right(self, jobs, buttons: tuple[str, ...]) -> None:
        """Press what an operator would press, until the board says that all is well. What is held up would go
        on by itself after a while; who has mended it need not wait for that."""
        self.operator.clicks = 0
        pressed: list[str] = []
        while self.is_held_up(jobs, pressed) or not self.is_well():
            self.operator.open("/admin/")
            needs = self.operator.page.by_id("np-needs")
            said = f"{pressed}: {needs.text}\n{self.story(jobs)}"
            self.assertLess(self.operator.clicks, MOST_CLICKS, said)
            pressed.append(self.press(needs, jobs, buttons))
            self.assertLessEqual(self.operator.clicks, MOST_CLICKS, said)

    def is_held_up(self, jobs, pressed: list[str]) -> bool:
        """Whether a job still waits for its next try, and nothing was pressed so far."""
        alive = [job for job in jobs if job.alive]
        return not pressed and any(job.state == Job.State.WAITING and not job.warning for job in alive)

    def is_well(self) -> bool:
        """Whether the board says so, once all that is at work has come to its end."""
        self.pass_time()
        self.pass_time(600)
        return WELL in self.board().text

    def press(self, needs: Node, jobs, buttons: tuple[str, ...]) -> str:
        """Three clicks: the link on the board (to the job that is held up, else the first), the button on its
        page, yes."""
        waiting = {f"/admin/jobs/job/{job.pk}/change/" for job in jobs if job.state == Job.State.WAITING}
        links = list(needs.all("a"))
        self.operator.follow(next((one for one in links if one.attributes["href"] in waiting), links[0]))
        name = next((name for name in buttons if name in self.operator.offered()), None)
        self.assertIsNotNone(
            name, f"nothing to press: {self.operator.main.text}\n{needs.text}\n{self.story(jobs)}"
        )
        self.operator.click(name)
        self.operator.submit("Yes, do it")
        return name

    def story(self, jobs) -> str:
        lines = []
        for job in Job.objects.filter(subject__in=[job.subject for job in jobs]).order_by("created_at"):
            lines.append(f"{job.kind} {job.state} {job.error} | {job.detail} | {job.warning}")
            lines += [
                f"  {s.name} {s.state} {s.tries}/{s.calls} {s.error} | {s.detail}" for s in job.steps.all()
            ]
        return "\n".join(lines)


@skipUnless(connection.vendor == "sqlite", "One database is enough for what staff see and press.")
@on_one_database
class EveryFaultTests(EveryFaultCase):
    """One test for each case."""

    def test_the_short_form_leaves_out_no_act_system_or_kind(self) -> None:
        for part in (
            lambda case: (case.deed, case.call.system),
            lambda case: case.kind,
            lambda case: case.refused,
        ):
            self.assertEqual(set(map(part, short())), set(map(part, cases())))

    def test_every_act_has_its_rows(self) -> None:
        self.assertEqual(set(DEEDS), set(JOBS))


def _test(case: Case):
    def test(self) -> None:
        self.carry_out(case)

    test.__doc__ = str(case)
    return test


def _calls_test(name: str):
    def test(self) -> None:
        self.assert_no_call_is_left_out(name)

    return test


if EVERYTHING:
    for _name in DEEDS:
        setattr(EveryFaultTests, f"test_calls_of_{_name.replace(' ', '_')}", _calls_test(_name))
for _case in cases() if EVERYTHING else short():
    setattr(EveryFaultTests, "test_" + re.sub(r"\W+", "_", str(_case)), _test(_case))
