"""Prepared queries say what a manager's say, and are built once for each shape."""

from datetime import timedelta
from unittest import mock

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Upper
from django.test import TestCase
from django.utils import timezone

from nodepoint import prepared as module
from nodepoint.jobs.models import Job, JobStep, Lease
from nodepoint.prepared import prepared
from sites.models import Site, SiteUsage
from tests.factories import SiteFactory


class PreparedTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.now = timezone.now()
        cls.jobs = [
            Job.objects.create(kind="k", subject=f"s:{n}", data={"n": [n, None, "ü"]}) for n in range(3)
        ]
        for job in cls.jobs:
            for position, name in enumerate("ab"):
                due = cls.now + timedelta(seconds=position) if job is not cls.jobs[2] else None
                JobStep.objects.create(job=job, name=name, title=name, position=position, due_at=due)

    def setUp(self) -> None:
        self.enterContext(mock.patch.dict(module._kept, clear=True))

    def assert_same(self, ours, theirs) -> None:
        """Both give the same rows with the same columns, twice: when it is built and when it is filled in."""
        self.assertTrue(theirs)
        for _ in range(2):
            self.assertEqual([vars(one) | {"_state": 0} for one in ours.all()], theirs)

    @staticmethod
    def columns(rows) -> list[dict]:
        return [vars(row) | {"_state": 0} for row in rows]

    def test_whole_rows_of_every_condition(self) -> None:
        pairs = [
            {"pk": self.jobs[0].pk},
            {"pk__in": [job.pk for job in self.jobs[:2]], "state": Job.State.QUEUED},
            {"created_at__lte": timezone.now(), "active_key": None},
            {"active_key__isnull": True, "callers_fault": False},
            {"created_at__gte": self.now - timedelta(1), "created_at__lt": self.now + timedelta(1)},
        ]
        for conditions in pairs:
            with self.subTest(conditions):
                theirs = self.columns(Job.objects.filter(**conditions).order_by("pk"))
                self.assert_same(prepared(Job).filter(**conditions).order_by("pk"), theirs)

    def test_conditions_that_are_joined_or_reversed(self) -> None:
        either = Q(due_at__lte=self.now) | Q(due_at=None)
        for condition in (either, ~Q(name="a"), either & ~Q(position__in=[1])):
            with self.subTest(condition):
                theirs = self.columns(JobStep.objects.filter(condition).order_by("pk"))
                self.assert_same(prepared(JobStep).filter(condition).order_by("pk"), theirs)

    def test_what_a_foreign_key_leads_to_comes_with_it(self) -> None:
        steps = prepared(JobStep).filter(job__subject="s:1").select_related("job").order_by("-position").all()
        with self.assertNumQueries(0):
            data = {"n": [1, None, "ü"]}
            self.assertEqual([(step.name, step.job.data) for step in steps], [("b", data), ("a", data)])

    def test_a_row_that_leads_here_comes_with_it_and_one_that_is_not_there_is_known_to_be_none(self) -> None:
        measured, unmeasured = SiteFactory.create_batch(2)
        usage = SiteUsage.objects.create(site=measured, month="2026-11", in_bytes=5)
        rows = prepared(Site).filter(pk__in=[measured.pk, unmeasured.pk]).select_related("plan", "usage")
        for _ in range(2):
            found = rows.order_by("pk").all()
            with self.assertNumQueries(0):
                self.assertEqual((found[0].usage, found[0].usage.in_bytes), (usage, 5))
                self.assertIs(found[0].usage.site, found[0])
                self.assertEqual(found[0].plan.name, measured.plan.name)
                self.assertIsNone(getattr(found[1], "usage", None))
                self.assertFalse(found[0].plan._state.adding)

    def test_columns_left_out_are_read_when_they_are_asked_for(self) -> None:
        step = prepared(JobStep).defer("data").order_by("pk").first()
        self.assertEqual(step.get_deferred_fields(), {"data"})
        self.assertEqual(step.data, {})

    def test_values_are_those_of_python(self) -> None:
        of_first = prepared(JobStep).filter(job_id=self.jobs[0].pk).order_by("position")
        self.assertEqual(of_first.limit(1).values("name", "due_at", "data"), [("a", self.now, {})])
        self.assertEqual(of_first.values("name"), ["a", "b"])

    def test_one_row_none_or_too_many(self) -> None:
        self.assertIsNone(prepared(Job).filter(pk="none").first())
        self.assertEqual(prepared(Job).filter(pk=self.jobs[1].pk).get(), self.jobs[1])
        with self.assertRaises(Job.DoesNotExist):
            prepared(Job).filter(pk="none").get()
        with self.assertRaises(Job.MultipleObjectsReturned):
            prepared(Job).filter(kind="k").get()

    def test_a_change_of_columns(self) -> None:
        rows = prepared(JobStep).filter(job_id=self.jobs[0].pk, due_at__lte=self.now)
        for number in range(3):  # with other values each time, and the same statement
            values = {"data": {"list": [number]}, "held": True, "error": f"%s {number}", "lined_up_at": None}
            self.assertEqual(rows.update(version=F("version") + 2, **values), 1)
        changed = JobStep.objects.get(job=self.jobs[0], name="a")
        self.assertEqual((changed.version, changed.data, changed.error), (6, {"list": [2]}, "%s 2"))
        self.assertEqual(prepared(JobStep).filter(pk__in=[]).update(held=True), 0)
        self.assertEqual(prepared(JobStep).filter(pk__in=[]).all(), [])

    def test_rows_are_added_as_django_adds_them(self) -> None:
        prepared(JobStep).insert([])
        for number in (1, 2):  # built, then filled in
            values = {"job": self.jobs[0], "due_at": self.now, "data": {"a": ["ü", None]}, "title": "%s"}
            names = [f"ours{number}{part}" for part in "ab"]
            ours = [JobStep(name=name, position=number, state=JobStep.State.DONE, **values) for name in names]
            prepared(JobStep).insert(ours)
            self.assertFalse(ours[0]._state.adding)
            JobStep.objects.create(name=f"theirs{number}", position=number, state="done", **values)
        one, *others = JobStep.objects.filter(position__gt=0, name__regex="ours|theirs").order_by("position")
        same = {"job_id", "due_at", "data", "title", "state", "held", "version", "ref", "usual_seconds"}
        for other in others:
            self.assertEqual(
                {name: getattr(other, name) for name in same}, {n: getattr(one, n) for n in same}
            )
        self.assertEqual(len(others), 5)
        self.assertEqual(sum("INSERT" in statement.sql for statement in module._kept.values()), 1)

    def test_a_row_that_is_there_is_refused(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            prepared(Job).insert([Job(pk=self.jobs[0].pk, kind="k", subject="s:9")])

    def test_values_of_another_type_are_adapted_as_django_does(self) -> None:
        for number, held in enumerate((5, "6", JobStep.State.DONE)):
            columns = {"name": held} if number else {"name": "n", "slot": "7"}
            prepared(Lease).insert([Lease(**{"slot": number, "until": self.now} | columns)])
        self.assertEqual(
            list(Lease.objects.order_by("slot").values_list("name", "slot")),
            [("6", 1), ("done", 2), ("n", 7)],
        )
        self.assertEqual(prepared(Lease).filter(slot="7", name=JobStep.State.DONE).values("pk"), [])
        self.assertEqual(
            prepared(Lease).filter(slot="2", name=JobStep.State.DONE).update(until="2026-01-02T03:04:05Z"), 1
        )
        self.assertEqual(Lease.objects.get(slot=2).until.isoformat(), "2026-01-02T03:04:05+00:00")

    def test_one_statement_for_each_shape(self) -> None:
        for number in range(5):
            prepared(Lease).filter(name=f"n{number}", slot__in=[1, number]).update(holder=f"h{number}")
        self.assertEqual(len(module._kept), 1)
        prepared(Lease).filter(name="n", slot__in=[1]).update(holder="h")
        prepared(Lease).filter(name="n", slot__in=[1]).update(until=self.now)
        self.assertEqual(len(module._kept), 3)

    def test_what_cannot_be_filled_in_is_refused(self) -> None:
        for wrong in ({"kind__startswith": "k"}, {"created_at__year": 2026}, {"kind": Upper(Value("k"))}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                prepared(Job).filter(**wrong).all()

    def test_rows_are_held_in_a_transaction_only(self) -> None:
        held = prepared(Job).select_for_update().filter(pk=self.jobs[0].pk)
        with transaction.atomic():
            self.assertEqual(held.get(), self.jobs[0])
        if connection.features.has_select_for_update:
            (statement,) = module._kept.values()
            self.assertIn("FOR UPDATE", statement.sql)
        outside = mock.patch.object(connection, "in_atomic_block", False)
        with outside, self.assertRaises(transaction.TransactionManagementError):
            prepared(Job).select_for_update()

    def test_a_refused_change_breaks_the_transaction_as_djangos_does(self) -> None:
        Lease.objects.create(name="n", slot=1, until=self.now)
        other = Lease.objects.create(name="n", slot=2, until=self.now)
        with self.assertRaises(transaction.TransactionManagementError), transaction.atomic():
            try:
                prepared(Lease).filter(pk=other.pk).update(slot=1)
            except IntegrityError:
                Lease.objects.count()
