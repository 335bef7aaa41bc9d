"""An ended service's person stands in no row of any table any more; a living one's is left alone."""

import io
from collections.abc import Iterator

from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from django.test import SimpleTestCase

from nodepoint.anonymity import Eraser
from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites.models import Site
from support.models import SupportKey
from tests.base import LabTestCase

PERSON = ("anna", "muster", "4711", "münchen")
ADDRESS, DOMAIN = "anna.muster@example.com", "www.muster-shop.example.org"
TEXTS = models.CharField | models.TextField | models.JSONField


def rows() -> Iterator[tuple[str, str]]:
    """Every text of every row in the database, and where it stands."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, TEXTS)]
        for row in model._base_manager.values("pk", *names):
            for name in names:
                yield f"{model._meta.label}.{name} {row['pk']}", str(row[name]).lower()


class AnonymiseTests(LabTestCase):
    def traces(self) -> list[str]:
        """Where the person stands."""
        return [f"{where}: {text}" for where, text in rows() if any(word in text for word in PERSON)]

    def anonymise(self, service: str = "S1") -> str:
        out = io.StringIO()
        call_command("anonymise", service, stdout=out)
        return out.getvalue()

    def live(self) -> None:
        """A site and a support key of the person's, and everything that is kept of their making."""
        order = {"service_id": "S1", "email": ADDRESS, "plan": "basic", "public_ip": "203.0.113.10"}
        self.post("/create-site", {**order, "user_id": "4711"})
        self.run_jobs()
        self.control("dns", name=DOMAIN, type="A", values=["203.0.113.10"])
        self.post("/action/setdomain", {"service_id": "S1", "domain": DOMAIN})
        self.run_jobs()
        key = {"service_id": "S1", "email": ADDRESS, "firstname": "Anna", "lastname": "Muster-München"}
        self.assertEqual(self.post("/support/create", key).status_code, 200)

    def test_nothing_of_the_person_is_left_once_the_service_has_ended(self) -> None:
        self.live()
        self.assertGreater(len(self.traces()), 10)
        with self.assertRaisesRegex(CommandError, r"\AThe site of service S1 is live: delete it first\.\Z"):
            self.anonymise()
        self.post("/delete-site", {"service_id": "S1"})
        self.run_jobs()
        with self.assertRaisesRegex(CommandError, "support key of service S1 is ACTIVE: terminate it first"):
            self.anonymise()
        self.post("/support/terminate", {"service_id": "S1"})

        figures = Job.objects.count(), Entry.objects.count(), Site.objects.get().ended_at
        self.assertIn("jobs", self.anonymise())
        self.assertEqual(self.traces(), [])
        now = Job.objects.count(), Entry.objects.count() - 1, Site.objects.get().ended_at
        self.assertEqual(now, figures)
        self.assertEqual(Site.objects.get().service_id, "S1")
        self.assertEqual(SupportKey.objects.get().status, "INACTIVE")

        before = dict(rows())
        self.anonymise()  # again: nothing more happens
        after = {
            where: text for where, text in rows() if where in before and "searchterm" not in where.lower()
        }
        self.assertLessEqual(after.items(), before.items())

    def test_a_service_that_nobody_knows_is_named(self) -> None:
        with self.assertRaisesRegex(CommandError, r"\AThere is no service S2, and there never was\.\Z"):
            self.anonymise("S2")


class EraserTests(SimpleTestCase):
    def test_names_go_as_words_and_whatever_the_case(self) -> None:
        eraser = Eraser("S1")
        eraser.learn(["anna", "an", "muster-shop.example", "S1"])
        table = {
            "Anna has anna.example": "[erased] has [erased].example",
            "Annabel": "Annabel",
            "an order of S1": "an order of S1",
            "to <b@example.net>, (c@example.net)": "to <[erased]>, ([erased])",
            "muster-shop.example is gone": "[erased] is gone",
        }
        self.assertEqual({text: eraser.text(text) for text in table}, table)

    def test_values_keep_their_shape(self) -> None:
        value = {"service_id": "S1", "plan": "basic", "email": "a@b.c", "ports": [80, "x"], "on": True}
        erased = {"service_id": "S1", "plan": "basic", "email": "[erased]", "ports": [80, "[erased]"]}
        self.assertEqual(Eraser("S1").value({**value, "no": None}), {**erased, "on": True, "no": None})
