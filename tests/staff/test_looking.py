"""Looking changes nothing: every act of the admin is a POST."""

from collections.abc import Iterator

from django.contrib import admin
from django.urls import URLPattern, reverse

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from tests.base import LabTestCase
from tests.staff.base import make_staff
from tests.staff.test_matrix import make


class LookingTests(LabTestCase):
    def paths(self) -> Iterator[tuple[str, str]]:
        """Name and address of every page of a model."""
        for model, page in admin.site._registry.items():
            key = make(model).pk
            for pattern in page.get_urls():
                if not isinstance(pattern, URLPattern) or not pattern.name:
                    continue
                arguments = dict.fromkeys(pattern.pattern.converters, key)
                yield pattern.name, reverse(f"admin:{pattern.name}", kwargs=arguments)

    def test_no_get_leaves_an_act_or_a_job(self) -> None:
        self.client.force_login(make_staff("root", superuser=True))
        paths = list(self.paths())
        self.assertGreater(len(paths), 100)
        before = (Job.objects.count(), Entry.objects.count())
        for name, path in paths:
            with self.subTest(page=name):
                self.assertLess(self.client.get(path).status_code, 500)
                self.assertEqual((Job.objects.count(), Entry.objects.count()), before)
