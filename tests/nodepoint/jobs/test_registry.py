"""What a flow must be, and that all of ours are."""

from django.apps import apps
from django.test import SimpleTestCase

from nodepoint.jobs import registry
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.outcomes import Done, Fail
from nodepoint.jobs.registry import Flow, Step
from tests.nodepoint.jobs.base import EngineTestCase


def done(call) -> Done:
    """A step."""
    return Done()


class FlowTests(EngineTestCase):
    def test_steps_come_after_those_they_wait_for(self) -> None:
        with self.assertRaisesMessage(ValueError, "test.flow/a comes before b"):
            self.flow(self.step("a", after=("b",)), self.step("b"))

    def test_no_two_steps_have_one_name(self) -> None:
        with self.assertRaisesMessage(ValueError, "two steps have one name"):
            self.flow(self.step("a"), self.step("a"))

    def test_no_two_flows_have_one_name(self) -> None:
        self.flow(self.step("a"))
        with self.assertRaisesMessage(ValueError, "Two flows are called test.flow"):
            self.flow(self.step("b"))

    def test_a_step_has_an_undo_or_the_reason_why_not(self) -> None:
        for options in ({}, {"undo": done, "nothing_to_undo": "Both."}):
            with self.subTest(options), self.assertRaisesMessage(ValueError, "a: an undo, or the reason"):
                Step("a", "A", done, **options)

    def test_unknown_names_are_errors(self) -> None:
        flow = self.flow(self.step("a"))
        self.assertEqual(flow.step("a").title, "Doing a")
        for look in (lambda: flow.step("b"), lambda: registry.flow("test.other")):
            with self.assertRaises(UnknownFlow):
                look()

    def test_steps_the_subject_has_no_need_of_are_skipped(self) -> None:
        plan = self.make_plan()
        self.flow(
            self.step("a", Done(facts={"cores": 8})),
            self.step("many", after=("a",), needed=lambda plan: plan.cores > 4),
            self.step("few", after=("a",), needed=lambda plan: plan.cores <= 4, undo=Done()),
            self.step("last", after=("few", "many")),
            subject="sites.Plan",
        )
        job = self.submit(subject=f"sites.plan:{plan.pk}")
        self.run_jobs()
        self.assertEqual(self.journal, ["a", "many", "last"])
        self.assertEqual(self.states(job)["few"], "skipped")

    def test_a_step_that_is_true_from_the_start_is_never_called_but_undone(self) -> None:
        undo = self.step("reserved", undo=Done()).undo
        self.flow(
            Step("reserved", "Reserving", None, undo=undo),
            self.step("bad", Fail(error="No."), after=("reserved",)),
        )
        job = self.submit()
        self.assertEqual(self.states(job), {"reserved": "done", "bad": "running"})
        self.run_jobs()
        self.assertEqual(self.journal, ["bad", "undo reserved"])


class RegisteredFlowsTests(SimpleTestCase):
    """The whole tree."""

    def flows(self) -> list[Flow]:
        return [flow for flow in registry.flows() if not flow.name.startswith("test.")]

    def test_there_are_some(self) -> None:
        names = {flow.name for flow in self.flows()}
        self.assertLessEqual({"notices.staff", "sites.provision", "sites.terminate"}, names)

    def test_every_step_has_an_undo_or_says_why_not(self) -> None:
        for flow in self.flows():
            for step in flow.steps:
                self.assertTrue(
                    bool(step.undo) != bool(step.nothing_to_undo.strip()), f"{flow.name}/{step.name}"
                )

    def test_names_fit_their_columns_and_begin_with_their_app(self) -> None:
        for flow in self.flows():
            self.assertLessEqual(len(flow.name), 64)
            self.assertIn(flow.name.split(".")[0], ("jobs", "notices", "board", "sites", "dns", "support"))
            for step in flow.steps:
                self.assertLessEqual((len(step.name), len(step.title)), (64, 128))
                self.assertRegex(step.name, r"\A[a-z_]+\Z")
                for limit in step.limits:
                    self.assertLessEqual(len(limit.name), 64)
                    self.assertGreaterEqual(limit.slots(), 1)

    def test_subjects_exist(self) -> None:
        for flow in self.flows():
            if flow.subject:
                apps.get_model(flow.subject)
            else:
                self.assertFalse([step for step in flow.steps if step.needed], flow.name)

    def test_every_step_has_a_weight(self) -> None:
        for flow in self.flows():
            for step in flow.steps:
                self.assertGreater(step.usual, 0, f"{flow.name}/{step.name}")
