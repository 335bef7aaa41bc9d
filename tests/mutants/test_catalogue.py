"""Every deliberate breakage still applies; that the tests catch them is asked by `script/mutants` (minutes)."""

import ast
from importlib import import_module

from django.conf import settings
from django.test import SimpleTestCase

from tests.mutants.catalogue import MUTANTS


class CatalogueTests(SimpleTestCase):
    def test_each_is_a_change_of_what_stands_in_its_file_once(self) -> None:
        for mutant in MUTANTS:
            with self.subTest(mutant.what):
                text = (settings.BASE_DIR / mutant.path).read_text()
                self.assertEqual(text.count(mutant.before), 1, "stale")
                changed = text.replace(mutant.before, mutant.after)
                self.assertNotEqual(ast.dump(ast.parse(changed)), ast.dump(ast.parse(text)))

    def test_each_names_tests_that_are_there(self) -> None:
        for mutant in MUTANTS:
            with self.subTest(mutant.what):
                parts = mutant.tests.split(".")
                names = [number for number, part in enumerate(parts) if part[0].isupper()]
                place = names[0] if names else len(parts)
                found = import_module(".".join(parts[:place]))
                for name in parts[place:]:
                    found = getattr(found, name)

    def test_there_are_thirty_at_least_and_no_two_alike(self) -> None:
        self.assertGreaterEqual(len(MUTANTS), 30)
        self.assertEqual(len({mutant.what for mutant in MUTANTS}), len(MUTANTS))
